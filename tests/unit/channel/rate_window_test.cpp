#define CAF_SUITE rate_window

#include "actors/notify/channel/rate_window.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::notify;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

constexpr utc_time start = from_micros(1'795'000'000'000'000);

} // namespace

CAF_TEST(what is older than the window no longer counts) {
  rate_window window{minutes{1}};
  for (int i = 0; i < 3; ++i) window.add(start + seconds{i});
  CAF_CHECK_EQUAL(window.count(start + seconds{2}), 3);
  CAF_CHECK_EQUAL(window.count(start + seconds{60}), 3); // the oldest slice counts as a whole
  CAF_CHECK_EQUAL(window.count(start + seconds{62}), 1);
  CAF_CHECK_EQUAL(window.count(start + seconds{63}), 0);
}

CAF_TEST(memory stays bounded whatever happens) {
  rate_window window{hours{1}};
  for (int i = 0; i < 100'000; ++i) window.add(start + seconds{i});
  CAF_CHECK(window.to_json().size() <= 61u);
  CAF_CHECK(window.count(start + seconds{99'999}) <= 3'660);
  CAF_CHECK(window.count(start + seconds{99'999}) >= 3'600);
}

CAF_TEST(a clock that is set back forgets nothing) {
  rate_window window{minutes{1}};
  window.add(start + hours{1});
  window.add(start);
  CAF_CHECK_EQUAL(window.count(start), 2);
}

CAF_TEST(the window comes back from its snapshot) {
  rate_window window{minutes{1}};
  for (int i = 0; i < 7; ++i) window.add(start + seconds{3 * i});
  rate_window again{minutes{1}};
  again.restore(window.to_json());
  for (int i = 0; i < 100; ++i) CAF_CHECK_EQUAL(again.count(start + seconds{i}), window.count(start + seconds{i}));
}
