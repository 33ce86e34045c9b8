#include "actors/rehearsal/file_test/located_document.hpp"

#include "config/yaml_json.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace tobit::rehearsal {

namespace {

constexpr std::uintmax_t file_bytes_max = 8u << 20;

using flawed = tl::unexpected<file_flaw>;

} // namespace

file_result<located_document> located_document::read_file(const std::string& path) {
  std::error_code trouble;
  const auto status = std::filesystem::status(path, trouble);
  if (std::filesystem::is_directory(status)) return flawed(file_flaw{path, "is a folder; give a file."});
  if (std::filesystem::is_regular_file(status) && std::filesystem::file_size(path, trouble) > file_bytes_max)
    return flawed(file_flaw{path, "is larger than 8 MB."});
  std::ifstream in(path, std::ios::binary);
  if (!in) return flawed(file_flaw{path, std::string("cannot be read: ") + std::strerror(errno) + "."});
  std::ostringstream text;
  text << in.rdbuf();
  return read(text.str(), path);
}

file_result<located_document> located_document::read(std::string_view text, const std::string& name) {
  auto document = config::read_yaml(text, name);
  if (!document) return flawed(file_flaw{document.error().where, document.error().message});
  located_document out;
  out.name_ = name;
  try {
    config::yaml_converter converter(text.size(), [&out](const std::string& pointer, const YAML::Mark& mark) {
      if (!mark.is_null()) out.places_.emplace(pointer, std::pair{mark.line, mark.column});
    });
    out.value_ = converter.convert(*document);
  } catch (const YAML::Exception& e) {
    return flawed(file_flaw{config::yaml_place(name, e.mark), e.msg + "."});
  }
  return out;
}

std::string located_document::where(std::string pointer) const {
  while (true) {
    if (const auto place = places_.find(pointer); place != places_.end())
      return name_ + ":" + std::to_string(place->second.first + 1) + ":" + std::to_string(place->second.second + 1);
    const auto cut = pointer.rfind('/');
    if (cut == std::string::npos) return name_;
    pointer.resize(cut);
  }
}

} // namespace tobit::rehearsal
