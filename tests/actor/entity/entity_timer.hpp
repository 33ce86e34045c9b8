// Entities woken by time, whatever happens. Included once per database; TOBIT_TESTED_KIND names it.
#include "tests/support/entity_fixture.hpp"

using namespace tobit;
using namespace tobit::testing;
using counter::alarm_counter;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
struct fixture : entity_fixture<TOBIT_TESTED_KIND> {
  fixture() {
    options.wake.look_every = std::chrono::hours{1};
    start();
    define();
  }
  std::int64_t in(seconds from_now) const { return to_micros(time.now() + from_now); }
  result<message> alarm(seconds from_now, std::int64_t then_us = 0, bool fails = false, std::string key = "a") {
    return ask(ref(std::move(key)), message::of(alarm_counter{in(from_now), then_us, fails}));
  }
  std::int64_t stored_wake() { return rows("SELECT COALESCE(wake_at, 0) FROM entity WHERE entity_key = 'a'"); }
  /// The position of the last journaled decision: a wake that decides nothing does not move it.
  std::int64_t position() { return inspect()["journal"]["position"].get<std::int64_t>(); }
  std::size_t residents() const { return node->residents().size(); }
};
} // namespace

CAF_TEST_FIXTURE_SCOPE(entity_timer, fixture)

CAF_TEST(an entity is woken at the time it asked for and not before) {
  alarm(seconds{10});
  pass(milliseconds{9'999});
  CAF_CHECK_EQUAL(get(), 1);
  pass(milliseconds{1});
  CAF_CHECK_EQUAL(get(), 101);
  for (int i = 0; i < 20; ++i) pass(seconds{5});
  CAF_CHECK_EQUAL(get(), 101);
  CAF_CHECK_EQUAL(stored_wake(), 0);
}

CAF_TEST(the wake time is durable with the decision and shown) {
  const auto at = in(seconds{10});
  alarm(seconds{10});
  CAF_CHECK_EQUAL(stored_wake(), at);
  const auto timers = inspect()["timers"];
  CAF_REQUIRE_EQUAL(timers.size(), 1u);
  CAF_CHECK_EQUAL(timers[0]["wake_at"], to_rfc3339(from_micros(at)));
}

CAF_TEST(a later time is not written and the wake at the old time does nothing) {
  const auto at = in(seconds{10});
  alarm(seconds{10});
  alarm(seconds{60});
  CAF_CHECK_EQUAL(stored_wake(), at);
  const auto before = position();
  pass(seconds{10});
  CAF_CHECK_EQUAL(position(), before);
  CAF_CHECK_EQUAL(get(), 2);
  CAF_CHECK_EQUAL(stored_wake(), at + 50'000'000);
  for (int i = 0; i < 10; ++i) pass(seconds{5});
  CAF_CHECK_EQUAL(get(), 102);
}

CAF_TEST(an earlier time is written and kept) {
  alarm(seconds{60});
  alarm(seconds{5});
  CAF_CHECK_EQUAL(stored_wake(), in(seconds{5}));
  pass(seconds{5});
  CAF_CHECK_EQUAL(get(), 102);
}

CAF_TEST(an entity that wants one wake after the other gets each) {
  alarm(seconds{1}, 1'000'000);
  for (int i = 0; i < 10; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 1'001);
}

CAF_TEST(an entity that wants the next wake at once leaves others their turn) {
  alarm(seconds{1}, 1);
  pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 101);
  for (int i = 0; i < 5; ++i) pass(milliseconds{20});
  CAF_CHECK_EQUAL(get(), 601);
}

CAF_TEST(a time in the past means at once) {
  ask(ref(), message::of(alarm_counter{1, 0, false}));
  pass(milliseconds{1});
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(an entity that left memory is woken again) {
  options.idle_after = seconds{20};
  options.sweep_every = seconds{1};
  stop();
  start();
  alarm(seconds{100});
  for (int i = 0; i < 30; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(residents(), 0u);
  for (int i = 0; i < 13; ++i) pass(seconds{5});
  CAF_CHECK_EQUAL(residents(), 0u);
  pass(seconds{5});
  CAF_CHECK_EQUAL(residents(), 1u);
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(a wake survives a stop and a death) {
  alarm(seconds{10});
  stop();
  start();
  kill();
  start();
  CAF_CHECK_EQUAL(residents(), 0u);
  pass(seconds{5});
  pass(seconds{5});
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(a time that passed while no node ran wakes at the start) {
  alarm(seconds{10});
  kill();
  advance_time(seconds{100});
  start();
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(a death between the wake and its decision loses nothing and repeats nothing) {
  alarm(seconds{1});
  advance_time(seconds{1});
  consume_messages(); // woken and decided, not committed
  kill();
  start();
  CAF_CHECK_EQUAL(get(), 101);
  for (int i = 0; i < 5; ++i) pass(seconds{5});
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(a wake whose decision cannot be stored comes again) {
  alarm(seconds{1});
  db->fail_writes(1, error{error_code::database_error});
  pass(seconds{1});
  for (int i = 0; i < 5; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(a failed commit of the time itself leaves no wake behind) {
  db->fail_writes(1, error{error_code::database_error});
  CAF_CHECK(!alarm(seconds{1}).has_value());
  for (int i = 0; i < 5; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 0);
  CAF_CHECK_EQUAL(stored_wake(), 0);
}

CAF_TEST(an entity that crashes when it is woken is tried again and set aside in the end) {
  alarm(seconds{1}, 0, true);
  for (int i = 0; i < 40; ++i) pass(seconds{1});
  const auto seen = inspect();
  CAF_CHECK(seen["status"] == "quarantined");
  const auto restarts = seen["restarts"];
  for (int i = 0; i < 10; ++i) pass(seconds{10});
  const auto later = inspect();
  CAF_CHECK_EQUAL(later["restarts"], restarts);
  ask(ref(), message::of(entity::define_entity{json::object(), "update", {}, ""}));
  CAF_CHECK(inspect()["status"] != "quarantined");
}

CAF_TEST(who is disabled or deleted or in quarantine is left alone) {
  for (const std::string key : {"b", "c", "d"}) define(json::object(), key);
  for (const std::string key : {"b", "c", "d"}) alarm(seconds{10}, 0, false, key);
  define({{"enabled", false}}, "b");
  ask(ref("c"), message::of(entity::delete_entity{}));
  control("quarantine", "d");
  stop();
  start();
  for (int i = 0; i < 5; ++i) pass(seconds{5});
  CAF_CHECK_EQUAL(residents(), 0u);
  define({{"enabled", true}}, "b");
  pass(seconds{1});
  CAF_CHECK_EQUAL(count(ask(ref("b"), message::of(counter::get_count{}))), 101);
  control("revive", "d");
  pass(seconds{1});
  CAF_CHECK_EQUAL(count(ask(ref("d"), message::of(counter::get_count{}))), 101);
}

CAF_TEST(a new version keeps the time that its state wants) {
  alarm(seconds{10});
  define({{"step", 7}});
  CAF_CHECK_EQUAL(stored_wake(), in(seconds{10}));
  pass(seconds{5});
  control("restart");
  control("reload");
  pass(seconds{5});
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(more sleepers than fit into memory are all woken in their order) {
  options.wake.memory_max = 4;
  options.wake.concurrency_max = 2;
  stop();
  start();
  for (int i = 0; i < 30; ++i) {
    const auto key = "s" + std::to_string(i);
    define(json::object(), key);
    alarm(seconds{10 + i % 10}, 0, false, key);
  }
  stop();
  start();
  pass(seconds{5});
  for (int i = 0; i < 5; ++i) pass(seconds{1});
  std::int64_t woken = rows("SELECT COUNT(*) FROM entity WHERE entity_key LIKE 's%' AND wake_at IS NULL");
  CAF_CHECK_EQUAL(woken, 3);
  for (int i = 0; i < 10; ++i) pass(seconds{1});
  woken = rows("SELECT COUNT(*) FROM entity WHERE entity_key LIKE 's%' AND wake_at IS NULL");
  CAF_CHECK_EQUAL(woken, 30);
}

CAF_TEST(many sleepers with the same time are all woken) {
  options.wake.memory_max = 4;
  options.wake.concurrency_max = 3;
  stop();
  start();
  const auto at = in(seconds{10});
  for (int i = 0; i < 25; ++i) {
    const auto key = "s" + std::to_string(i);
    define(json::object(), key);
    ask(ref(key), message::of(alarm_counter{at, 0, false}));
  }
  pass(seconds{10});
  pass(seconds{1});
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM entity WHERE wake_at IS NOT NULL"), 0);
}

CAF_TEST(a wake that was lost is found by the regular look) {
  alarm(seconds{10});
  stop();
  CAF_REQUIRE(stored->write_and_wait({{{"UPDATE entity SET wake_at = NULL"}}, 0}).has_value());
  start();
  CAF_REQUIRE(stored->write_and_wait({{{"UPDATE entity SET wake_at = $1", {in(seconds{10})}}}, 0}).has_value());
  for (int i = 0; i < 5; ++i) pass(seconds{5});
  CAF_CHECK_EQUAL(residents(), 0u);
  pass(std::chrono::hours{1});
  CAF_CHECK_EQUAL(get(), 101);
}

CAF_TEST(nobody is woken after the stop) {
  alarm(seconds{10});
  stop();
  advance_time(seconds{20});
  consume_messages();
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM entity WHERE wake_at IS NOT NULL"), 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
