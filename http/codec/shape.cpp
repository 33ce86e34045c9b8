#include "http/codec/shape.hpp"

#include "schemas/time.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

namespace tobit::http {

namespace {

shape of_kind(shape::kind kind) {
  shape s;
  s.is = kind;
  return s;
}

std::string_view kind_name(shape::kind kind) {
  switch (kind) {
  case shape::kind::object:
    return "object";
  case shape::kind::list:
    return "array";
  case shape::kind::text:
    return "string";
  case shape::kind::whole:
    return "integer";
  case shape::kind::number:
    return "number";
  case shape::kind::flag:
    return "boolean";
  case shape::kind::anything:
    break;
  }
  return "value";
}

bool is_of(const json& value, shape::kind kind) {
  switch (kind) {
  case shape::kind::object:
    return value.is_object();
  case shape::kind::list:
    return value.is_array();
  case shape::kind::text:
    return value.is_string();
  case shape::kind::whole:
    return value.is_number_integer();
  case shape::kind::number:
    return value.is_number();
  case shape::kind::flag:
    return value.is_boolean();
  case shape::kind::anything:
    break;
  }
  return true;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// What the user called it: the last step of the pointer, or "The body".
std::string called(const std::string& pointer) {
  return pointer.empty() ? std::string("The body") : "'" + pointer.substr(pointer.rfind('/') + 1) + "'";
}

std::string plain_number(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

bool is_uuid(std::string_view text) {
  if (text.size() != 36) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;
    const char c = text[i];
    const bool hex = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (hyphen ? c != '-' : !hex) return false;
  }
  return true;
}

result<void> check_bounds(double measure, const shape& expected, const std::string& pointer, const char* of_what) {
  if (expected.at_least && measure < *expected.at_least)
    return fail(error_code::validation_error,
                called(pointer) + of_what + " is at least " + plain_number(*expected.at_least) + ".", pointer);
  if (expected.at_most && measure > *expected.at_most)
    return fail(error_code::validation_error,
                called(pointer) + of_what + " is at most " + plain_number(*expected.at_most) + ".", pointer);
  return {};
}

result<void> check_text(const std::string& text, const shape& expected, const std::string& pointer) {
  if (text.find('\0') != std::string::npos) // PostgreSQL's text cannot hold it
    return fail(error_code::validation_error, called(pointer) + " holds a zero byte; leave it out.", pointer);
  if (!expected.one_of.empty() &&
      std::find(expected.one_of.begin(), expected.one_of.end(), text) == expected.one_of.end())
    return fail(error_code::validation_error, called(pointer) + " is one of: " + joined(expected.one_of) + ".",
                pointer);
  if (expected.format == "uuid" && !is_uuid(text))
    return fail(error_code::validation_error, called(pointer) + " is a UUID like 0190f5c2-7b7e-7c33-9c1b-0242ac120002.",
                pointer);
  if (expected.format == "date-time") {
    if (auto time = parse_rfc3339(text); !time)
      return fail(error_code::validation_error, time.error().message, pointer);
  }
  return check_bounds(static_cast<double>(text.size()), expected, pointer, "'s length in bytes");
}

result<void> check_object(json& value, const shape& expected, const std::string& pointer) {
  if (!expected.open) {
    for (const auto& [name, ignored] : value.items()) {
      const auto known = [&name = name](const field& f) { return f.name == name; };
      if (std::any_of(expected.fields.begin(), expected.fields.end(), known)) continue;
      std::vector<std::string> names;
      for (const auto& f : expected.fields) names.push_back(f.name);
      return fail(error_code::validation_error,
                  "The field '" + name.substr(0, 100) + "' is not known here; known are: " + joined(names) + ".",
                  pointer_append(pointer, name));
    }
  }
  for (const auto& f : expected.fields) {
    const auto at = pointer_append(pointer, f.name);
    auto entry = value.find(f.name);
    if (entry == value.end()) {
      if (f.required) return fail(error_code::validation_error, "The field '" + f.name + "' is missing.", at);
      if (!f.type.otherwise.is_null()) value[f.name] = f.type.otherwise;
      continue;
    }
    if (auto checked = check(*entry, f.type, at); !checked) return checked;
  }
  return {};
}

} // namespace

shape shape::described(std::string sentence) const {
  auto s = *this;
  s.about = std::move(sentence);
  return s;
}

shape shape::or_else(json value) const {
  auto s = *this;
  s.otherwise = std::move(value);
  return s;
}

shape shape::or_null() const {
  auto s = *this;
  s.nullable = true;
  return s;
}

shape anything() { return {}; }

shape text(std::size_t shortest, std::size_t longest) {
  auto s = of_kind(shape::kind::text);
  if (shortest > 0) s.at_least = static_cast<double>(shortest);
  s.at_most = static_cast<double>(longest);
  return s;
}

shape choice(std::vector<std::string> allowed) {
  auto s = of_kind(shape::kind::text);
  s.one_of = std::move(allowed);
  return s;
}

shape uuid_text() {
  auto s = of_kind(shape::kind::text);
  s.format = "uuid";
  return s;
}

shape time_text() {
  auto s = of_kind(shape::kind::text);
  s.format = "date-time";
  return s;
}

shape whole(double at_least, double at_most) {
  auto s = of_kind(shape::kind::whole);
  s.at_least = at_least;
  s.at_most = at_most;
  return s;
}

shape number() { return of_kind(shape::kind::number); }
shape flag() { return of_kind(shape::kind::flag); }

shape list_of(shape items, std::size_t longest) {
  auto s = of_kind(shape::kind::list);
  s.items = std::make_shared<const shape>(std::move(items));
  s.at_most = static_cast<double>(longest);
  return s;
}

shape object(std::vector<field> fields) {
  auto s = of_kind(shape::kind::object);
  s.fields = std::move(fields);
  return s;
}

shape open_object(std::vector<field> fields) {
  auto s = object(std::move(fields));
  s.open = true;
  return s;
}

field required(std::string name, shape type) { return {std::move(name), std::move(type), true}; }
field optional(std::string name, shape type) { return {std::move(name), std::move(type), false}; }

result<void> check(json& value, const shape& expected, const std::string& pointer) {
  if (value.is_null() && expected.nullable) return {};
  if (!is_of(value, expected.is))
    return fail(error_code::validation_error,
                called(pointer) + " is of type " + std::string(kind_name(expected.is)) + ".", pointer);
  switch (expected.is) {
  case shape::kind::object:
    return check_object(value, expected, pointer);
  case shape::kind::text:
    return check_text(value.get_ref<const std::string&>(), expected, pointer);
  case shape::kind::whole:
  case shape::kind::number:
    return check_bounds(value.get<double>(), expected, pointer, "");
  case shape::kind::list: {
    if (auto fits = check_bounds(static_cast<double>(value.size()), expected, pointer, "'s length"); !fits) return fits;
    std::size_t index = 0;
    for (auto& item : value)
      if (auto checked = check(item, *expected.items, pointer_append(pointer, index++)); !checked) return checked;
    return {};
  }
  default:
    return {};
  }
}

result<json> read_parameter(std::string_view name, std::string_view value, const shape& expected) {
  const auto refuse = [&](const std::string& must) -> result<json> {
    return fail(error_code::validation_error, "The parameter '" + std::string(name) + "' " + must);
  };
  json read;
  if (expected.is == shape::kind::whole) {
    std::int64_t whole_number = 0;
    const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), whole_number);
    if (wrong != std::errc{} || end != value.data() + value.size()) return refuse("is a whole number.");
    read = whole_number;
  } else if (expected.is == shape::kind::number) {
    double real = 0;
    const auto [end, wrong] = std::from_chars(value.data(), value.data() + value.size(), real);
    if (wrong != std::errc{} || end != value.data() + value.size() || !std::isfinite(real))
      return refuse("is a number.");
    read = real;
  } else if (expected.is == shape::kind::flag) {
    if (value == "true" || value == "1")
      read = true;
    else if (value == "false" || value == "0")
      read = false;
    else
      return refuse("is true or false.");
  } else {
    read = std::string(value);
  }
  if (auto checked = check(read, expected, "/" + std::string(name)); !checked)
    return fail(error_code::validation_error, "The parameter " + checked.error().message);
  return read;
}

