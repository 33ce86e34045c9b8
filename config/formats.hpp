#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// How values are written: durations, sizes, lists, and the formats that texts must have.
namespace tobit::config {

/// Durations are kept in microseconds: enough for every setting, and a bound of 3,650 days is far from overflow.
using duration_value = std::chrono::microseconds;

/// `500ms`, `30s`, `5m`, `24h`, `7d`, `1h30m`; a bare number is seconds. Nothing if malformed, negative or too large.
std::optional<duration_value> parse_duration(std::string_view text) noexcept;
/// The shortest exact form: `90s` stays `90s`, `60s` becomes `1m`.
std::string format_duration(duration_value value);

/// `512`, `512B`, `64KB`, `10MB`, `1GB` (powers of 1024; `KiB` and its like mean the same). Nothing if malformed.
std::optional<std::int64_t> parse_size(std::string_view text) noexcept;
std::string format_size(std::int64_t bytes);

/// A whole decimal number without anything around it.
std::optional<std::int64_t> parse_integer(std::string_view text) noexcept;
/// true/false, yes/no, on/off, 1/0 in any case.
std::optional<bool> parse_boolean(std::string_view text) noexcept;

/// Entries between commas, without surrounding blanks; empty entries are dropped.
std::vector<std::string> split_list(std::string_view text);

/// What is wrong with `text` for the format (a word of the table's column `limits`), or nothing if it fits.
std::optional<std::string> format_violation(std::string_view format, std::string_view text);
/// The format for people, with an example.
std::string_view format_in_words(std::string_view format) noexcept;

/// A host and a port, apart.
struct host_port {
  std::string host; ///< without brackets
  std::uint16_t port = 0;
};
/// `127.0.0.1:8000`, `[::1]:8000`, `localhost:0`. Nothing if malformed.
std::optional<host_port> parse_host_port(std::string_view text);

} // namespace tobit::config
