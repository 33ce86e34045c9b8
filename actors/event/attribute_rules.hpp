#pragma once

#include "actors/event/event_limits.hpp"
#include "schemas/error.hpp"

#include <optional>
#include <string>
#include <string_view>

/// What CloudEvents 1.0.2 says about attributes (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md).
namespace tobit::event {

/// Names are lower-case letters and digits; "data" is no attribute.
bool is_attribute_name(std::string_view name, const event_limits& limits) noexcept;

/// A String attribute: no control characters (U+0000–U+001F, U+007F–U+009F). Precondition: valid UTF-8.
bool is_attribute_text(std::string_view text) noexcept;

/// Checks a required or optional text attribute that may not be empty. Nothing: it is well.
std::optional<error> check_text(std::string_view name, std::string_view text, std::size_t size_max);
/// `source`: a non-empty URI-reference. `dataschema`: an absolute URI.
std::optional<error> check_uri(std::string_view name, std::string_view text, bool absolute, std::size_t size_max);

/// Base64 of RFC 4648 §4, with padding.
bool is_base64(std::string_view text) noexcept;
std::string to_base64(std::string_view raw);

/// Percent-decoding of a header value (CloudEvents HTTP binding §3.1.3.2). Nothing if the result is not valid UTF-8.
std::optional<std::string> from_header_value(std::string_view text);

} // namespace tobit::event
