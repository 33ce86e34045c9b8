#include "node/cli/definition_file.hpp"

#include "config/yaml_json.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <sstream>

namespace tobit::cli {

namespace {

using failed = tl::unexpected<std::string>;

/// A definition file may hold one definition, a list of them or an answer that holds a list.
tl::expected<void, std::string> take(json document, std::vector<json>& into, const std::string& where) {
  if (document.is_null()) return {};
  if (document.is_object() && document.contains("rules") && document["rules"].is_array())
    document = std::move(document["rules"]);
  if (document.is_object()) {
    into.push_back(std::move(document));
    return {};
  }
  if (!document.is_array()) return failed(where + ": holds neither an object nor a list of objects.");
  for (std::size_t i = 0; i < document.size(); ++i) {
    if (!document[i].is_object())
      return failed(where + ": entry " + std::to_string(i + 1) + " of the list is not an object.");
    into.push_back(std::move(document[i]));
  }
  if (into.size() > definitions_max) return failed(where + ": holds more than a million definitions; split it.");
  return {};
}

/// Starts of the YAML documents: only a line that begins with `---` can separate them.
std::vector<std::string_view> yaml_documents(std::string_view text) {
  std::vector<std::string_view> parts;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    const bool separator =
        line.substr(0, 3) == "---" && (line.size() == 3 || std::isspace(static_cast<unsigned char>(line[3])));
    if (separator && at > start) {
      parts.push_back(text.substr(start, at - start));
      start = at;
    }
    at = end + 1;
  }
  parts.push_back(text.substr(start));
  return parts;
}

tl::expected<void, std::string> take_yaml(std::string_view part, std::size_t first_line, const std::string& name,
                                          std::vector<json>& into) {
  const auto document = config::read_yaml(part, name, first_line);
  if (!document) {
    auto message = document.error().where + ": " + document.error().message;
    if (message.find("alias") != std::string::npos || message.find("anchor") != std::string::npos)
      message += " A text that begins with '*' needs quotes, e.g. cron: '*/5 * * * *'.";
    return failed(std::move(message));
  }
  try {
    return take(config::yaml_converter(part.size()).convert(*document), into, name + ":" + std::to_string(first_line));
  } catch (const YAML::Exception& e) {
    return failed(config::yaml_place(name, e.mark, first_line) + ": " + e.msg + ".");
  }
}

bool looks_like_json(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  return first != std::string_view::npos && (text[first] == '{' || text[first] == '[');
}

bool named_yaml(std::string_view name) {
  const auto dot = name.rfind('.');
  return dot != std::string_view::npos && (name.substr(dot) == ".yaml" || name.substr(dot) == ".yml");
}

/// What keeps the text from being JSON, with line and column where they are known.
std::string json_flaw(std::string_view text, const std::string& name) {
  try {
    [[maybe_unused]] const auto unwanted = json::parse(text.begin(), text.end());
  } catch (const json::parse_error& e) {
    return text_place(text, e.byte == 0 ? 0 : e.byte - 1, name) + ": is not valid JSON.";
  } catch (const json::exception&) {
    return name + ": holds a number that is too large.";
  }
  return name + ": is nested deeper than " + std::to_string(json_depth_max) + " levels.";
}

} // namespace

std::string text_place(std::string_view text, std::size_t byte, const std::string& name) {
  const auto before = text.substr(0, byte);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto column = byte - (before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1) + 1;
  return name + ":" + std::to_string(line) + ":" + std::to_string(column);
}

tl::expected<std::vector<json>, std::string> read_definitions(std::string_view text, const std::string& name) {
  std::vector<json> definitions;
  if (looks_like_json(text)) {
    auto document = parse_json(text);
    if (document) {
      if (auto done = take(std::move(*document), definitions, name); !done) return failed(done.error());
      return definitions;
    }
    if (!named_yaml(name)) return failed(json_flaw(text, name)); // YAML may begin with a brace, too
  }
  std::size_t line = 1;
  for (const auto part : yaml_documents(text)) {
    if (auto done = take_yaml(part, line, name, definitions); !done) return failed(done.error());
    line += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
  }
  if (definitions.empty()) return failed(name + ": holds no definition.");
  return definitions;
}

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
