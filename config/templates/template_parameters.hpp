#pragma once

#include "schemas/error.hpp"
#include "schemas/json.hpp"

namespace tobit::config {

/// Checks values against the schema of a template and fills in defaults. Of JSON Schema it knows what templates use:
/// type (string, number, integer, boolean, array), enum, default, minimum, maximum, exclusiveMinimum, minLength,
/// maxLength, pattern (RE2, the whole text), items, minItems, maxItems, required. Errors: validation_error with the
/// pointer below `/parameters`.
result<json> check_parameters(const json& schema, const json& given);

} // namespace tobit::config
