#include "node/cli/definition_file.hpp"

#include "config/yaml_document.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <istream>
#include <sstream>

namespace tobit::cli {

namespace {

using failed = tl::unexpected<std::string>;

/// Turns a YAML node into JSON by the core schema of YAML 1.2: quoted scalars are texts, plain ones what they look
/// like.
class yaml_converter {
public:
  /// A few lines of aliases can stand for billions of nodes. Without aliases no node is shorter than a byte, so this
  /// leaves room for honest use of them.
  explicit yaml_converter(std::size_t text_size) : nodes_max_(4 * text_size + 1'000) {}

  json convert(const YAML::Node& node, int depth = 0) {
    if (depth > json_depth_max) throw YAML::Exception(node.Mark(), "it is nested too deeply");
    if (++nodes_ > nodes_max_) throw YAML::Exception(node.Mark(), "its aliases unfold to too much");
    if (node.IsScalar()) return scalar(node);
    if (node.IsSequence()) {
      auto out = json::array();
      for (const auto& item : node) out.push_back(convert(item, depth + 1));
      return out;
    }
    if (!node.IsMap()) return nullptr;
    auto out = json::object();
    for (const auto& pair : node) {
      if (!pair.first.IsScalar()) throw YAML::Exception(pair.first.Mark(), "a key is not a word");
      const auto& key = pair.first.Scalar();
      if (out.contains(key)) throw YAML::Exception(pair.first.Mark(), "'" + key + "' is written twice");
      out[key] = convert(pair.second, depth + 1);
    }
    return out;
  }

private:
  static json scalar(const YAML::Node& node) {
    const auto& text = node.Scalar();
    if (node.Tag() == "!" || node.Tag() == "tag:yaml.org,2002:str") return text;
    if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") return nullptr;
    if (text == "true" || text == "True" || text == "TRUE") return true;
    if (text == "false" || text == "False" || text == "FALSE") return false;
    return number_or_text(text);
  }

  static json number_or_text(const std::string& text) {
    const char* first = text.data() + (text.size() > 1 && text[0] == '+' ? 1 : 0);
    const char* last = text.data() + text.size();
    std::int64_t whole = 0;
    if (auto [end, bad] = std::from_chars(first, last, whole); bad == std::errc{} && end == last) return whole;
    // from_chars also reads "inf" and "nan", which JSON has no numbers for.
    const bool digits =
        text.find_first_of("0123456789") != std::string::npos && std::isalpha(static_cast<unsigned char>(*first)) == 0;
    double real = 0;
    if (auto [end, bad] = std::from_chars(first, last, real);
        digits && bad == std::errc{} && end == last && std::isfinite(real))
      return real;
    return text;
  }

  const std::size_t nodes_max_;
  std::size_t nodes_ = 0;
};

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
    return take(yaml_converter(part.size()).convert(*document), into, name + ":" + std::to_string(first_line));
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
