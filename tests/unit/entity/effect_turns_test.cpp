#define CAF_SUITE effect_turns

#include "runtime/entity/effect_turns.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using entity::effect_turns;

namespace {

entity_ref source(const char* key) { return {"rule", tenant_id{"default"}, key}; }

} // namespace

CAF_TEST(sources take turns however much one of them has waiting) {
  effect_turns turns{10};
  for (auto id : {"a1", "a2", "a3"}) turns.wait(source("a"), id);
  turns.wait(source("b"), "b1");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a1");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "b1");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a2");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a3");
  CAF_CHECK(!turns.next());
}

CAF_TEST(a source at its bound waits and lets the others pass) {
  effect_turns turns{2};
  for (auto id : {"a1", "a2", "a3"}) turns.wait(source("a"), id);
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a1");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a2");
  CAF_CHECK(!turns.next());
  turns.wait(source("b"), "b1");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "b1");
  turns.ended(source("b"));
  CAF_CHECK(!turns.next());
  turns.ended(source("a"));
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a3");
  CAF_CHECK(!turns.next());
}

CAF_TEST(an effect that waits again keeps its source in the round) {
  effect_turns turns{1};
  turns.wait(source("a"), "a1");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a1");
  turns.ended(source("a"));
  CAF_CHECK(!turns.next());
  turns.wait(source("a"), "a1");
  CAF_CHECK_EQUAL(turns.next().value_or("none"), "a1");
}
