#define CAF_SUITE step_window

#include "http/limit/step_window.hpp"

#include <caf/test/unit_test.hpp>

#include <map>
#include <vector>

using tobit::http::step_window;

CAF_TEST(no steps are finished at once) {
  bool finished = false;
  step_window::run(
      0, 2, [](std::size_t, const std::function<void()>&) { CAF_FAIL("a step was begun"); }, [&] { finished = true; });
  CAF_CHECK(finished);
}

CAF_TEST(the window is never wider than asked for and refills as steps end) {
  std::map<std::size_t, std::function<void()>> under_way;
  std::size_t widest = 0;
  int finished = 0;
  step_window::run(
      5, 2,
      [&](std::size_t index, std::function<void()> ended) {
        under_way.emplace(index, std::move(ended));
        widest = std::max(widest, under_way.size());
      },
      [&] { ++finished; });
  CAF_CHECK_EQUAL(under_way.size(), 2u);
  std::vector<std::size_t> order;
  while (!under_way.empty()) {
    auto step = under_way.extract(std::prev(under_way.end())); // the latest ends first
    order.push_back(step.key());
    CAF_CHECK_EQUAL(finished, 0);
    step.mapped()();
  }
  CAF_CHECK_EQUAL(order.size(), 5u);
  CAF_CHECK_EQUAL(widest, 2u);
  CAF_CHECK_EQUAL(finished, 1);
}

CAF_TEST(many steps that end at once do not pile up on the stack) {
  std::size_t begun = 0;
  bool finished = false;
  step_window::run(
      200'000, 4,
      [&](std::size_t, const std::function<void()>& ended) {
        ++begun;
        ended();
      },
      [&] { finished = true; });
  CAF_CHECK_EQUAL(begun, 200'000u);
  CAF_CHECK(finished);
}
