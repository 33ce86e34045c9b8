#include "config/templates/template_parameters.hpp"

#include "config/setting.hpp"

#include <algorithm>
#include <re2/re2.h>
#include <string>
#include <vector>

namespace tobit::config {

namespace {

constexpr std::size_t text_max_without_limit = 10'000;

tl::unexpected<error> wrong(std::string sentence, std::string pointer) {
  return fail(error_code::validation_error, std::move(sentence), std::move(pointer));
}

bool fits_type(const json& value, const std::string& type) {
  if (type == "string") return value.is_string();
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_number_integer();
  if (type == "boolean") return value.is_boolean();
  return type == "array" && value.is_array();
}

std::string in_words(const json& value) { return value.is_string() ? value.get<std::string>() : to_text(value); }

result<void> check_number(const json& value, const json& schema, const std::string& pointer) {
  const auto number = value.get<double>();
  if (schema.contains("minimum") && number < schema["minimum"].get<double>())
    return wrong("The value is at least " + to_text(schema["minimum"]) + ".", pointer);
  if (schema.contains("exclusiveMinimum") && number <= schema["exclusiveMinimum"].get<double>())
    return wrong("The value is more than " + to_text(schema["exclusiveMinimum"]) + ".", pointer);
  if (schema.contains("maximum") && number > schema["maximum"].get<double>())
    return wrong("The value is at most " + to_text(schema["maximum"]) + ".", pointer);
  return {};
}

result<void> check_text(const std::string& value, const json& schema, const std::string& pointer) {
  if (value.size() < schema.value("minLength", std::size_t{0}))
    return wrong("The text is shorter than " + to_text(schema["minLength"]) + " bytes.", pointer);
  const auto most = schema.value("maxLength", text_max_without_limit);
  if (value.size() > most) return wrong("The text is longer than " + std::to_string(most) + " bytes.", pointer);
  if (schema.contains("pattern") && !re2::RE2::FullMatch(value, schema["pattern"].get<std::string>()))
    return wrong("The text has to fit " + schema["pattern"].get<std::string>() + ".", pointer);
  return {};
}

result<void> check_value(const json& value, const json& schema, const std::string& pointer) {
  const auto type = schema.value("type", "string");
  if (!fits_type(value, type)) return wrong("The value is of the type " + type + ".", pointer);
  if (const auto choices = schema.find("enum");
      choices != schema.end() && std::find(choices->begin(), choices->end(), value) == choices->end()) {
    std::string list;
    for (const auto& one : *choices) list += (list.empty() ? "" : ", ") + in_words(one);
    return wrong("The value is one of " + list + ".", pointer);
  }
  if (value.is_number()) return check_number(value, schema, pointer);
  if (value.is_string()) return check_text(value.get_ref<const std::string&>(), schema, pointer);
  if (!value.is_array()) return {};
  if (value.size() < schema.value("minItems", std::size_t{0}) ||
      value.size() > schema.value("maxItems", std::size_t{100}))
    return wrong("The list has " + std::to_string(schema.value("minItems", std::size_t{0})) + " to " +
                     std::to_string(schema.value("maxItems", std::size_t{100})) + " entries.",
                 pointer);
  for (std::size_t i = 0; i < value.size(); ++i)
    if (auto good = check_value(value[i], schema.value("items", json::object()), pointer_append(pointer, i)); !good)
      return good;
  return {};
}

} // namespace

result<json> check_parameters(const json& schema, const json& given) {
  const std::string root = "/parameters";
  if (!given.is_object() && !given.is_null()) return wrong("The parameters are an object.", root);
  const auto& known = schema.at("properties");
  std::vector<std::string> names;
  for (const auto& [name, type] : known.items()) names.push_back(name);
  for (const auto& [name, value] : given.items()) {
    if (known.contains(name)) continue;
    const auto meant = nearest(name, names);
    return wrong("'" + name.substr(0, 100) + "' is no parameter of this template" +
                     (meant ? "; did you mean '" + *meant + "'?" : std::string(".")),
                 pointer_append(root, name));
  }
  json out = json::object();
  for (const auto& [name, type] : known.items()) {
    const auto pointer = pointer_append(root, name);
    if (given.is_object() && given.contains(name) && !given[name].is_null()) {
      if (auto good = check_value(given[name], type, pointer); !good) return fail(good.error());
      out[name] = given[name];
    } else if (type.contains("default")) {
      out[name] = type["default"];
    } else {
      return wrong("This template needs the parameter '" + name + "': " + type.value("title", name) + ".", pointer);
    }
  }
  return out;
}

} // namespace tobit::config
