#define CAF_SUITE poll_state

#include "actors/poll/poll_state.hpp"

#include <caf/test/unit_test.hpp>

#include <map>
#include <set>

using namespace tobit;
using namespace tobit::poll;
using namespace std::chrono_literals;

namespace {

entity_ref rule(int number) { return {"rule", tenant_id{"default"}, "rule-" + std::to_string(number)}; }

entity::poll_interest every(int seconds, std::string endpoint) {
  entity::poll_interest what;
  what.endpoint = std::move(endpoint);
  what.poll_interval_seconds = seconds;
  return what;
}

struct fixture {
  steady_time now{1h};
  poll_state state{poll_limits{}};
  std::map<std::string, int> readings; ///< by entity
  int polls = 0;

  fixture() { state.observe(now); }

  /// Polls and answers at once whatever is due within the time, in steps of 100 ms.
  void run(std::chrono::microseconds time, bool entities_answer = true) {
    for (const auto end = now + time; now < end;) {
      now += 100ms;
      state.observe(now);
      while (const auto next = state.take()) {
        ++polls;
        const auto outcome = state.finished(next->id).value();
        for (const auto& target : outcome.targets) {
          ++readings[target.ref.key];
          if (entities_answer) state.answered(target.subscriber, target.revision);
        }
      }
    }
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(poll_state_tests, fixture)

CAF_TEST(a metric is read once an interval) {
  state.define(rule(1), 1, every(10, "http://a/"));
  run(10s);
  const auto first = readings[rule(1).key];
  CAF_CHECK(first == 1 || first == 2); // the first one soon, then on the grid
  run(100s);
  CAF_CHECK_EQUAL(readings[rule(1).key], first + 10);
}

CAF_TEST(equal requests are made once for all who want them) {
  for (int i = 0; i < 50; ++i) state.define(rule(i), 1, every(10, "http://a/"));
  state.define(rule(99), 1, every(60, "http://a/"));
  CAF_CHECK_EQUAL(state.requests(), 1u);
  run(20s);
  polls = 0;
  readings.clear();
  run(600s);
  CAF_CHECK_EQUAL(polls, 60); // the slow one's times are among those of the quick ones
  CAF_CHECK_EQUAL(readings[rule(7).key], 60);
  CAF_CHECK_EQUAL(readings[rule(99).key], 10);
}

CAF_TEST(different requests are spread over the interval) {
  for (int i = 0; i < 1'000; ++i) state.define(rule(i), 1, every(10, "http://a/" + std::to_string(i)));
  std::size_t most = 0;
  for (int step = 0; step < 300; ++step) {
    const auto before = polls;
    run(100ms);
    most = std::max(most, static_cast<std::size_t>(polls - before));
  }
  CAF_CHECK(most < 50); // 10 on average
  CAF_CHECK(polls >= 2'500);
}

CAF_TEST(no more polls are under way than concurrency allows) {
  for (int i = 0; i < 20; ++i) state.define(rule(i), 1, every(1, "http://a/" + std::to_string(i)));
  now += 2s;
  state.observe(now);
  std::vector<fetch> taken;
  while (auto next = state.take()) taken.push_back(*next);
  CAF_CHECK_EQUAL(taken.size(), 5u);
  state.finished(taken[0].id);
  CAF_CHECK(state.take().has_value());
  CAF_CHECK(!state.take().has_value());
}

CAF_TEST(an entity that has not answered gets no further reading) {
  state.define(rule(1), 1, every(1, "http://a/"));
  run(10s, false);
  CAF_CHECK_EQUAL(readings[rule(1).key], 1);
}

CAF_TEST(a poll that never answers is given up once and not piled up) {
  state.define(rule(1), 1, every(1, "http://hangs/"));
  state.define(rule(2), 1, every(1, "http://works/"));
  std::uint64_t hanging = 0;
  int given_up = 0;
  for (int step = 0; step < 600; ++step) {
    now += 100ms;
    state.observe(now);
    for (const auto id : state.overdue()) given_up += static_cast<int>(state.give_up(id)->targets.size());
    while (const auto next = state.take()) {
      if (next->what->endpoint == "http://hangs/") {
        CAF_CHECK_EQUAL(hanging, 0u);
        hanging = next->id;
        continue;
      }
      const auto outcome = state.finished(next->id).value();
      for (const auto& target : outcome.targets) state.answered(target.subscriber, target.revision);
    }
  }
  CAF_CHECK_EQUAL(given_up, 1);
  CAF_CHECK_EQUAL(state.under_way(), 0u);
  CAF_CHECK(!state.finished(hanging).has_value()); // arrives after all
  CAF_CHECK(state.take().has_value());
}

CAF_TEST(older versions are ignored and removed entities are left alone) {
  CAF_CHECK(state.define(rule(1), 2, every(1, "http://a/")));
  CAF_CHECK(!state.define(rule(1), 1, every(1, "http://b/")));
  CAF_CHECK(!state.remove(rule(1), 1));
  CAF_CHECK(state.define(rule(1), 3, every(1, "http://c/")));
  CAF_CHECK_EQUAL(state.requests(), 1u);
  run(5s);
  const auto so_far = readings[rule(1).key];
  CAF_CHECK(so_far >= 4);
  CAF_CHECK(state.remove(rule(1), 4));
  CAF_CHECK(!state.define(rule(1), 4, every(1, "http://a/")));
  run(5s);
  CAF_CHECK_EQUAL(readings[rule(1).key], so_far);
  CAF_CHECK_EQUAL(state.requests(), 0u);
  CAF_CHECK_EQUAL(state.subscribers(), 0u);
}

CAF_TEST(who changes or leaves while a poll is under way gets nothing from it) {
  state.define(rule(1), 1, every(1, "http://a/"));
  state.define(rule(2), 1, every(1, "http://a/"));
  now += 2s;
  state.observe(now);
  const auto poll = state.take().value();
  state.remove(rule(1), 2);
  state.define(rule(3), 1, every(1, "http://b/")); // takes the place of rule 1
  const auto outcome = state.finished(poll.id).value();
  CAF_REQUIRE_EQUAL(outcome.targets.size(), 1u);
  CAF_CHECK_EQUAL(outcome.targets[0].ref.key, rule(2).key);
}

CAF_TEST(what is shown of a request holds no secrets) {
  auto what = every(1, "https://user:pass@host/path?token=secret");
  what.headers = json{{"Authorization", "secret"}};
  state.define(rule(1), 1, what);
  now += 2s;
  state.observe(now);
  const auto outcome = state.finished(state.take()->id).value();
  CAF_CHECK_EQUAL(outcome.about, "GET https://host/path");
}

CAF_TEST_FIXTURE_SCOPE_END()
