#define CAF_SUITE wake_schedule

#include "runtime/entity/wake_policy.hpp"
#include "runtime/entity/wake_schedule.hpp"

#include <caf/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace tobit;
using namespace tobit::entity;

namespace {

entity_ref who(const std::string& key) { return {"rule", tenant_id{"default"}, key}; }
utc_time at(int second) { return from_micros(1'000'000LL * second); }

std::vector<std::string> due(wake_schedule& schedule, int second) {
  std::vector<std::string> keys;
  while (auto ref = schedule.take_due(at(second))) keys.push_back(ref->key);
  return keys;
}
using keys = std::vector<std::string>;

} // namespace

CAF_TEST(the row follows the wanted time only where it must) {
  CAF_CHECK(!next_wake({}, {}, at(5)).write);
  CAF_CHECK(next_wake({}, at(9), at(5)).write);
  CAF_CHECK(!next_wake(at(9), at(9), at(5)).write);
  CAF_CHECK(!next_wake(at(9), at(20), at(5)).write);
  CAF_CHECK(!next_wake(at(9), {}, at(5)).write);
  const auto earlier = next_wake(at(9), at(7), at(5));
  CAF_CHECK(earlier.write);
  CAF_CHECK(earlier.at == at(7));
}

CAF_TEST(a time that has come is replaced by the next one or by none) {
  const auto next = next_wake(at(4), at(9), at(5));
  CAF_CHECK(next.write);
  CAF_CHECK(next.at == at(9));
  const auto none = next_wake(at(4), {}, at(5));
  CAF_CHECK(none.write);
  CAF_CHECK(!none.at);
  CAF_CHECK(!next_wake(at(4), at(3), at(5)).write);
  CAF_CHECK(!next_wake(at(4), at(5), at(5)).write);
}

CAF_TEST(nothing is held before the rows are read) {
  wake_schedule schedule{4};
  CAF_CHECK(schedule.wants_reading());
  schedule.note(who("a"), at(1));
  CAF_CHECK_EQUAL(schedule.size(), 0u);
  schedule.read_until({});
  CAF_CHECK(!schedule.wants_reading());
  schedule.note(who("a"), at(1));
  CAF_CHECK(due(schedule, 1) == keys{"a"});
}

CAF_TEST(entities come out in the order of their times and only when they have come) {
  wake_schedule schedule{10};
  schedule.read_until({});
  schedule.note(who("a"), at(3));
  schedule.note(who("b"), at(1));
  schedule.note(who("c"), at(2));
  schedule.note(who("c"), at(9));
  CAF_CHECK(schedule.next() == at(1));
  CAF_CHECK((due(schedule, 4) == keys{"b", "a"}));
  CAF_CHECK(due(schedule, 8).empty());
  CAF_CHECK(due(schedule, 9) == keys{"c"});
}

CAF_TEST(the latest times give way when there are too many and are read again later) {
  wake_schedule schedule{4};
  schedule.read_until({});
  for (int i = 1; i <= 6; ++i) schedule.note(who(std::to_string(i)), at(i));
  CAF_CHECK_EQUAL(schedule.size(), 4u);
  CAF_REQUIRE(schedule.horizon().has_value());
  CAF_CHECK(*schedule.horizon() < at(5));
  schedule.note(who("late"), at(7));
  CAF_CHECK_EQUAL(schedule.size(), 4u);
  CAF_CHECK(!schedule.wants_reading());
  CAF_CHECK_EQUAL(due(schedule, 2).size(), 2u);
  CAF_CHECK(schedule.wants_reading());
  for (int i = 3; i <= 6; ++i) schedule.found(who(std::to_string(i)), at(i));
  schedule.found(who("late"), at(7));
  schedule.read_until({});
  CAF_CHECK_EQUAL(schedule.size(), 4u);
  CAF_CHECK_EQUAL(due(schedule, 6).size(), 4u);
}

CAF_TEST(a row that was read does not put off what is known to be earlier) {
  wake_schedule schedule{4};
  schedule.keep(who("a"), at(2));
  schedule.found(who("a"), at(5));
  schedule.read_until({});
  CAF_CHECK(schedule.next() == at(2));
}

CAF_TEST(a full page ends the horizon before the time that it ends with) {
  wake_schedule schedule{4};
  schedule.found(who("a"), at(2));
  schedule.found(who("b"), at(2));
  schedule.read_until(at(2));
  schedule.note(who("c"), at(2));
  CAF_CHECK_EQUAL(schedule.size(), 2u);
  CAF_CHECK(schedule.wants_reading());
}
