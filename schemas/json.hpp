#pragma once

#include "schemas/error.hpp"

#include <nlohmann/json.hpp>

#include <string>
#include <string_view>

namespace tobit {

using json = nlohmann::json;

/// Deepest nesting that is parsed, in levels. Deeper documents are refused before they can exhaust the stack.
inline constexpr int json_depth_max = 64;

/// Parses untrusted text: valid UTF-8, at most `json_depth_max` levels, no duplicate handling beyond "the last wins",
/// no NaN or infinities. Errors: malformed_json with the byte offset.
result<json> parse_json(std::string_view text);

/// Compact text; bytes that are not UTF-8 become U+FFFD instead of throwing.
std::string to_text(const json& value);

/// Appends one reference token to a JSON pointer, escaped by RFC 6901.
std::string pointer_append(std::string_view pointer, std::string_view token);
std::string pointer_append(std::string_view pointer, std::size_t index);

} // namespace tobit
