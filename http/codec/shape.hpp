#pragma once

#include "schemas/error.hpp"
#include "schemas/json.hpp"

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::http {

struct field;

/// What a value of a request or an answer looks like. One description serves three masters: bodies and parameters are
/// checked by it, the OpenAPI document and the reference page are written from it.
struct shape {
  enum class kind { anything, object, list, text, whole, number, flag };

  kind is = kind::anything;
  std::string about;                       ///< one sentence for the documentation
  std::string format;                      ///< "uuid" and "date-time" are checked, others only shown
  std::optional<double> at_least, at_most; ///< of the number, the text's length in bytes, or the list's length
  std::vector<std::string> one_of;         ///< the only texts allowed, if not empty
  std::vector<field> fields;               ///< of an object
  bool open = false;                       ///< an object may have further fields
  bool nullable = false;
  std::shared_ptr<const shape> items; ///< of a list
  json schema;                        ///< shown in the OpenAPI document instead of what would be derived; null: derive
  json otherwise;                     ///< filled in where the field is missing; null: nothing

  shape described(std::string text) const;
  shape or_else(json value) const;
  shape or_null() const;
};

/// One field of an object.
struct field {
  std::string name;
  shape type;
  bool required = false;
};

shape anything();
shape text(std::size_t shortest = 0, std::size_t longest = 100'000);
shape choice(std::vector<std::string> allowed);
shape uuid_text();
shape time_text(); ///< RFC 3339
shape whole(double at_least, double at_most);
shape number();
shape flag();
shape list_of(shape items, std::size_t longest = 10'000);
shape object(std::vector<field> fields); ///< closed: other fields are refused
shape open_object(std::vector<field> fields = {});
field required(std::string name, shape type);
field optional(std::string name, shape type);

/// Checks `value` and fills in defaults. Errors: validation_error with the pointer of the first offending field.
result<void> check(json& value, const shape& expected, const std::string& pointer = {});

/// Reads a parameter's text as the type its shape names and checks it. Errors: validation_error; the pointer is empty.
result<json> read_parameter(std::string_view name, std::string_view text, const shape& expected);

/// The JSON Schema (draft 2020-12, as OpenAPI 3.1 uses it).
json to_json_schema(const shape& described);

} // namespace tobit::http