json to_json_schema(const shape& described) {
  if (!described.schema.is_null()) return described.schema;
  json out = json::object();
  const bool with_bounds = described.is != shape::kind::anything;
  if (with_bounds) {
    if (described.nullable)
      out["type"] = json::array({kind_name(described.is), "null"});
    else
      out["type"] = kind_name(described.is);
  }
  if (!described.about.empty()) out["description"] = described.about;
  if (!described.format.empty()) out["format"] = described.format;
  if (!described.one_of.empty()) out["enum"] = described.one_of;
  if (!described.otherwise.is_null()) out["default"] = described.otherwise;
  const auto bound = [&](const std::optional<double>& value, const char* name) {
    if (value && with_bounds) out[name] = static_cast<std::int64_t>(*value);
  };
  if (described.is == shape::kind::text)
    bound(described.at_least, "minLength"), bound(described.at_most, "maxLength");
  else if (described.is == shape::kind::list)
    bound(described.at_least, "minItems"), bound(described.at_most, "maxItems");
  else
    bound(described.at_least, "minimum"), bound(described.at_most, "maximum");
  if (described.items) out["items"] = to_json_schema(*described.items);
  if (described.is == shape::kind::object) {
    json properties = json::object(), must = json::array();
    for (const auto& f : described.fields) {
      properties[f.name] = to_json_schema(f.type);
      if (f.required) must.push_back(f.name);
    }
    if (!properties.empty()) out["properties"] = std::move(properties);
    if (!must.empty()) out["required"] = std::move(must);
    if (!described.open) out["additionalProperties"] = false;
  }
  return out;
}

} // namespace tobit::http
