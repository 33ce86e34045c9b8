#define CAF_SUITE world

#include "actors/rehearsal/world.hpp"
#include "tests/support/counter/counter_kind.hpp"
#include "tests/support/counter/counter_protocol.hpp"

#include <caf/test/dsl.hpp>

using namespace tobit;
using namespace tobit::rehearsal;
using namespace tobit::counter;

namespace {

struct recorder : world_watcher {
  void decided(const entity_ref& who, const message& request, const entity::decision&, utc_time at) override {
    course.push_back(std::to_string(to_micros(at)) + " " + who.key + " " + std::string(request.name()));
    ids.push_back(at);
  }
  void refused(const entity_ref& who, const message&, const error& why, utc_time) override {
    refusals.push_back(who.key + " " + std::string(describe(why.code).name));
  }
  entity::effect_settled settle(const outward_effect& effect) override {
    left.push_back(effect.effect_id);
    entity::effect_settled out;
    out.done = well;
    return out;
  }
  std::vector<std::string> course, refusals, left;
  std::vector<utc_time> ids;
  bool well = true;
};

struct fixture {
  fixture() {
    entity::register_entity_messages();
    register_counter_messages();
  }
  void add(world& to, std::string key) {
    CAF_REQUIRE(to.define(kind, ref(std::move(key)), json::object()).has_value());
  }
  entity_ref ref(std::string key) const { return {"counter", tenant_id{"t"}, std::move(key)}; }
  std::int64_t count(world& of, const std::string& key) {
    const auto answer = of.deliver(ref(key), message::of(get_count{}));
    CAF_REQUIRE(answer.has_value());
    return answer->as<count_is>()->value;
  }
  static entity::message_effect add_to(std::string key, std::int64_t amount) {
    return {"counter", std::move(key), std::string(add_to_counter::wire_name), json(add_to_counter{amount})};
  }
  counter_kind kind;
  recorder seen;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(world_suite, fixture)

CAF_TEST(a decision is applied and answered) {
  world all{from_micros(0)};
  add(all, "a");
  const auto answer = all.deliver(ref("a"), message::of(add_to_counter{5}));
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK_EQUAL(answer->as<count_is>()->value, 5);
  CAF_CHECK_EQUAL(count(all, "a"), 5);
}

CAF_TEST(an effect of the type message reaches its target at the same moment) {
  world all{from_micros(7), &seen};
  add(all, "a");
  add(all, "b");
  CAF_CHECK(all.deliver(ref("a"), message::of(report_to_counter{"message", json(add_to("b", 3)), 1})).has_value());
  CAF_CHECK_EQUAL(count(all, "b"), 3);
  CAF_CHECK_EQUAL(count(all, "a"), 1 + 1'000); // it heard that its message arrived
  CAF_CHECK_EQUAL(seen.course[1], "7 b tobit.counter.add.v1");
}

CAF_TEST(a message to nobody is reported as failed) {
  world all{from_micros(0), &seen};
  add(all, "a");
  CAF_CHECK(all.deliver(ref("a"), message::of(report_to_counter{"message", json(add_to("nobody", 3)), 1})).has_value());
  CAF_CHECK_EQUAL(count(all, "a"), 1 + 10'000);
  CAF_REQUIRE_EQUAL(seen.refusals.size(), 1u);
  CAF_CHECK_EQUAL(seen.refusals[0], "nobody NOT_FOUND");
}

CAF_TEST(an effect that is no message goes out and its end is heard once for each) {
  world all{from_micros(0), &seen};
  add(all, "a");
  seen.well = false;
  CAF_CHECK(all.deliver(ref("a"), message::of(report_to_counter{"mail", json::object(), 2})).has_value());
  CAF_CHECK_EQUAL(count(all, "a"), 1 + 2 * 10'000);
  CAF_REQUIRE_EQUAL(seen.left.size(), 2u);
  CAF_CHECK(seen.left[0] != seen.left[1]);
}

CAF_TEST(whoever is due is woken in the order of time and then of being added) {
  world all{from_micros(0), &seen};
  for (const auto* key : {"b", "c", "a"}) add(all, key);
  CAF_CHECK(all.deliver(ref("c"), message::of(alarm_counter{20, 0, false})).has_value());
  CAF_CHECK(all.deliver(ref("b"), message::of(alarm_counter{10, 0, false})).has_value());
  CAF_CHECK(all.deliver(ref("a"), message::of(alarm_counter{10, 25, false})).has_value());
  seen.course.clear();
  CAF_CHECK(all.advance_to(from_micros(34)).has_value());
  CAF_REQUIRE_EQUAL(seen.course.size(), 3u);
  CAF_CHECK_EQUAL(seen.course[0], "10 b tobit.entity.wake.v1");
  CAF_CHECK_EQUAL(seen.course[1], "10 a tobit.entity.wake.v1");
  CAF_CHECK_EQUAL(seen.course[2], "20 c tobit.entity.wake.v1");
  CAF_CHECK(all.next_wake() == from_micros(35));
  CAF_CHECK(all.now() == from_micros(34));
}

CAF_TEST(the same calls give the same course) {
  std::vector<std::string> courses[2], left[2];
  for (int round = 0; round < 2; ++round) {
    recorder watched;
    world all{from_micros(0), &watched};
    add(all, "a");
    add(all, "b");
    CAF_CHECK(all.deliver(ref("a"), message::of(alarm_counter{5, 5, false})).has_value());
    CAF_CHECK(all.deliver(ref("b"), message::of(report_to_counter{"mail", json::object(), 3})).has_value());
    CAF_CHECK(all.advance_to(from_micros(50)).has_value());
    courses[round] = watched.course;
    left[round] = watched.left;
  }
  CAF_CHECK(courses[0] == courses[1]);
  CAF_CHECK(left[0] == left[1]);
}

CAF_TEST(an entity that throws is set aside and the others go on) {
  world all{from_micros(0), &seen};
  add(all, "a");
  add(all, "b");
  CAF_CHECK(!all.deliver(ref("a"), message::of(trouble_counter{"decide"})).has_value());
  const auto again = all.deliver(ref("a"), message::of(get_count{}));
  CAF_REQUIRE(!again.has_value());
  CAF_CHECK(again.error().code == error_code::quarantined);
  CAF_CHECK_EQUAL(count(all, "b"), 0);
}

CAF_TEST(entities that wake each other without end are stopped) {
  world_limits tight;
  tight.steps_of_moment_max = 50;
  world all{from_micros(0), nullptr, tight};
  add(all, "a");
  // Each wake asks for the next one a moment that has passed already.
  CAF_CHECK(all.advance_to(from_micros(1'000'000)).has_value());
  CAF_CHECK(all.deliver(ref("a"), message::of(alarm_counter{1, 1, false})).has_value());
  const auto passed = all.advance_to(from_micros(1'000'001));
  CAF_REQUIRE(!passed.has_value());
  CAF_CHECK(passed.error().code == error_code::unprocessable);
  CAF_CHECK(all.broken().has_value());
  CAF_CHECK(!all.deliver(ref("a"), message::of(get_count{})).has_value());
}

CAF_TEST(a world takes only as many entities as it may) {
  world_limits tight;
  tight.entities_max = 1;
  world all{from_micros(0), nullptr, tight};
  add(all, "a");
  const auto more = all.define(kind, ref("b"), json::object());
  CAF_REQUIRE(!more.has_value());
  CAF_CHECK(more.error().code == error_code::unprocessable);
  const auto twice = all.define(kind, ref("a"), json::object());
  CAF_REQUIRE(!twice.has_value());
  CAF_CHECK(twice.error().code == error_code::conflict);
}

CAF_TEST_FIXTURE_SCOPE_END()
