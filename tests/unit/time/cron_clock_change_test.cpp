#define CAF_SUITE cron_clock_change

#include "runtime/time/cron.hpp"

#include <caf/test/unit_test.hpp>
#include <date/tz.h>

#include <random>
#include <set>

using namespace tobit;
using namespace std::chrono;

namespace {

std::string firings(std::string_view expression, std::string_view zone_name, std::string_view after, int count) {
  const auto cron = parse_cron(expression).value();
  const auto zone = find_time_zone(zone_name).value();
  std::string all;
  auto t = parse_rfc3339(after).value();
  for (int i = 0; i < count; ++i) {
    t = next_after(cron, zone, t).value();
    all += (all.empty() ? "" : " ") + to_rfc3339(t).substr(5, 11);
  }
  return all;
}

/// Admitted values field by field, written out as an expression and as plain sets for an oracle that shares no code.
struct random_schedule {
  std::set<int> minutes, hours, days, months, weekdays;
  bool wildcard_minute = false, wildcard_hour = false, open_day = false, open_weekday = false;

  std::string text() const {
    const auto list = [](const std::set<int>& values) {
      std::string out;
      for (int v : values) out += (out.empty() ? "" : ",") + std::to_string(v);
      return out;
    };
    return (wildcard_minute ? "*" : list(minutes)) + " " + (wildcard_hour ? "*" : list(hours)) + " " +
           (open_day ? "*" : list(days)) + " " + list(months) + " " + (open_weekday ? "*" : list(weekdays));
  }
  bool admits(local_seconds reading) const {
    const auto day = floor<std::chrono::days>(reading);
    const year_month_day date{day};
    const hh_mm_ss time{reading - day};
    const bool day_fits = open_day || days.count(int(unsigned(date.day())));
    const bool weekday_fits = open_weekday || weekdays.count(int(weekday{day}.c_encoding()));
    const bool either = !open_day && !open_weekday ? day_fits || weekday_fits : day_fits && weekday_fits;
    return either && months.count(int(unsigned(date.month()))) &&
           (wildcard_hour || hours.count(int(time.hours().count()))) &&
           (wildcard_minute || minutes.count(int(time.minutes().count()))) && time.seconds().count() == 0;
  }
};

using dice = std::mt19937_64;

std::set<int> some(dice& random, int lowest, int highest, int count) {
  std::set<int> values;
  for (int i = 0; i < count; ++i) values.insert(std::uniform_int_distribution{lowest, highest}(random));
  return values;
}

random_schedule random_one(dice& random) {
  const auto chance = [&](int percent) { return std::uniform_int_distribution{0, 99}(random) < percent; };
  random_schedule s;
  s.wildcard_minute = chance(15);
  s.wildcard_hour = chance(25);
  s.open_day = chance(60);
  s.open_weekday = chance(60);
  s.minutes = some(random, 0, 59, 3);
  s.hours = some(random, 0, 4, 3); // where clocks change
  s.days = some(random, 1, 31, 12);
  s.months = some(random, 1, 12, 24);
  s.weekdays = some(random, 0, 6, 4);
  return s;
}

/// Walks through real time minute by minute and decides for each minute from the rule's words alone.
std::vector<sys_seconds> oracle(const random_schedule& s, const date::time_zone& zone, sys_seconds from,
                                sys_seconds to) {
  std::vector<sys_seconds> fired;
  const bool elapsed = s.wildcard_minute || s.wildcard_hour;
  auto offset_before = zone.get_info(from - 1min).offset;
  for (auto t = from; t < to; t += 1min) {
    const auto offset = zone.get_info(t).offset;
    const auto shows = [](sys_seconds moment, seconds by) { return local_seconds{moment.time_since_epoch() + by}; };
    bool fires = s.admits(shows(t, offset));
    if (!elapsed) {
      // Shown before: the same reading under the earlier offset within the last hours.
      for (auto back = t - 4h; back < t && fires; back += 1min)
        if (shows(back, zone.get_info(back).offset) == shows(t, offset)) fires = false;
      for (auto gap = shows(t, offset_before); gap < shows(t, offset) && !fires; gap += 1min) fires = s.admits(gap);
    }
    if (fires) fired.push_back(t);
    offset_before = offset;
  }
  return fired;
}

struct change {
  const char* zone;
  const char* day; ///< starts a stretch of two days around the change
};
constexpr change changes[] = {
    {"America/New_York", "2026-03-07T12:00:00Z"},    {"America/New_York", "2026-10-31T12:00:00Z"},
    {"Europe/Berlin", "2026-03-28T12:00:00Z"},       {"Europe/Berlin", "2026-10-24T12:00:00Z"},
    {"Australia/Lord_Howe", "2026-04-03T12:00:00Z"}, {"Australia/Lord_Howe", "2026-10-02T12:00:00Z"},
    {"Asia/Seoul", "2026-03-07T12:00:00Z"},          {"America/Santiago", "2026-09-05T12:00:00Z"}};

} // namespace

