#include "runtime/time/time_zone.hpp"

#include <date/tz.h>

#include <algorithm>
#include <string>

namespace tobit {

namespace {

bool same_ignoring_case(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view city_of(std::string_view name) { return name.substr(name.rfind('/') + 1); }

/// A name that the writer may have meant: the same in other case, or the city without or with another region.
std::string_view likely_meant(const date::tzdb& database, std::string_view name) {
  auto spaceless = std::string(name);
  std::replace(spaceless.begin(), spaceless.end(), ' ', '_');
  for (const auto& zone : database.zones)
    if (same_ignoring_case(zone.name(), spaceless)) return zone.name();
  for (const auto& zone : database.zones)
    if (same_ignoring_case(city_of(zone.name()), city_of(spaceless))) return zone.name();
  return "Asia/Seoul";
}

} // namespace

std::string_view time_zone::name() const noexcept { return zone_->name(); }

offset_span time_zone::at(std::chrono::sys_seconds moment) const {
  const auto info = zone_->get_info(moment);
  return {info.begin, info.end, info.offset};
}

std::chrono::sys_seconds time_zone::first_moment_of(std::chrono::local_seconds reading) const {
  const auto info = zone_->get_info(date::local_seconds{reading.time_since_epoch()});
  if (info.result == date::local_info::nonexistent) return info.second.begin;
  return std::chrono::sys_seconds{reading.time_since_epoch() - info.first.offset};
}

result<time_zone> find_time_zone(std::string_view name) {
  const date::tzdb* database = nullptr;
  try {
    database = &date::get_tzdb();
  } catch (const std::exception&) {
    return fail(error_code::configuration_error,
                "This machine has no time zone database; install the package 'tzdata'.");
  }
  try {
    return time_zone{date::locate_zone(name)};
  } catch (const std::exception&) {
    return fail(error_code::validation_error, "The time zone '" + std::string(name.substr(0, 64)) +
                                                  "' is not known; write an IANA name such as '" +
                                                  std::string(likely_meant(*database, name)) + "'.");
  }
}

} // namespace tobit
