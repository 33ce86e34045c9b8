#define CAF_SUITE tick_policy

#include "actors/schedule/tick_policy.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::schedule;
using namespace std::chrono_literals;

namespace {

const utc_time noon = parse_rfc3339("2026-11-20T12:00:00Z").value();

schedule_spec every_minute(std::string_view missed, std::string_view overlap = "skip", bool cron = false) {
  json spec{{"missed", missed}, {"overlap", overlap}, {"missed_max", 5}};
  if (cron)
    spec["cron"] = "* * * * *";
  else
    spec["interval_seconds"] = 60;
  return compile_schedule(parse_schedule(spec).value()).value();
}

/// The decision about a schedule whose next tick was due at noon.
tick_decision decide(const schedule_spec& spec, std::chrono::microseconds late, unsigned open = 0,
                     bool retrying = false, bool in_order = false) {
  return decide_tick({spec, noon, noon, noon, noon + late, open, retrying, in_order}, tick_limits{});
}

std::string shown(const tick_decision& d) {
  const auto minute = [](std::optional<utc_time> t) { return t ? to_rfc3339(*t).substr(11, 5) : std::string("never"); };
  if (d.action == tick_action::wait) return d.in_order ? "wait in order" : "wait";
  return (d.action == tick_action::fire ? "fire " : "skip ") + minute(d.due) + "+" + std::to_string(d.missed) +
         (d.reason.empty() ? "" : " " + std::string(d.reason)) + " next " + minute(d.next_due) +
         (d.in_order ? " in order" : "");
}

} // namespace

CAF_TEST(a tick in time fires under every policy) {
  for (auto missed : {"skip", "once", "all"})
    for (auto overlap : {"skip", "queue", "allow"})
      for (bool cron : {false, true}) {
        CAF_CHECK_EQUAL(shown(decide(every_minute(missed, overlap, cron), 0s)), "fire 12:00+0 next 12:01");
        CAF_CHECK_EQUAL(shown(decide(every_minute(missed, overlap, cron), 9s)), "fire 12:00+0 next 12:01");
      }
}

CAF_TEST(missed ticks are skipped as one but a merely late one still fires) {
  for (bool cron : {false, true}) {
    const auto spec = every_minute("skip", "skip", cron);
    CAF_CHECK_EQUAL(shown(decide(spec, 30s)), "skip 12:00+0 missed next 12:01");
    CAF_CHECK_EQUAL(shown(decide(spec, 10min + 30s)), "skip 12:00+10 missed next 12:11");
    CAF_CHECK_EQUAL(shown(decide(spec, 10min + 5s)), "skip 12:00+9 missed next 12:10");
  }
}

CAF_TEST(once fires the latest missed tick for all of them) {
  for (bool cron : {false, true}) {
    CAF_CHECK_EQUAL(shown(decide(every_minute("once", "skip", cron), 30s)), "fire 12:00+0 next 12:01");
    CAF_CHECK_EQUAL(shown(decide(every_minute("once", "skip", cron), 10min + 30s)), "fire 12:10+10 next 12:11");
  }
}

CAF_TEST(all fires missed ticks in order and skips what exceeds the bound at its old end) {
  for (bool cron : {false, true}) {
    const auto spec = every_minute("all", "skip", cron);
    CAF_CHECK_EQUAL(shown(decide(spec, 2min + 30s)), "fire 12:00+0 next 12:01 in order");
    CAF_CHECK_EQUAL(shown(decide(spec, 30s)), "fire 12:00+0 next 12:01");
    CAF_CHECK_EQUAL(shown(decide(spec, 10min + 30s)), "skip 12:00+5 backlog next 12:06 in order");
  }
}

CAF_TEST(a backlog waits for the tick before instead of being skipped) {
  const auto spec = every_minute("all");
  CAF_CHECK_EQUAL(shown(decide(spec, 2min, 1, false, true)), "wait in order");
  CAF_CHECK_EQUAL(shown(decide(spec, 2min, 0, false, true)), "fire 12:00+0 next 12:01 in order");
  CAF_CHECK_EQUAL(shown(decide(spec, 30s, 0, false, true)), "fire 12:00+0 next 12:01");
}

CAF_TEST(what was missed waits for a tick of the last run) {
  for (auto missed : {"skip", "once", "all"}) CAF_CHECK_EQUAL(shown(decide(every_minute(missed), 1h, 1)), "wait");
}

CAF_TEST(overlap decides what happens while a tick is under way) {
  CAF_CHECK_EQUAL(shown(decide(every_minute("once", "skip"), 1s, 1)), "skip 12:00+0 overlap next 12:01");
  CAF_CHECK_EQUAL(shown(decide(every_minute("once", "queue"), 1s, 1)), "wait in order");
  CAF_CHECK_EQUAL(shown(decide(every_minute("once", "allow"), 1s, 1)), "fire 12:00+0 next 12:01");
  CAF_CHECK_EQUAL(shown(decide(every_minute("once", "allow"), 1s, 8)), "skip 12:00+0 overlap next 12:01");
  CAF_CHECK_EQUAL(shown(decide(every_minute("once", "allow"), 1s, 1, true)), "wait");
}

CAF_TEST(the newest due times are the same however far back the first one is) {
  for (auto cron : {"* * * * *", "*/7 * * * *", "0 3 * * MON", "0 0 29 2 *", "* * * * * *"}) {
    const auto spec = compile_schedule(parse_schedule({{"cron", cron}}).value()).value();
    const auto first = next_due(spec, noon, noon - 24h * 366 * 9).value();
    if (std::string_view(cron) == "* * * * * *") {
      const auto newest = newest_due_times(spec, noon, noon - 24h, noon, 100);
      CAF_CHECK_EQUAL(newest.size(), 100u);
      CAF_CHECK(newest.front() == noon - 99s);
      continue;
    }
    std::vector<utc_time> all{first};
    while (auto t = next_due(spec, noon, all.back())) {
      if (*t > noon || all.size() > 200'000) break;
      all.push_back(*t);
    }
    if (all.size() > 200'000) continue;
    for (std::size_t count : {1u, 2u, 100u}) {
      const auto newest = newest_due_times(spec, noon, first, noon, count);
      const auto expected = std::min(count, all.size());
      CAF_REQUIRE_EQUAL(newest.size(), expected);
      CAF_CHECK(std::equal(newest.begin(), newest.end(), all.end() - static_cast<std::ptrdiff_t>(expected)));
    }
  }
}
