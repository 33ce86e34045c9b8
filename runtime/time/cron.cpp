#include "runtime/time/cron.hpp"

#include <bit>

namespace tobit {

namespace {

using namespace std::chrono;

constexpr auto latest_year = year{9000};

/// The lowest bit at or above `from`, or -1. Bits above 63 do not exist.
int bit_from(std::uint64_t bits, int from) noexcept {
  if (from > 63) return -1;
  const auto rest = bits & (~std::uint64_t{0} << from);
  return rest == 0 ? -1 : std::countr_zero(rest);
}

unsigned days_in(year_month month) { return unsigned((month / last).day()); }

unsigned weekday_of(year_month month, unsigned day_number) {
  return weekday{sys_days{month / day{day_number}}}.c_encoding();
}

/// The working day nearest to `wanted` without leaving the month.
unsigned nearest_working_day(year_month month, unsigned wanted, unsigned length) {
  const auto falls_on = weekday_of(month, wanted);
  if (falls_on == 6) return wanted > 1 ? wanted - 1 : wanted + 2;
  if (falls_on == 0) return wanted < length ? wanted + 1 : wanted - 2;
  return wanted;
}

std::uint32_t by_day_of_month(const cron_expression& cron, year_month month, unsigned length) {
  auto admitted = cron.days;
  for (auto rest = cron.days_from_last; rest != 0; rest &= rest - 1)
    if (const auto back = unsigned(std::countr_zero(rest)); back < length) admitted |= 1u << (length - back);
  for (auto rest = cron.nearest_working_days; rest != 0; rest &= rest - 1)
    if (const auto wanted = unsigned(std::countr_zero(rest)); wanted <= length)
      admitted |= 1u << nearest_working_day(month, wanted, length);
  if (cron.last_working_day) {
    const auto falls_on = weekday_of(month, length);
    admitted |= 1u << (falls_on == 6 ? length - 1 : falls_on == 0 ? length - 2 : length);
  }
  return admitted;
}

std::uint32_t by_weekday(const cron_expression& cron, year_month month, unsigned length) {
  const auto first = weekday_of(month, 1);
  std::uint64_t week = cron.weekdays;
  week = ((week >> first) | (week << (7 - first))) & 127; // bit 0: the weekday of the first
  auto admitted = static_cast<std::uint32_t>((week | week << 7 | week << 14 | week << 21 | week << 28) << 1);
  for (unsigned d = 0; d < 7; ++d) {
    const auto first_such = 1 + (d + 7 - first) % 7;
    for (unsigned k = 0; k < cron.nth_weekdays.size(); ++k)
      if (cron.nth_weekdays[k] >> d & 1 && first_such + 7 * k <= length) admitted |= 1u << (first_such + 7 * k);
    if (cron.last_weekdays >> d & 1) admitted |= 1u << (first_such + (length - first_such) / 7 * 7);
  }
  return admitted;
}

/// The first admitted second of the day at or after `from`, or -1.
int time_of_day_from(const cron_expression& cron, int from) {
  const int h = from / 3600, m = from / 60 % 60, s = from % 60;
  const int first_minute = bit_from(cron.minutes, 0), first_second = bit_from(cron.seconds, 0);
  if (cron.hours >> h & 1) {
    if (cron.minutes >> m & 1)
      if (const int second = bit_from(cron.seconds, s); second >= 0) return h * 3600 + m * 60 + second;
    if (const int minute = bit_from(cron.minutes, m + 1); minute >= 0) return h * 3600 + minute * 60 + first_second;
  }
  const int hour = bit_from(cron.hours, h + 1);
  return hour < 0 ? -1 : hour * 3600 + first_minute * 60 + first_second;
}

/// The first admitted clock reading at or after `from`.
std::optional<local_seconds> reading_from(const cron_expression& cron, local_seconds from) {
  const auto day_start = floor<days>(from);
  const year_month_day date{day_start};
  year_month month{date.year(), date.month()};
  unsigned first_day = unsigned(date.day());
  if (cron.months >> unsigned(date.month()) & 1 && days_admitted(cron, month) >> first_day & 1)
    if (const int time = time_of_day_from(cron, static_cast<int>((from - day_start).count())); time >= 0)
      return day_start + seconds{time};
  ++first_day;
  for (; month.year() <= latest_year; month += months{1}, first_day = 1) {
    if (!(cron.months >> unsigned(month.month()) & 1)) continue;
    if (const int found = bit_from(days_admitted(cron, month), static_cast<int>(first_day)); found > 0)
      return local_days{month / day{unsigned(found)}} + seconds{time_of_day_from(cron, 0)};
  }
  return std::nullopt;
}

local_seconds reading_at(sys_seconds moment, seconds offset) {
  return local_seconds{moment.time_since_epoch() + offset};
}

std::optional<sys_seconds> next_by_elapsed_time(const cron_expression& cron, const time_zone& zone, sys_seconds from) {
  while (true) {
    const auto span = zone.at(from);
    const auto reading = reading_from(cron, reading_at(from, span.offset));
    if (!reading) return std::nullopt;
    const sys_seconds moment{reading->time_since_epoch() - span.offset};
    if (moment < span.end) return moment;
    from = span.end; // from here on the clocks show other readings
  }
}

std::optional<sys_seconds> next_by_reading(const cron_expression& cron, const time_zone& zone, sys_seconds after) {
  auto from = reading_at(after, zone.at(after).offset) + seconds{1};
  while (true) {
    const auto reading = reading_from(cron, from);
    if (!reading) return std::nullopt;
    const auto moment = zone.first_moment_of(*reading);
    if (moment > after) return moment;
    from = *reading + seconds{1}; // it came before: we are in the second pass of a repeated hour
  }
}

} // namespace

std::uint32_t days_admitted(const cron_expression& cron, year_month month) {
  if (!(cron.months >> unsigned(month.month()) & 1)) return 0;
  const auto length = days_in(month);
  const auto in_month = static_cast<std::uint32_t>((std::uint64_t{1} << (length + 1)) - 2);
  const auto day = by_day_of_month(cron, month, length), weekday = by_weekday(cron, month, length);
  return (cron.any_day || cron.any_weekday ? day & weekday : day | weekday) & in_month;
}

std::optional<utc_time> next_after(const cron_expression& cron, const time_zone& zone, utc_time after) {
  constexpr auto lowest = utc_time{sys_days{year{1900} / 1 / 1}};
  constexpr auto highest = utc_time{sys_days{latest_year / 1 / 1}};
  if (after >= highest) return std::nullopt;
  const auto start = floor<seconds>(std::max(after, lowest));
  const auto moment = cron.follows_elapsed_time ? next_by_elapsed_time(cron, zone, start + seconds{1})
                                                : next_by_reading(cron, zone, start);
  if (!moment) return std::nullopt;
  return utc_time{*moment};
}

} // namespace tobit
