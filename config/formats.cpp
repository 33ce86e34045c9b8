#include "config/formats.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <limits>

namespace tobit::config {

namespace {

struct unit_row {
  std::string_view name;
  std::int64_t factor;
};

/// From large to small; `format_duration` relies on it.
constexpr std::array<unit_row, 6> duration_units{
    {{"d", 86'400'000'000}, {"h", 3'600'000'000}, {"m", 60'000'000}, {"s", 1'000'000}, {"ms", 1'000}, {"us", 1}}};
constexpr std::array<unit_row, 9> size_units{{{"GB", 1 << 30},
                                              {"MB", 1 << 20},
                                              {"KB", 1 << 10},
                                              {"GiB", 1 << 30},
                                              {"MiB", 1 << 20},
                                              {"KiB", 1 << 10},
                                              {"kB", 1 << 10},
                                              {"B", 1},
                                              {"", 1}}};

/// `number * factor + sum`, or nothing on overflow.
std::optional<std::int64_t> add_scaled(std::int64_t sum, std::int64_t number, std::int64_t factor) noexcept {
  std::int64_t scaled = 0, total = 0;
  if (__builtin_mul_overflow(number, factor, &scaled) || __builtin_add_overflow(sum, scaled, &total))
    return std::nullopt;
  return total;
}

/// Cuts the digits off the front.
std::optional<std::int64_t> take_number(std::string_view& text) noexcept {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || text.front() == '-') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool letters_digits_or(std::string_view text, std::string_view others) noexcept {
  return std::all_of(text.begin(), text.end(), [others](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || others.find(c) != std::string_view::npos;
  });
}

bool numeric_address(const std::string& host) noexcept {
  in6_addr room{};
  return inet_pton(AF_INET, host.c_str(), &room) == 1 || inet_pton(AF_INET6, host.c_str(), &room) == 1;
}

/// The zone files of the system are the list of known zones; a name must not leave their folder.
bool known_timezone(std::string_view name) {
  if (name == "UTC") return true;
  if (name.empty() || name.size() > 64 || name.find("..") != std::string_view::npos || name.front() == '/' ||
      !letters_digits_or(name, "/_+-"))
    return false;
  std::error_code ignored;
  return std::filesystem::is_regular_file(std::filesystem::path("/usr/share/zoneinfo") / name, ignored);
}

bool http_url(std::string_view text) noexcept {
  for (std::string_view scheme : {"http://", "https://"})
    if (text.substr(0, scheme.size()) == scheme && text.size() > scheme.size() && text[scheme.size()] != '/')
      return text.find_first_of(" \t\r\n\"<>") == std::string_view::npos;
  return false;
}

bool web_origin(std::string_view text) noexcept {
  return http_url(text) && text.find('/', text.find("://") + 3) == std::string_view::npos;
}

/// An entry of the allow list: IP or name, with a port or a prefix length. The outbound client parses it for good.
bool allow_entry(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 300 && letters_digits_or(text, ".:-_/[]*%");
}

bool database_address(std::string_view text) noexcept {
  if (text.find_first_of("\r\n") != std::string_view::npos) return false;
  for (std::string_view scheme : {"postgresql://", "postgres://"})
    if (text.substr(0, scheme.size()) == scheme) return text.size() > scheme.size();
  return text.find("://") == std::string_view::npos; // else a path
}

bool address_with_port(std::string_view text) {
  const auto parsed = parse_host_port(text);
  return parsed && (numeric_address(parsed->host) || parsed->host == "localhost");
}

bool plain_path(std::string_view text) noexcept { return text.find('\0') == std::string_view::npos; }

bool name_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && letters_digits_or(text, "._-");
}

struct format_row {
  std::string_view name;
  bool (*fits)(std::string_view);
  std::string_view words;
};
constexpr std::array<format_row, 9> formats{{
    {"path", [](std::string_view t) { return plain_path(t); }, "a path"},
    {"host:port", [](std::string_view t) { return address_with_port(t); },
     "an IP address and a port, e.g. 127.0.0.1:8000, 0.0.0.0:80 or [::1]:0"},
    {"timezone", [](std::string_view t) { return known_timezone(t); },
     "a time zone of the IANA list, e.g. Asia/Seoul or UTC"},
    {"url", [](std::string_view t) { return http_url(t); }, "an http or https address"},
    {"database-url", [](std::string_view t) { return database_address(t); },
     "postgresql://user:password@host:port/name, or the path of an SQLite file"},
    {"origin", [](std::string_view t) { return web_origin(t); },
     "scheme and host without a path, e.g. https://ops.example:8443"},
    {"address", [](std::string_view t) { return allow_entry(t); },
     "an address, network or name, e.g. 127.0.0.1:9090, 10.0.0.0/8, [::1]:8080 or host.example"},
    {"name", [](std::string_view t) { return name_word(t); }, "1 to 64 letters, digits, '.', '_' or '-'"},
    {"", [](std::string_view) { return true; }, "any text"},
}};

const format_row& format_of(std::string_view name) noexcept {
  for (const auto& row : formats)
    if (row.name == name) return row;
  return formats.back();
}

} // namespace

std::optional<duration_value> parse_duration(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  std::int64_t sum = 0;
  bool first = true;
  while (!text.empty()) {
    const auto number = take_number(text);
    if (!number) return std::nullopt;
    const auto letters = std::min(text.find_first_of("0123456789"), text.size());
    const auto name = text.substr(0, letters);
    text.remove_prefix(letters);
    const auto* unit =
        std::find_if(duration_units.begin(), duration_units.end(), [name](auto& u) { return u.name == name; });
    std::int64_t factor = 0;
    if (unit != duration_units.end())
      factor = unit->factor;
    else if (first && name.empty() && text.empty())
      factor = 1'000'000;
    else
      return std::nullopt;
    const auto total = add_scaled(sum, *number, factor);
    if (!total) return std::nullopt;
    sum = *total;
    first = false;
  }
  return duration_value{sum};
}

std::string format_duration(duration_value value) {
  const auto count = value.count();
  if (count == 0) return "0s";
  const auto unit = std::find_if(duration_units.begin(), duration_units.end(),
                                 [count](const unit_row& u) { return count % u.factor == 0; });
  return std::to_string(count / unit->factor) + std::string(unit->name);
}

std::optional<std::int64_t> parse_size(std::string_view text) noexcept {
  if (text.empty()) return std::nullopt;
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  const auto* unit = std::find_if(size_units.begin(), size_units.end(), [text](auto& u) { return u.name == text; });
  if (unit == size_units.end()) return std::nullopt;
  return add_scaled(0, *number, unit->factor);
}

std::string format_size(std::int64_t bytes) {
  for (std::size_t i = 0; i < 3; ++i)
    if (bytes != 0 && bytes % size_units[i].factor == 0)
      return std::to_string(bytes / size_units[i].factor) + std::string(size_units[i].name);
  return std::to_string(bytes) + "B";
}

std::optional<std::int64_t> parse_integer(std::string_view text) noexcept {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<bool> parse_boolean(std::string_view text) noexcept {
  char lower[6] = {};
  if (text.empty() || text.size() > 5) return std::nullopt;
  std::transform(text.begin(), text.end(), lower, [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const std::string_view word(lower, text.size());
  for (auto yes : {"true", "yes", "on", "1"})
    if (word == yes) return true;
  for (auto no : {"false", "no", "off", "0"})
    if (word == no) return false;
  return std::nullopt;
}

std::vector<std::string> split_list(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  std::vector<std::string> entries;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    auto entry = text.substr(0, comma);
    text.remove_prefix(std::min(comma + 1, text.size()));
    const auto from = entry.find_first_not_of(blanks);
    if (from == std::string_view::npos) continue;
    entries.emplace_back(entry.substr(from, entry.find_last_not_of(blanks) - from + 1));
  }
  return entries;
}

std::optional<std::string> format_violation(std::string_view format, std::string_view text) {
  const auto& row = format_of(format);
  if (row.fits(text)) return std::nullopt;
  return "is not " + std::string(row.words);
}

std::string_view format_in_words(std::string_view format) noexcept { return format_of(format).words; }

std::optional<host_port> parse_host_port(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos || colon == 0) return std::nullopt;
  const auto port = parse_integer(text.substr(colon + 1));
  if (!port || *port < 0 || *port > std::numeric_limits<std::uint16_t>::max()) return std::nullopt;
  auto host = text.substr(0, colon);
  if (host.front() == '[') {
    if (host.size() < 3 || host.back() != ']') return std::nullopt;
    host = host.substr(1, host.size() - 2);
  } else if (host.find(':') != std::string_view::npos) {
    return std::nullopt; // an IPv6 address needs brackets, or its last group would be the port
  }
  return host_port{std::string(host), static_cast<std::uint16_t>(*port)};
}

} // namespace tobit::config
