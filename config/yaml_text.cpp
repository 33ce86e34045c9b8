#include "config/yaml_text.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace tobit::config {

namespace {

/// Texts that are safe without quotes whoever reads them; the rest is quoted.
bool plain(const std::string& text) {
  static constexpr std::array<std::string_view, 9> words{"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
  if (text.empty() || text.size() > 200 || text.back() == ' ') return false;
  if (std::isalpha(static_cast<unsigned char>(text.front())) == 0) return false;
  const bool harmless = std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '_' || c == '-' || c == '.' || c == '/' || c == ' ';
  });
  std::string lower = text;
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return harmless && std::find(words.begin(), words.end(), lower) == words.end();
}

void write_text(YAML::Emitter& out, const std::string& text) {
  if (!plain(text)) out << YAML::DoubleQuoted;
  out << text;
}

void write(YAML::Emitter& out, const json& value) {
  if (value.is_object()) {
    if (value.empty()) out << YAML::Flow;
    out << YAML::BeginMap;
    for (const auto& [name, member] : value.items()) {
      out << YAML::Key;
      write_text(out, name);
      out << YAML::Value;
      write(out, member);
    }
    out << YAML::EndMap;
  } else if (value.is_array()) {
    if (std::none_of(value.begin(), value.end(), [](const json& one) { return one.is_structured(); }))
      out << YAML::Flow;
    out << YAML::BeginSeq;
    for (const auto& one : value) write(out, one);
    out << YAML::EndSeq;
  } else if (value.is_string()) {
    write_text(out, value.get_ref<const std::string&>());
  } else {
    out << to_text(value); // numbers, true, false and null are written alike
  }
}

} // namespace

std::string to_yaml(const json& value) {
  YAML::Emitter out;
  out.SetOutputCharset(YAML::EmitNonAscii);
  write(out, value);
  return std::string(out.c_str()) + '\n';
}

std::string to_yaml_documents(const std::vector<json>& definitions) {
  std::string out;
  for (const auto& one : definitions) out += (out.empty() ? "" : "---\n") + to_yaml(one);
  return out;
}

} // namespace tobit::config
