#pragma once

#include "http/server/server.hpp"
#include "schemas/error.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <string>
#include <string_view>

namespace tobit::http {

/// `{time, code: 0, message: "OK", data, metadata}`.
std::string success_envelope(utc_time now, const json& body, const json& metadata);

/// `{time, code, message, data: {error, pointer?, trace_id}, metadata: null}`; `code` is the error table's value.
/// `details` (an object or null) adds further fields to `data`, e.g. the counts of a refused batch.
std::string error_envelope(utc_time now, const error& why, const std::string& trace, const json& details = nullptr);

/// A trace id as the platform's own headers show it: 8-4-4-4-12 hexadecimal digits.
std::string to_hyphenated(const trace_id& id);

/// A microsecond column as RFC 3339 text; null for 0.
json time_or_null(std::int64_t micros);

} // namespace tobit::http
