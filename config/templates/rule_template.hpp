#pragma once

#include "schemas/error.hpp"
#include "schemas/json.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tobit::config {

/// A rule with blanks to fill in.
struct rule_template {
  std::string id, title, category, description;
  json parameters; ///< JSON Schema (draft 2020-12) of an object: what can be filled in, with defaults
  json rule;       ///< texts hold `${name}`
  json example;    ///< {parameters?, before?, fires, silent}: for the tests and for people
};

/// The library, in the order of this folder's CMakeLists.txt.
const std::vector<rule_template>& rule_templates();

/// The template of this id, or null.
const rule_template* find_template(std::string_view id);

/// Reads a template. Errors: a sentence that says what is missing.
result<rule_template> read_template(const json& written);

/// The rule with the blanks filled in. A text that is nothing but `${name}` becomes the parameter's value with its
/// type; within a text values are written into it. Errors: validation_error with a pointer below `/parameters`.
result<json> fill_in(const rule_template& from, const json& given);

} // namespace tobit::config
