#define CAF_SUITE id_window

#include "actors/event/id_window.hpp"

#include <caf/test/unit_test.hpp>

#include <random>
#include <set>

using namespace tobit;
using namespace tobit::event;

namespace {

const utc_time start = from_micros(1'800'000'000'000'000);
id_hash number(std::uint64_t n) { return hash_of("t", "s", std::to_string(n)); }

} // namespace

CAF_TEST(a set behaves like a set through inserts and erases) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 random{seed};
  id_set ids;
  int differences = 0;
  std::set<std::pair<std::uint64_t, std::uint64_t>> model;
  for (int i = 0; i < 50'000; ++i) {
    // Few low halves, so that probe chains are long.
    const id_hash h{random() % 64, random() % 32};
    const auto key = std::pair{h.low, h.high};
    const bool same =
        random() % 2 == 0 ? ids.insert(h) == model.insert(key).second : ids.erase(h) == (model.erase(key) == 1);
    differences += same && ids.size() == model.size() ? 0 : 1;
  }
  for (std::uint64_t low = 0; low < 64; ++low)
    for (std::uint64_t high = 0; high < 32; ++high)
      differences += ids.contains({low, high}) == model.contains({low, high}) ? 0 : 1;
  CAF_CHECK_EQUAL(differences, 0);
}

CAF_TEST(an id is new once) {
  id_window ids{1'000, std::chrono::hours{24}};
  ids.advance(start);
  CAF_CHECK(ids.insert(number(1)));
  CAF_CHECK(!ids.insert(number(1)));
  ids.advance(start + std::chrono::hours{7});
  CAF_CHECK(!ids.insert(number(1)));
}

CAF_TEST(a forgotten id is new again) {
  id_window ids{1'000, std::chrono::hours{24}};
  ids.advance(start);
  CAF_CHECK(ids.insert(number(1)));
  ids.forget(number(1));
  CAF_CHECK(ids.insert(number(1)));
}

CAF_TEST(the window is bounded in number and keeps the latest) {
  id_window ids{1'000, std::chrono::hours{24}};
  for (std::uint64_t n = 0; n < 10'000; ++n) {
    ids.advance(start);
    ids.insert(number(n));
  }
  CAF_CHECK(ids.size() <= 1'000u);
  for (std::uint64_t n = 10'000 - 750; n < 10'000; ++n) CAF_CHECK(ids.contains(number(n)));
  CAF_CHECK(!ids.contains(number(0)));
}

CAF_TEST(the window is bounded in age) {
  id_window ids{1'000, std::chrono::hours{24}};
  ids.advance(start);
  ids.insert(number(1));
  for (int hour = 1; hour <= 17; ++hour) ids.advance(start + std::chrono::hours{hour});
  CAF_CHECK(ids.contains(number(1)));
  for (int hour = 18; hour <= 31; ++hour) ids.advance(start + std::chrono::hours{hour});
  CAF_CHECK(!ids.contains(number(1)));
}
