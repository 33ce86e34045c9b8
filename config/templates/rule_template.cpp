#include "config/templates/rule_template.hpp"

#include "config/definition_text.hpp"
#include "config/templates/template_files.hpp"
#include "config/templates/template_parameters.hpp"

#include <algorithm>

namespace tobit::config {

namespace {

constexpr std::size_t filled_text_max = 20'000;

std::string in_words(const json& value) { return value.is_string() ? value.get<std::string>() : to_text(value); }

json filled(const std::string& text, const json& values) {
  if (text.starts_with("${") && text.find('}') == text.size() - 1)
    if (const auto whole = values.find(text.substr(2, text.size() - 3)); whole != values.end()) return *whole;
  std::string out;
  for (std::size_t at = 0; at < text.size() && out.size() < filled_text_max;) {
    const auto open = std::min(text.find("${", at), text.size());
    out.append(text, at, open - at);
    if (open == text.size()) break;
    const auto close = text.find('}', open);
    const auto value = close == std::string::npos ? values.end() : values.find(text.substr(open + 2, close - open - 2));
    if (value == values.end()) { // such as a label of PromQL in braces: it stays
      out += "${";
      at = open + 2;
    } else {
      out += in_words(*value);
      at = close + 1;
    }
  }
  return out;
}

json filled_in(const json& written, const json& values) {
  if (written.is_string()) return filled(written.get_ref<const std::string&>(), values);
  auto out = written;
  if (written.is_structured())
    for (auto& member : out) member = filled_in(member, values);
  return out;
}

std::vector<rule_template> read_all() {
  std::vector<rule_template> all;
  // These files are part of the program and tested with it.
  for (const auto& [name, text] : template_files())
    all.push_back(read_template(read_definitions(text, std::string(name)).value().front()).value());
  return all;
}

} // namespace

result<rule_template> read_template(const json& written) {
  for (auto name : {"id", "title", "category", "description"})
    if (!written.is_object() || !written.contains(name) || !written[name].is_string())
      return fail(error_code::validation_error, "A template needs the text '" + std::string(name) + "'.");
  for (auto name : {"parameters", "rule", "example"})
    if (!written.contains(name) || !written[name].is_object())
      return fail(error_code::validation_error, "A template needs the object '" + std::string(name) + "'.");
  rule_template out;
  out.id = written["id"].get<std::string>();
  out.title = written["title"].get<std::string>();
  out.category = written["category"].get<std::string>();
  out.description = written["description"].get<std::string>();
  out.parameters = {{"type", "object"}, {"properties", written["parameters"]}, {"additionalProperties", false}};
  out.parameters["required"] = written.value("required", json::array());
  out.rule = written["rule"];
  out.example = written["example"];
  return out;
}

const std::vector<rule_template>& rule_templates() {
  static const auto all = read_all();
  return all;
}

const rule_template* find_template(std::string_view id) {
  const auto& all = rule_templates();
  const auto found = std::find_if(all.begin(), all.end(), [&](const rule_template& one) { return one.id == id; });
  return found == all.end() ? nullptr : &*found;
}

result<json> fill_in(const rule_template& from, const json& given) {
  auto values = check_parameters(from.parameters, given);
  if (!values) return fail(values.error());
  return filled_in(from.rule, *values);
}

} // namespace tobit::config
