#define CAF_SUITE ledger_state

#include "actors/schedule/ledger_state.hpp"

#include <caf/test/unit_test.hpp>

#include <malloc.h>
#include <memory>
#include <set>

using namespace tobit;
using namespace tobit::schedule;
using namespace std::chrono_literals;

namespace {

entity_ref rule(int number) { return {"rule", tenant_id{"default"}, "rule-" + std::to_string(number)}; }

schedule_spec every(int seconds, std::string_view overlap = "skip", int jitter = 0) {
  return compile_schedule(
             parse_schedule({{"interval_seconds", seconds}, {"overlap", overlap}, {"jitter_seconds", jitter}}).value())
      .value();
}
schedule_spec hourly() { return compile_schedule(parse_schedule({{"cron", "0 * * * *"}}).value()).value(); }

struct fixture {
  utc_time now = parse_rfc3339("2026-11-20T12:00:00Z").value();
  steady_time steady{1h};
  ledger_limits limits;
  ledger_state state{limits};

  fixture() { state.observe(now, steady); }

  void advance(std::chrono::microseconds by) {
    now += by;
    steady += by;
    state.observe(now, steady);
  }
  void set_clock(std::chrono::microseconds by) {
    now += by;
    state.observe(now, steady);
  }
  /// Lets everything due pass to its entity, which answers at once. Returns how many ticks fired.
  int pass() {
    int fired = 0;
    for (auto claims = state.take_due(100); !claims.empty(); claims = state.take_due(100)) {
      for (const auto& c : claims) state.commit(c);
      while (auto d = state.next_delivery()) fired += state.answered(d->tick).has_value();
    }
    return fired;
  }
  /// Delivers what is due without answering.
  std::vector<delivery> deliver() {
    for (const auto& c : state.take_due(100)) state.commit(c);
    std::vector<delivery> out;
    while (auto d = state.next_delivery()) out.push_back(*d);
    return out;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(ledger_state_tests, fixture)

CAF_TEST(a schedule fires at each due time and not in between) {
  CAF_CHECK(state.define(rule(1), 1, every(10)).has_value());
  CAF_CHECK_EQUAL(pass(), 0);
  advance(9s);
  CAF_CHECK_EQUAL(pass(), 0);
  advance(1s);
  CAF_CHECK_EQUAL(pass(), 1);
  CAF_CHECK_EQUAL(pass(), 0);
  advance(10s);
  CAF_CHECK_EQUAL(pass(), 1);
}

CAF_TEST(an older version is ignored and a newer one replaces the schedule) {
  state.define(rule(1), 5, every(10));
  CAF_CHECK(!state.define(rule(1), 4, every(1)).has_value());
  CAF_CHECK(!state.define(rule(1), 6, every(10)).has_value()); // the same schedule: nothing to write
  CAF_CHECK(!state.remove(rule(1), 5));
  CAF_CHECK(state.define(rule(1), 7, every(60)).has_value());
  advance(30s);
  CAF_CHECK_EQUAL(pass(), 0);
  CAF_CHECK(state.remove(rule(1), 8));
  CAF_CHECK(!state.define(rule(1), 7, every(1)).has_value()); // came late
  advance(60s);
  CAF_CHECK_EQUAL(pass(), 0);
  CAF_CHECK_EQUAL(state.schedules(), 0u);
  CAF_CHECK(state.define(rule(1), 9, every(1)).has_value());
}

CAF_TEST(a clock set back repeats nothing and does not stop intervals) {
  state.define(rule(1), 1, every(10));
  state.define(rule(2), 1, hourly());
  advance(1h);
  CAF_CHECK_EQUAL(pass(), 2);
  set_clock(-30min);
  CAF_CHECK_EQUAL(pass(), 0);
  advance(10s);
  CAF_CHECK_EQUAL(pass(), 1); // the interval goes on
  advance(29min + 50s);
  CAF_CHECK_EQUAL(pass(), 1); // 13:00 comes again: the cron schedule has had it
  advance(1h);
  CAF_CHECK_EQUAL(pass(), 2);
}

CAF_TEST(a clock set forward makes ticks missed once) {
  state.define(rule(1), 1, every(10));
  state.define(rule(2), 1, hourly());
  set_clock(5h);
  const auto ticks = deliver();
  CAF_REQUIRE_EQUAL(ticks.size(), 2u);
  CAF_CHECK_EQUAL(ticks[0].missed, 4); // 13:00 to 16:00 for 17:00
  CAF_CHECK_EQUAL(ticks[1].missed, 200);
}

CAF_TEST(the clock set back and right again costs an interval nothing) {
  state.define(rule(1), 1, every(10));
  set_clock(-1h);
  advance(10s);
  CAF_CHECK_EQUAL(pass(), 1);
  set_clock(1h);
  CAF_CHECK_EQUAL(pass(), 0);
  advance(10s);
  CAF_CHECK_EQUAL(pass(), 1);
}

CAF_TEST(jitter delays within its bound and spreads schedules) {
  std::set<utc_time> times;
  for (int i = 0; i < 50; ++i) state.define(rule(i), 1, every(60, "skip", 30));
  advance(60s);
  int fired = pass();
  CAF_CHECK(fired < 10);
  for (int i = 0; i < 30; ++i) {
    advance(1s);
    const auto more = pass();
    CAF_CHECK(more < 12);
    fired += more;
  }
  CAF_CHECK_EQUAL(fired, 50);
}

CAF_TEST(a refused tick is repeated with growing pauses and then raised as overdue) {
  state.define(rule(1), 1, every(3600));
  advance(1h);
  auto ticks = deliver();
  CAF_REQUIRE_EQUAL(ticks.size(), 1u);
  int attempts = 0;
  std::optional<settlement> over;
  for (int second = 0; second < 600 && !over; ++second) {
    for (const auto& d : ticks) {
      ++attempts;
      over = state.refused(d.tick, error{error_code::overloaded});
    }
    advance(1s);
    ticks = deliver();
  }
  CAF_REQUIRE(over.has_value());
  CAF_CHECK_EQUAL(std::string(over->status), "overdue");
  CAF_CHECK_EQUAL(attempts, 15); // after 1, 2, 4, 8, 16 and then every 30 seconds
  CAF_CHECK_EQUAL(state.open_ticks(), 0u);
}

CAF_TEST(a refusal that cannot get better settles the tick as failed) {
  state.define(rule(1), 1, every(10));
  advance(10s);
  const auto over = state.refused(deliver().at(0).tick, error{error_code::quarantined});
  CAF_REQUIRE(over.has_value());
  CAF_CHECK_EQUAL(std::string(over->status), "failed");
  CAF_CHECK(!over->reason.empty());
}

CAF_TEST(an open tick keeps its row however many others come by) {
  state.define(rule(1), 1, every(1, "allow"));
  advance(1s);
  const auto first = deliver().at(0);
  std::set<std::uint32_t> places;
  std::uint32_t first_place = 0;
  for (int i = 0; i < 100; ++i) {
    advance(1s);
    for (const auto& d : deliver()) places.insert(state.answered(d.tick)->place);
  }
  first_place = state.answered(first.tick)->place;
  CAF_CHECK_EQUAL(places.count(first_place), 0u);
  CAF_CHECK_EQUAL(places.size(), 19u);
}

CAF_TEST(the bounds on open and delivered ticks hold) {
  ledger_limits small;
  small.in_flight_max = 3;
  small.open_max = 5;
  ledger_state bounded{small};
  bounded.observe(now, steady);
  for (int i = 0; i < 20; ++i) bounded.define(rule(i), 1, every(1));
  bounded.observe(now + 1s, steady + 1s);
  const auto claims = bounded.take_due(100);
  CAF_CHECK_EQUAL(claims.size(), 5u);
  for (const auto& c : claims) bounded.commit(c);
  CAF_CHECK(bounded.take_due(100).empty());
  int delivered = 0;
  while (bounded.next_delivery()) ++delivered;
  CAF_CHECK_EQUAL(delivered, 3);
}

CAF_TEST(a queued schedule works off what came due meanwhile one after the other) {
  state.define(rule(1), 1, every(10, "queue"));
  advance(10s);
  const auto slow = deliver();
  CAF_REQUIRE_EQUAL(slow.size(), 1u);
  for (int i = 0; i < 5; ++i) {
    advance(10s);
    CAF_CHECK_EQUAL(deliver().size(), 0u);
  }
  state.answered(slow[0].tick);
  auto expected = slow[0].due;
  for (int i = 0; i < 5; ++i) {
    const auto next = deliver();
    CAF_REQUIRE_EQUAL(next.size(), 1u);
    expected += 10s;
    CAF_CHECK(next[0].due == expected);
    state.answered(next[0].tick);
  }
  CAF_CHECK_EQUAL(deliver().size(), 0u);
}

CAF_TEST(a schedule costs at most 300 bytes) {
  constexpr int count = 100'000;
  const auto spec = hourly();
  const auto before = mallinfo2().uordblks;
  auto many = std::make_unique<ledger_state>(limits);
  many->observe(now, steady);
  for (int i = 0; i < count; ++i) {
    auto number = std::to_string(i);
    many->define({"rule", tenant_id{"default"}, std::string(36 - number.size(), '0') + number}, 1, spec);
  }
  const auto each = (mallinfo2().uordblks - before) / count;
  CAF_MESSAGE(each << " bytes each");
  CAF_CHECK(each <= 300);
}

CAF_TEST_FIXTURE_SCOPE_END()
