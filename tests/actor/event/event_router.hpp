#pragma once

// The router of events. Included once for each database, with CAF_SUITE and TOBIT_TESTED_KIND defined.

#include "tests/actor/event/event_fixture.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <random>

using namespace tobit;
using namespace tobit::event;
using testing::recording_gateway;

namespace {

using verdict = recording_gateway::verdict;

struct fixture : testing::event_fixture {
  fixture() : event_fixture(TOBIT_TESTED_KIND) {}

  void restart_with(const router_limits& other) {
    limits = other;
    start();
  }
  static verdict yes() { return verdict{result<message>{recording_gateway::evaluated()}}; }
  static verdict no(error_code code) { return verdict{result<message>{fail(code)}}; }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(event_router_tests, fixture)

CAF_TEST(events reach the rules that want them in the order of their offsets) {
  define("all", {});
  define("orders", {"order.*"});
  define("nobody", {"never"});
  send({"a"}, "order.created");
  send({"b"}, "other");
  send({"c"}, "order.paid");
  drain();
  CAF_CHECK(gateway.seen("all") == range(0, 3));
  CAF_CHECK((gateway.seen("orders") == std::vector<std::uint64_t>{0, 2}));
  CAF_CHECK(gateway.seen("nobody").empty());
  CAF_CHECK_EQUAL(std::uint64_t{router->status().evaluated}, 3u);
}

CAF_TEST(the trace of the request goes on with a child span) {
  define("all", {});
  send({"a"});
  drain();
  const auto contexts = gateway.contexts();
  CAF_REQUIRE_EQUAL(contexts.size(), 1u);
  CAF_CHECK(contexts[0].trace == last_context.trace);
  CAF_CHECK(contexts[0].parent == last_context.span);
  CAF_CHECK(contexts[0].deadline < steady_time::max());
}

CAF_TEST(a rule gets the next events after its answer) {
  define("r", {});
  gateway.judge = [](const entity_ref&, const rule::evaluate_events&) { return verdict{}; };
  send_many(1);
  drain();
  send_many(5);
  drain();
  CAF_CHECK_EQUAL(gateway.asks(), 1u);
  gateway.release();
  drain();
  CAF_CHECK_EQUAL(gateway.asks(), 2u);
  gateway.release();
  drain();
  CAF_CHECK(gateway.seen("r") == range(0, 6));
}

CAF_TEST(a rule that hangs holds up nobody and loses nothing) {
  auto small = limits;
  small.feed_events = 10;
  small.ask_events = 4;
  small.tail_bytes = 2'000; // most of it must be read from the log again
  restart_with(small);
  define("slow", {});
  define("quick", {});
  gateway.judge = [](const entity_ref& ref, const rule::evaluate_events&) {
    return ref.key == "slow" ? verdict{} : yes();
  };
  for (int i = 0; i < 20; ++i) send_many(10), drain();
  CAF_CHECK(gateway.seen("quick") == range(0, 200));
  CAF_CHECK(gateway.seen("slow").empty());
  CAF_CHECK_EQUAL(std::uint64_t{router->status().behind}, 1u);
  CAF_CHECK_EQUAL(std::uint64_t{router->status().evaluated}, 0u);
  gateway.judge = nullptr;
  gateway.release();
  drain();
  CAF_CHECK(gateway.seen("slow") == range(0, 200));
  CAF_CHECK_EQUAL(std::uint64_t{router->status().behind}, 0u);
  CAF_CHECK_EQUAL(std::uint64_t{router->status().evaluated}, 200u);
  send_many(3), drain();
  CAF_CHECK(gateway.seen("slow") == range(0, 203));
}

CAF_TEST(what can pass is repeated with growing pauses) {
  define("r", {});
  int refusals = 0;
  gateway.judge = [&](const entity_ref&, const rule::evaluate_events&) {
    return refusals++ < 8 ? no(error_code::unavailable) : yes();
  };
  send_many(2);
  drain();
  CAF_CHECK_EQUAL(gateway.asks(), 1u);
  for (int i = 0; i < 60; ++i) pass(std::chrono::seconds{1});
  CAF_CHECK_EQUAL(gateway.asks(), 9u);
  CAF_CHECK(gateway.seen("r") == range(0, 2));
}

CAF_TEST(events of a rule that is gone or set aside are skipped and counted) {
  define("gone", {});
  define("other", {});
  gateway.judge = [](const entity_ref& ref, const rule::evaluate_events&) {
    return ref.key == "gone" ? no(error_code::quarantined) : yes();
  };
  send_many(3);
  drain();
  CAF_CHECK_EQUAL(std::uint64_t{router->status().skipped}, 3u);
  CAF_CHECK_EQUAL(std::uint64_t{router->status().evaluated}, 3u);
  CAF_CHECK(gateway.seen("other") == range(0, 3));
}

CAF_TEST(what repeating does not heal is given up after some attempts) {
  define("r", {});
  gateway.judge = [](const entity_ref&, const rule::evaluate_events&) { return no(error_code::internal_server_error); };
  send_many(1);
  drain();
  for (int i = 0; i < 60; ++i) pass(std::chrono::seconds{1});
  CAF_CHECK_EQUAL(gateway.asks(), limits.refusals_max + 0u);
  CAF_CHECK_EQUAL(std::uint64_t{router->status().skipped}, 1u);
}

CAF_TEST(a new rule sees later events only and a removed one none) {
  send_many(3), drain();
  define("late", {});
  send_many(2), drain();
  CAF_CHECK(gateway.seen("late") == range(3, 5));
  router->interest_changed(ref("late"), 2, std::nullopt);
  send_many(2), drain();
  CAF_CHECK(gateway.seen("late") == range(3, 5));
  CAF_CHECK_EQUAL(std::uint64_t{router->status().evaluated}, 7u);
}

CAF_TEST(a rule that goes while it evaluates leaves nothing behind) {
  define("r", {});
  gateway.judge = [](const entity_ref&, const rule::evaluate_events&) { return verdict{}; };
  send_many(5), drain();
  router->interest_changed(ref("r"), 2, std::nullopt);
  define("r", {}, 3);
  gateway.release();
  drain();
  send_many(1), drain();
  gateway.release();
  drain();
  CAF_CHECK_EQUAL(std::uint64_t{router->status().evaluated}, 6u);
  CAF_CHECK_EQUAL(gateway.kept(), 0u);
}

CAF_TEST(a changed filter counts from the next events on) {
  define("r", {"a"});
  send_many(1, "a"), send_many(1, "b"), drain();
  define("r", {"b"}, 2);
  send_many(1, "a"), send_many(1, "b"), drain();
  CAF_CHECK((gateway.seen("r") == std::vector<std::uint64_t>{0, 3}));
}

CAF_TEST(after a crash everything that was not evaluated comes again) {
  define("done", {});
  define("hangs", {"t"});
  gateway.judge = [](const entity_ref& ref, const rule::evaluate_events&) {
    return ref.key == "hangs" ? verdict{} : yes();
  };
  send_many(4), drain();
  pass(std::chrono::seconds{2});
  send_many(4), drain();
  gateway.forget();
  gateway.judge = nullptr;
  start(); // the first one's memory is lost
  drain();
  CAF_CHECK(gateway.seen("hangs") == range(0, 8));
  CAF_CHECK(gateway.seen("done") == range(0, 8)); // again: the rule leaves out what it has decided
  pass(std::chrono::seconds{2});
  CAF_CHECK_EQUAL(number(select_watermark()), 8u);
  gateway.forget();
  start();
  send_many(1), drain();
  CAF_CHECK(gateway.seen("done") == range(8, 9));
}

CAF_TEST(after a crash a rule does not see events of before its creation) {
  send_many(3), drain(); // nobody has evaluated them, the watermark is not stored yet
  time.advance(std::chrono::milliseconds{5});
  define("young", {});
  time.advance(std::chrono::milliseconds{5});
  send_many(2), drain();
  gateway.forget();
  start();
  CAF_CHECK(gateway.seen("young") == range(3, 5));
}

CAF_TEST(a rule that is reported before the start does not see older events) {
  send_many(3), drain();
  time.advance(std::chrono::milliseconds{5});
  router = std::make_unique<event_router>(router_deps{db.get(), &time, &figures}, limits, *router_inbox);
  router->interest_changed(ref("early"), 1, json(entity::event_interest{}));
  router->start(gateway, 0, 3, {});
  drain();
  send_many(2), drain();
  CAF_CHECK(gateway.seen("early") == range(3, 5));
}

CAF_TEST(a log that cannot be read is asked again) {
  define("r", {});
  router_hears = false;
  send_many(5), drain();
  router_hears = true;
  db->fail_reads(2, error{error_code::database_error});
  send_many(1), drain();
  CAF_CHECK(gateway.seen("r").empty());
  for (int i = 0; i < 5; ++i) pass(std::chrono::seconds{1});
  CAF_CHECK(gateway.seen("r") == range(0, 6));
}

CAF_TEST(old rows are purged when everybody has evaluated them) {
  auto short_lived = limits;
  short_lived.keep_for = std::chrono::hours{1};
  restart_with(short_lived);
  define("r", {});
  send_many(5), drain();
  pass(std::chrono::hours{2});
  send_many(5), drain();
  pass(std::chrono::minutes{2});
  send_many(1), drain();
  pass(std::chrono::minutes{2});
  CAF_CHECK_EQUAL(number({"SELECT min(first_offset) FROM event_batch", {}, {}, {}}), 5u);
  pass(std::chrono::hours{2});
  send_many(1), drain();
  pass(std::chrono::minutes{2});
  pass(std::chrono::minutes{2});
  start();
  send_many(1), drain();
  CAF_CHECK_EQUAL(number(select_end()), 13u);
}

CAF_TEST(stopping waits for open evaluations and stores how far they came) {
  define("r", {});
  gateway.judge = [](const entity_ref&, const rule::evaluate_events&) { return verdict{}; };
  send_many(5), drain();
  bool stopped = false;
  router->stop(std::shared_ptr<void>(nullptr, [&](void*) { stopped = true; }));
  drain();
  CAF_CHECK(!stopped);
  gateway.release();
  drain();
  CAF_CHECK(stopped);
  CAF_CHECK_EQUAL(number(select_watermark()), 5u);
}

CAF_TEST(no event is lost or out of order whatever the rules do) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  auto tight = limits;
  tight.feed_events = 7;
  tight.queued_events = 20;
  tight.ask_events = 3;
  tight.asks_max = 2;
  tight.tail_bytes = 3'000;
  tight.page_rows = 2;
  restart_with(tight);
  const std::vector<std::string> types{"a", "b", "c"};
  define("r0", {}), define("r1", {"a"}), define("r2", {"b", "c"}), define("r3", {"c"});
  std::map<std::string, std::vector<std::uint64_t>> expected;
  gateway.judge = [&](const entity_ref&, const rule::evaluate_events&) {
    switch (random() % 4) {
    case 0:
      return verdict{};
    case 1:
      return no(error_code::overloaded);
    default:
      return yes();
    }
  };
  std::uint64_t offset = 0;
  for (int i = 0; i < 300; ++i) {
    const auto& type = types[random() % 3];
    const auto count = 1 + random() % 6;
    for (std::size_t k = 0; k < count; ++k, ++offset) {
      expected["r0"].push_back(offset);
      if (type == "a") expected["r1"].push_back(offset);
      if (type != "a") expected["r2"].push_back(offset);
      if (type == "c") expected["r3"].push_back(offset);
    }
    send_many(count, type);
    if (random() % 3 != 0) drain();
    if (random() % 4 == 0)
      gateway.release(random() % 3 == 0 ? result<message>{fail(error_code::unavailable)}
                                        : result<message>{recording_gateway::evaluated()});
    if (random() % 4 == 0) pass(std::chrono::milliseconds{random() % 300});
  }
  gateway.judge = nullptr;
  for (int i = 0; i < 600 && router->status().evaluated < offset; ++i) {
    gateway.release();
    pass(std::chrono::milliseconds{200});
  }
  for (const auto& [key, offsets] : expected) CAF_CHECK(gateway.seen(key) == offsets);
  CAF_CHECK_EQUAL(std::uint64_t{router->status().evaluated}, offset);
  CAF_CHECK_EQUAL(std::uint64_t{router->status().skipped}, 0u);
}

CAF_TEST_FIXTURE_SCOPE_END()
