#define CAF_SUITE rate_limit

#include "http/limit/rate_limit.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::http;
using namespace std::chrono_literals;

CAF_TEST(a rested bucket gives its burst and then its rate) {
  rate_limit limit({10, 5});
  auto now = steady_time{1000s};
  for (int i = 0; i < 5; ++i) CAF_CHECK(limit.take("a", now) == 0us);
  CAF_CHECK(limit.take("a", now) == 100ms);
  CAF_CHECK(limit.peek("a", now) == 100ms);
  CAF_CHECK(limit.take("b", now) == 0us);
  now += 100ms;
  CAF_CHECK(limit.take("a", now) == 0us);
  CAF_CHECK(limit.take("a", now) > 0us);
  now += 1h;
  for (int i = 0; i < 5; ++i) CAF_CHECK(limit.take("a", now) == 0us);
  CAF_CHECK(limit.take("a", now) > 0us);
}

CAF_TEST(over a long time no more than the rate goes through) {
  rate_limit limit({100, 10});
  int passed = 0;
  for (auto now = steady_time{1s}; now < steady_time{11s}; now += 1ms)
    if (limit.take("a", now) == 0us) ++passed;
  CAF_CHECK(passed >= 1000 && passed <= 1010);
}

CAF_TEST(no limit lets everything through and keeps nothing) {
  rate_limit limit({0, 0});
  for (int i = 0; i < 1000; ++i) CAF_CHECK(limit.take("a", steady_time{}) == 0us);
}

CAF_TEST(the table is bounded and forgets the longest unused) {
  rate_limit limit({1, 1}, 16);
  const auto now = steady_time{1s};
  for (int i = 0; i < 10'000; ++i) CAF_CHECK(limit.take(std::to_string(i), now) == 0us);
  CAF_CHECK(limit.take("9999", now) > 0us);
  CAF_CHECK(limit.take("0", now) == 0us);
  limit.forget("9999");
  CAF_CHECK(limit.take("9999", now) == 0us);
}