CAF_TEST(a fixed time that New York skips fires once after the gap) {
  // 2026-03-08 02:00 EST becomes 03:00 EDT, at 07:00 UTC.
  CAF_CHECK_EQUAL(firings("30 2 * * *", "America/New_York", "2026-03-07T00:00:00Z", 3),
                  "03-07T07:30 03-08T07:00 03-09T06:30");
  CAF_CHECK_EQUAL(firings("0,30 2,3 * * *", "America/New_York", "2026-03-08T06:00:00Z", 3),
                  "03-08T07:00 03-08T07:30 03-09T06:00");
}

CAF_TEST(a fixed time that New York repeats fires once) {
  // 2026-11-01 02:00 EDT becomes 01:00 EST, at 06:00 UTC.
  CAF_CHECK_EQUAL(firings("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", 2), "11-01T05:30 11-02T06:30");
  CAF_CHECK_EQUAL(firings("30 1 * * *", "America/New_York", "2026-11-01T06:10:00Z", 1), "11-02T06:30");
}

CAF_TEST(a wildcard follows elapsed time through both changes) {
  CAF_CHECK_EQUAL(firings("0 * * * *", "America/New_York", "2026-03-08T05:30:00Z", 3),
                  "03-08T06:00 03-08T07:00 03-08T08:00");
  CAF_CHECK_EQUAL(firings("0 * * * *", "America/New_York", "2026-11-01T04:30:00Z", 3),
                  "11-01T05:00 11-01T06:00 11-01T07:00");
  CAF_CHECK_EQUAL(firings("*/30 1 * * *", "America/New_York", "2026-11-01T04:30:00Z", 5),
                  "11-01T05:00 11-01T05:30 11-01T06:00 11-01T06:30 11-02T06:00");
  CAF_CHECK_EQUAL(firings("*/30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", 1), "03-09T06:00");
}

CAF_TEST(the half hour of Lord Howe is handled like any other) {
  // 2026-10-04 02:00 +10:30 becomes 02:30 +11 at 15:30 UTC the day before; back on 2026-04-05 02:00 +11 becomes 01:30.
  CAF_CHECK_EQUAL(firings("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2), "10-03T15:30 10-04T15:15");
  CAF_CHECK_EQUAL(firings("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2), "04-04T14:45 04-05T15:15");
  CAF_CHECK_EQUAL(firings("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", 3),
                  "04-04T14:45 04-04T15:15 04-04T16:15");
}

CAF_TEST(Berlin and Seoul fire at their local times) {
  CAF_CHECK_EQUAL(firings("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 3),
                  "03-28T01:30 03-29T01:00 03-30T00:30");
  CAF_CHECK_EQUAL(firings("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), "10-25T00:30 10-26T01:30");
  CAF_CHECK_EQUAL(firings("0 9 * * 1-5", "Asia/Seoul", "2026-11-20T00:00:00Z", 2), "11-23T00:00 11-24T00:00");
}

CAF_TEST(random schedules agree with a walk through every minute around clock changes) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  dice random{seed};
  for (const auto& [zone_name, day] : changes) {
    const auto from = floor<seconds>(parse_rfc3339(day).value());
    const auto zone = find_time_zone(zone_name).value();
    for (int round = 0; round < 12; ++round) {
      const auto schedule = random_one(random);
      const auto cron = parse_cron(schedule.text());
      if (!cron) continue; // the dice may give a day that its months lack
      std::vector<sys_seconds> fired;
      auto t = next_after(*cron, zone, from - 1s);
      for (; t && *t < from + 48h; t = next_after(*cron, zone, *t)) fired.push_back(floor<seconds>(*t));
      const auto expected = oracle(schedule, *date::locate_zone(zone_name), from, from + 48h);
      if (fired != expected)
        CAF_ERROR(zone_name << " '" << schedule.text() << "': " << fired.size() << " firings, expected "
                            << expected.size());
    }
  }
  CAF_CHECK(true);
}

CAF_TEST(asking from any moment gives the next element of the same sequence) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  dice random{seed};
  const auto zone = find_time_zone("America/New_York").value();
  for (auto expression : {"30 1,2 * * *", "*/7 * * * *", "10,40 15 1 * * *", "0 0 L * FRI#2"}) {
    const auto cron = parse_cron(expression).value();
    const auto begin = parse_rfc3339("2026-01-01T00:00:00Z").value();
    for (int i = 0; i < 300; ++i) {
      const auto from = begin + seconds{std::uniform_int_distribution<std::int64_t>{0, 365 * 86'400}(random)};
      const auto next = next_after(cron, zone, from).value();
      const auto between = from + (next - from) / 2;
      CAF_CHECK(next > from);
      CAF_CHECK(next_after(cron, zone, between) == next);
      CAF_CHECK(next_after(cron, zone, next - microseconds{1}) == next);
    }
  }
}
