#pragma once

#include "schemas/json.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace tobit::rule {

/// The JSON Schema (2020-12) of a rule as users write it (`schemas/rule/rule.schema.json`), for the OpenAPI document
/// and editors. The compile step checks more, and with better sentences; a test holds both to one table of rules.
const json& rule_schema();

/// The embedded files of this folder: name and text.
const std::vector<std::pair<std::string_view, std::string_view>>& rule_schema_files();

} // namespace tobit::rule
