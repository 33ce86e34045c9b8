#include "actors/folder/folder_scan.hpp"

#include "schemas/ids.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

namespace tobit::folder {

namespace fs = std::filesystem;

namespace {

std::string hash_of(const std::string& text) {
  char out[40];
  std::snprintf(out, sizeof out, "%016llx-%zu",
                static_cast<unsigned long long>(stable_hash(entity_ref{"file", {}, text})), text.size());
  return out;
}

bool inside(const fs::path& root, const fs::path& path) {
  const auto relative = path.lexically_relative(root);
  return !relative.empty() && *relative.begin() != "..";
}

bool holds_definitions(const fs::path& path) {
  const auto ending = path.extension();
  return ending == ".yaml" || ending == ".yml" || ending == ".json";
}

class scan {
public:
  scan(fs::path root, const scan_limits& limits, folder_content& into)
      : root_(std::move(root)), limits_(limits), into_(into) {}

  void folder(const fs::path& shown, const fs::path& real, std::size_t depth) {
    if (!seen_.insert(real.string()).second) return; // links in a circle
    into_.folders.push_back(real.string());
    std::error_code trouble;
    for (fs::directory_iterator at(real, trouble), end; !trouble && at != end; at.increment(trouble)) {
      const auto name = at->path().filename().string();
      if (!name.starts_with('.')) entry(shown / name, at->path(), depth);
      if (!into_.error.empty()) return;
    }
    if (trouble) into_.error = real.string() + " cannot be read: " + trouble.message() + ".";
  }

private:
  void entry(const fs::path& shown, const fs::path& path, std::size_t depth) {
    std::error_code trouble;
    const auto real = fs::canonical(path, trouble);
    if (trouble) { // gone in the meantime, or a link that leads nowhere
      if (fs::is_symlink(fs::symlink_status(path)) && holds_definitions(shown))
        refuse(shown, "The link leads nowhere.");
      return;
    }
    if (!inside(root_, real)) {
      if (holds_definitions(shown)) refuse(shown, "The link leads out of the folder; put the file into it.");
      return;
    }
    const auto status = fs::status(real, trouble);
    if (fs::is_directory(status)) {
      if (depth < limits_.depth) folder(shown, real, depth + 1);
    } else if (holds_definitions(shown)) {
      fs::is_regular_file(status) ? file(shown, real) : refuse(shown, "This is no file.");
    }
  }

  void file(const fs::path& shown, const fs::path& real) {
    if (into_.files.size() >= limits_.files) {
      into_.error = "The folder holds more than " + std::to_string(limits_.files) + " files of definitions.";
      return;
    }
    std::error_code trouble;
    const auto size = fs::file_size(real, trouble);
    if (!trouble && size > limits_.file_bytes)
      return refuse(shown, "The file is larger than " + std::to_string(limits_.file_bytes >> 20) + " MB; split it.");
    std::ifstream in(real, std::ios::binary);
    std::ostringstream text;
    if (in) text << in.rdbuf();
    if (trouble || !in || (size > 0 && text.str().empty())) return refuse(shown, "The file cannot be read.");
    scanned_file out;
    out.text = text.str();
    bytes_ += out.text.size();
    if (bytes_ > limits_.all_bytes) {
      into_.error = "The folder's files are larger than " + std::to_string(limits_.all_bytes >> 20) + " MB together.";
      return;
    }
    out.hash = hash_of(out.text);
    into_.files.emplace(shown.string(), std::move(out));
  }

  void refuse(const fs::path& shown, std::string why) {
    scanned_file out;
    out.error = std::move(why);
    out.hash = "unreadable";
    into_.files.emplace(shown.string(), std::move(out));
  }

  const fs::path root_;
  const scan_limits& limits_;
  folder_content& into_;
  std::set<std::string> seen_;
  std::size_t bytes_ = 0;
};

} // namespace

folder_content scan_folder(const std::string& root, const scan_limits& limits) {
  folder_content out;
  std::error_code trouble;
  const auto real = fs::canonical(root, trouble);
  if (trouble || !fs::is_directory(real, trouble)) {
    out.error = "There is no folder " + root + ".";
    return out;
  }
  try {
    scan(real, limits, out).folder({}, real, 0);
  } catch (const std::exception& e) { // the file system's own exceptions
    out.error = root + " cannot be read: " + e.what();
  }
  return out;
}

} // namespace tobit::folder
