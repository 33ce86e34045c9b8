#include "config/definition_text.hpp"

#include "config/yaml_document.hpp"
#include "config/yaml_json.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tobit::config {

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
  const auto document = read_yaml(part, name, first_line);
  if (!document) {
    auto message = document.error().where + ": " + document.error().message;
    if (message.find("alias") != std::string::npos || message.find("anchor") != std::string::npos)
      message += " A text that begins with '*' needs quotes, e.g. cron: '*/5 * * * *'.";
    return failed(std::move(message));
  }
  try {
    return take(yaml_converter(part.size()).convert(*document), into, name + ":" + std::to_string(first_line));
  } catch (const YAML::Exception& e) {
    return failed(yaml_place(name, e.mark, first_line) + ": " + e.msg + ".");
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

/// The reference tokens of a JSON pointer (RFC 6901).
std::vector<std::string> tokens_of(std::string_view pointer) {
  std::vector<std::string> out;
  while (!pointer.empty()) {
    pointer.remove_prefix(1);
    auto token = std::string(pointer.substr(0, pointer.find('/')));
    pointer.remove_prefix(token.size());
    for (auto at = token.find('~'); at != std::string::npos; at = token.find('~', at + 1))
      token.replace(at, 2, token.substr(at, 2) == "~1" ? "/" : "~");
    out.push_back(std::move(token));
  }
  return out;
}

/// The mark of what the tokens lead to, as far as they lead; of a member: of its name.
YAML::Mark mark_of(YAML::Node node, const std::vector<std::string>& tokens) {
  auto mark = node.Mark();
  for (const auto& token : tokens) {
    if (node.IsMap()) {
      const auto member =
          std::find_if(node.begin(), node.end(), [&](const auto& pair) { return pair.first.Scalar() == token; });
      if (member == node.end()) return mark;
      mark = member->first.Mark();
      node.reset(member->second);
    } else if (node.IsSequence()) {
      std::size_t index = 0;
      const auto [end, bad] = std::from_chars(token.data(), token.data() + token.size(), index);
      if (bad != std::errc{} || index >= node.size()) return mark;
      node.reset(node[index]);
      mark = node.Mark();
    } else {
      return mark;
    }
  }
  return mark;
}

/// The definitions of one document, as `take` sees them.
std::vector<YAML::Node> definitions_in(const YAML::Node& document) {
  auto root = document;
  if (root.IsMap() && root["rules"] && root["rules"].IsSequence()) root.reset(root["rules"]);
  std::vector<YAML::Node> out;
  if (root.IsSequence())
    for (const auto& one : root) out.push_back(one);
  else if (root.IsMap())
    out.push_back(root);
  return out;
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

std::string definition_place(std::string_view text, const std::string& name, std::size_t index,
                             std::string_view pointer) {
  std::size_t line = 1;
  try {
    for (const auto part : yaml_documents(text)) { // JSON is YAML, too
      const auto document = read_yaml(part, name, line);
      if (!document) return name;
      const auto all = definitions_in(*document);
      if (index < all.size()) return yaml_place(name, mark_of(all[index], tokens_of(pointer)), line);
      index -= all.size();
      line += static_cast<std::size_t>(std::count(part.begin(), part.end(), '\n'));
    }
  } catch (const std::exception&) { // the text was taken before: no place is better than no complaint
    return name;
  }
  return name;
}

} // namespace tobit::config
