#include "config/reference.hpp"

#include <algorithm>

namespace tobit::config {

namespace {

/// A cell of a Markdown table: a bar would end it.
std::string cell(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string code(std::string_view text) { return text.empty() ? "(empty)" : "`" + cell(text) + "`"; }

std::string section_of(std::string_view key) {
  const auto dot = key.find('.');
  return dot == std::string_view::npos ? std::string{} : std::string(key.substr(0, dot));
}

std::string traits(const setting_description& row) {
  std::string out = row.restart ? "at start" : "at once";
  if (row.secret) out += ", secret";
  if (row.operation) out += ", operation setting `" + row.operation_name + "`";
  return out;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

} // namespace

std::string reference_page() {
  std::string out =
      "# Settings\n\n"
      "<!-- Made by `tobit config reference`; the tests compare it. Change config/settings.def instead. -->\n\n"
      "Every setting has a key (YAML file, nested or dotted), an environment variable and a flag of `tobit "
      "serve`.\nLater wins: default < file (`--config`) < environment < flag. An empty variable counts as not "
      "set.\nDurations are written `500ms`, `30s`, `5m`, `24h`, `7d` (a bare number is seconds), sizes `64KB`, "
      "`10MB`\n(powers of 1024), lists with commas or as YAML lists.\n\n"
      "`tobit config list` shows what a node would use and where each value comes from; `tobit config check "
      "FILE`\nfinds every mistake of a file at once.\n";
  std::string section = "-";
  for (const auto& row : setting_table()) {
    const auto of = section_of(row.key);
    if (of != section) out += "\n## " + (of.empty() ? std::string("The node") : of) + "\n";
    section = of;
    out += "\n### `" + std::string(row.key) + "`\n\n" + std::string(row.description) + "\n\n";
    out += "- default " + code(row.initial) + ": " + std::string(row.reason) + "\n";
    out += "- " + std::string(to_string(row.type)) + ": " + limits_in_words(row) + "\n";
    out += "- `" + row.variable + "`, `" + row.flag + "`; takes effect " + traits(row) + "\n";
  }
  return out;
}

std::string listing(const settings& s) {
  std::size_t key_width = 0, value_width = 5;
  for (const auto& row : setting_table()) {
    key_width = std::max(key_width, row.key.size());
    value_width = std::max(value_width, std::min<std::size_t>(s.shown(row.id).size(), 32));
  }
  std::string out = padded("KEY", key_width) + "  " + padded("VALUE", value_width) + "  SOURCE   DESCRIPTION\n";
  const std::string indent(key_width + 2, ' ');
  for (const auto& row : setting_table()) {
    const auto shown = s.shown(row.id);
    out += padded(std::string(row.key), key_width) + "  " + padded(shown.empty() ? "-" : shown, value_width) + "  " +
           padded(std::string(to_string(s.source_of(row.id))), 7) + "  " + std::string(row.description) + "\n";
    out += indent + "default " + (row.initial.empty() ? "-" : std::string(row.initial)) + " · " + row.variable + " · " +
           row.flag + (s.origin(row.id).empty() ? "" : " · set by " + s.origin(row.id)) + "\n";
  }
  return out;
}

json listing_json(const settings& s) {
  json rows = json::array();
  for (const auto& row : setting_table())
    rows.push_back({{"key", row.key},
                    {"value", s.shown(row.id)},
                    {"source", to_string(s.source_of(row.id))},
                    {"origin", s.origin(row.id)},
                    {"default", row.initial},
                    {"type", to_string(row.type)},
                    {"allowed", limits_in_words(row)},
                    {"variable", row.variable},
                    {"flag", row.flag},
                    {"restart_required", row.restart},
                    {"secret", row.secret},
                    {"description", row.description}});
  return json{{"settings", std::move(rows)}};
}

} // namespace tobit::config
