#define CAF_SUITE fresh_cache

#include "http/identity/fresh_cache.hpp"

#include <caf/test/unit_test.hpp>

#include <string>
#include <vector>

using namespace tobit;
using namespace tobit::http;
using namespace std::chrono_literals;

namespace {

/// A cache of numbers whose loads wait until the test answers them.
struct fixture {
  using cache = fresh_cache<int>;

  manual_clock time;
  std::vector<std::pair<std::string, cache::receiver>> loads;
  std::shared_ptr<cache> numbers = std::make_shared<cache>(
      time, [this](const std::string& key, cache::receiver done) { loads.emplace_back(key, std::move(done)); },
      cache::bounds{1s, 3s, 4, 2});
  std::vector<int> got; ///< -1: an error

  void get(const std::string& key) {
    numbers->get(key, [this](const result<cache::value>& found) { got.push_back(found ? **found : -1); });
  }
  void answer(int number) {
    auto load = std::move(loads.front());
    loads.erase(loads.begin());
    load.second(std::make_shared<const int>(number));
  }
  void refuse() {
    auto load = std::move(loads.front());
    loads.erase(loads.begin());
    load.second(fail(error_code::database_error));
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(fresh_cache_tests, fixture)

CAF_TEST(all who ask for one key share one load) {
  get("a"), get("a");
  CAF_CHECK_EQUAL(loads.size(), 1u);
  CAF_CHECK(got.empty());
  answer(7);
  CAF_CHECK(got == (std::vector<int>{7, 7}));
  get("a");
  CAF_CHECK_EQUAL(got.size(), 3u);
  CAF_CHECK(loads.empty());
}

CAF_TEST(a value that ages is used while it is loaded anew and then no longer) {
  get("a");
  answer(1);
  time.advance(2s);
  get("a"), get("a");
  CAF_CHECK(got == (std::vector<int>{1, 1, 1}));
  CAF_CHECK_EQUAL(loads.size(), 1u);
  time.advance(1s);
  get("a");
  CAF_CHECK_EQUAL(got.size(), 3u); // too old: waits for the load under way
  answer(2);
  CAF_CHECK_EQUAL(got.back(), 2);
}

CAF_TEST(what is forgotten while it loads is loaded once more) {
  get("a");
  numbers->forget("a");
  answer(1);
  CAF_CHECK(got.empty());
  CAF_CHECK_EQUAL(loads.size(), 1u);
  answer(2);
  CAF_CHECK(got == (std::vector<int>{2}));
  numbers->forget("a");
  get("a");
  CAF_CHECK_EQUAL(loads.size(), 1u);
}

CAF_TEST(a failed load is told and not remembered) {
  get("a");
  refuse();
  get("a");
  answer(3);
  CAF_CHECK(got == (std::vector<int>{-1, 3}));
  time.advance(2s);
  get("a");
  refuse(); // in the background: the known value stays for its time
  get("a");
  CAF_CHECK(got == (std::vector<int>{-1, 3, 3, 3}));
}

CAF_TEST(neither values nor those who wait can grow without bound) {
  get("a"), get("a"), get("a");
  CAF_CHECK(got == (std::vector<int>{-1}));
  answer(1);
  for (int i = 0; i < 10; ++i) get(std::to_string(i)), answer(i);
  const auto before = loads.size();
  get("a");
  CAF_CHECK_EQUAL(loads.size(), before + 1);
}

CAF_TEST_FIXTURE_SCOPE_END()
