#include "node/cli/token_store.hpp"

#include "schemas/json.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <sys/stat.h>
#include <unistd.h>

namespace tobit::cli {

namespace {

namespace fs = std::filesystem;

std::string home_folder(const surroundings& around) {
  if (auto own = around.variable("TOBIT_HOME"); !own.empty()) return own;
  if (auto shared = around.variable("XDG_CONFIG_HOME"); !shared.empty()) return shared + "/tobit";
  if (auto home = around.variable("HOME"); !home.empty()) return home + "/.config/tobit";
  return {};
}

json read_all(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  auto parsed = parse_json(text.str());
  return parsed && parsed->is_object() ? *parsed : json::object();
}

/// Written beside and renamed over, so that a reader never sees half of it; secret from the first byte on.
bool write_secretly(const std::string& file, const std::string& text) {
  const auto beside = file + "." + std::to_string(getpid());
  const int fd = open(beside.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd < 0) return false;
  const auto written = write(fd, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size());
  const bool closed = close(fd) == 0;
  if (whole && closed && rename(beside.c_str(), file.c_str()) == 0) return true;
  unlink(beside.c_str());
  return false;
}

result<void> write_all(const std::string& file, const json& all) {
  std::error_code ignored;
  const auto folder = fs::path(file).parent_path();
  if (fs::create_directories(folder, ignored)) chmod(folder.c_str(), 0700); // one that was there may be shared
  if (write_secretly(file, to_text(all))) return {};
  return fail(error_code::configuration_error, "The login cannot be remembered in " + file + " (" +
                                                   std::strerror(errno) +
                                                   "); set TOBIT_HOME to a folder that can be written.");
}

std::string text_of(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string{};
}

} // namespace

token_store::token_store(const surroundings& around) {
  if (const auto home = home_folder(around); !home.empty()) file_ = home + "/tokens.json";
}

std::optional<saved_tokens> token_store::find(const std::string& url) const {
  if (file_.empty()) return std::nullopt;
  const auto all = read_all(file_);
  const auto row = all.find(url);
  if (row == all.end() || !row->is_object()) return std::nullopt;
  saved_tokens tokens{text_of(*row, "user"), text_of(*row, "access_token"), text_of(*row, "refresh_token")};
  if (tokens.access_token.empty()) return std::nullopt;
  return tokens;
}

result<void> token_store::save(const std::string& url, const saved_tokens& tokens) const {
  if (file_.empty()) return {};
  auto all = read_all(file_);
  all[url] = {{"user", tokens.user}, {"access_token", tokens.access_token}, {"refresh_token", tokens.refresh_token}};
  return write_all(file_, all);
}

result<void> token_store::forget(const std::string& url) const {
  if (file_.empty()) return {};
  auto all = read_all(file_);
  if (all.erase(url) == 0) return {};
  return write_all(file_, all);
}

} // namespace tobit::cli
