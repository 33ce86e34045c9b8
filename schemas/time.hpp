#pragma once

#include "schemas/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace tobit {

/// A moment of the calendar, UTC, in microseconds. Stored as a 64-bit count of microseconds since 1970.
using utc_time = std::chrono::sys_time<std::chrono::microseconds>;

/// A moment of this node's monotonic clock. Never stored, never sent: on the wire a deadline is the time that is left.
using steady_time = std::chrono::time_point<std::chrono::steady_clock, std::chrono::microseconds>;

constexpr std::int64_t to_micros(utc_time t) noexcept { return t.time_since_epoch().count(); }
constexpr utc_time from_micros(std::int64_t micros) noexcept { return utc_time{std::chrono::microseconds{micros}}; }

/// RFC 3339 with microseconds and `Z`, e.g. `2026-11-20T08:30:00.000000Z`. Years outside 0000–9999 are clamped.
std::string to_rfc3339(utc_time t);

/// Parses an RFC 3339 timestamp; fractional seconds beyond microseconds are cut, `Z` or a numeric offset is required.
/// Errors: validation_error with a sentence that shows the expected form.
result<utc_time> parse_rfc3339(std::string_view text);

} // namespace tobit
