#include "node/cli/definition_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <sstream>

namespace tobit::cli {

using failed = tl::unexpected<std::string>;

tl::expected<std::string, std::string> read_text(const std::string& path, std::istream& standard_input) {
  std::ostringstream text;
  if (path == "-") {
    text << standard_input.rdbuf();
    return text.str();
  }
  std::error_code trouble;
  const auto status = std::filesystem::status(path, trouble);
  if (std::filesystem::is_directory(status))
    return failed(path + " is a folder; give a file, or - for standard input.");
  if (std::filesystem::is_regular_file(status) && std::filesystem::file_size(path, trouble) > definition_file_max)
    return failed(path + " is larger than 512 MB; split it.");
  std::ifstream in(path, std::ios::binary);
  if (!in) return failed(path + " cannot be read: " + std::strerror(errno) + ".");
  text << in.rdbuf();
  return text.str();
}

} // namespace tobit::cli
