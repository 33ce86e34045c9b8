#include "schemas/time.hpp"

#include <algorithm>
#include <cstdio>

namespace tobit {

namespace {

using namespace std::chrono;

/// Reads `count` digits at `at`; -1 if one of them is not a digit.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return -1;
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

tl::unexpected<error> not_a_time(std::string_view text) {
  return fail(error_code::validation_error, "'" + std::string(text.substr(0, 64)) +
                                                "' is not a time; write it like 2026-11-20T08:30:00Z or "
                                                "2026-11-20T17:30:00.250+09:00 (RFC 3339).");
}

} // namespace

std::string to_rfc3339(utc_time t) {
  constexpr auto lowest = utc_time{sys_days{year{0} / 1 / 1}};
  constexpr auto highest = utc_time{sys_days{year{9999} / 12 / 31} + hours{24} - microseconds{1}};
  t = std::clamp(t, lowest, highest);
  auto day = floor<days>(t);
  year_month_day date{day};
  hh_mm_ss time{t - day};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", int(date.year()), unsigned(date.month()),
                unsigned(date.day()), int(time.hours().count()), int(time.minutes().count()),
                int(time.seconds().count()), int(time.subseconds().count()));
  return text;
}

result<utc_time> parse_rfc3339(std::string_view text) {
  const auto original = text;
  int y = digits(text, 0, 4), mo = digits(text, 5, 2), d = digits(text, 8, 2), h = digits(text, 11, 2),
      mi = digits(text, 14, 2), s = digits(text, 17, 2);
  if (y < 0 || mo < 0 || d < 0 || h < 0 || mi < 0 || s < 0 || text[4] != '-' || text[7] != '-' || text[13] != ':' ||
      text[16] != ':' || (text[10] != 'T' && text[10] != 't' && text[10] != ' '))
    return not_a_time(original);
  year_month_day date{year{y}, month{unsigned(mo)}, day{unsigned(d)}};
  if (!date.ok() || h > 23 || mi > 59 || s > 60) return not_a_time(original);
  text.remove_prefix(19);
  std::int64_t micros = 0;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    std::int64_t unit = 100'000;
    std::size_t n = 0;
    for (; n < text.size() && text[n] >= '0' && text[n] <= '9'; ++n, unit /= 10) micros += (text[n] - '0') * unit;
    if (n == 0) return not_a_time(original);
    text.remove_prefix(n);
  }
  minutes offset{0};
  if (text == "Z" || text == "z") {
    // UTC
  } else if (text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':') {
    int oh = digits(text, 1, 2), om = digits(text, 4, 2);
    if (oh < 0 || oh > 23 || om < 0 || om > 59) return not_a_time(original);
    offset = hours{oh} + minutes{om};
    if (text[0] == '-') offset = -offset;
  } else {
    return not_a_time(original);
  }
  return utc_time{sys_days{date}} + hours{h} + minutes{mi} + seconds{s} + microseconds{micros} - offset;
}

} // namespace tobit
