#pragma once

#include "schemas/error.hpp"
#include "schemas/json.hpp"

#include <string>
#include <string_view>

namespace tobit::http {

/// Writes a place in a list as the opaque text that clients hand back (`cursor`): base64url of JSON.
std::string write_cursor(const json& place);

/// Reads it. `size`: how many elements the array must have. Errors: validation_error.
result<json> read_cursor(std::string_view text, std::size_t size);

} // namespace tobit::http
