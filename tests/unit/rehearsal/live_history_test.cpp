#define CAF_SUITE live_history

#include "actors/rehearsal/backtest/live_history.hpp"

#include <caf/test/dsl.hpp>

using namespace tobit;
using namespace tobit::rehearsal;

namespace {

occurrence at(std::int64_t seconds, std::string key = "") {
  return {from_micros(seconds * 1'000'000), std::move(key), std::to_string(seconds)};
}

} // namespace

CAF_TEST(what lies close together is the same thing) {
  const auto found = compare({at(100), at(200), at(300)}, {at(102), at(305), at(400)}, std::chrono::seconds{10});
  CAF_CHECK_EQUAL(found.both, 2u);
  CAF_REQUIRE_EQUAL(found.only_rehearsal.size(), 1u);
  CAF_CHECK_EQUAL(found.only_rehearsal[0].id, "200");
  CAF_REQUIRE_EQUAL(found.only_live.size(), 1u);
  CAF_CHECK_EQUAL(found.only_live[0].id, "400");
}

CAF_TEST(each pairs once and only with its own key) {
  const auto found = compare({at(100), at(100), at(100, "b")}, {at(100), at(101, "c")}, std::chrono::seconds{10});
  CAF_CHECK_EQUAL(found.both, 1u);
  CAF_CHECK_EQUAL(found.only_rehearsal.size(), 2u);
  CAF_CHECK_EQUAL(found.only_live.size(), 1u);
}

CAF_TEST(a live one long before is another one) {
  const auto found = compare({at(100)}, {at(95)}, std::chrono::seconds{10});
  CAF_CHECK_EQUAL(found.both, 0u);
}
