#define CAF_SUITE restart_policy

#include "runtime/entity/restart_policy.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::entity;
using std::chrono::microseconds;
using std::chrono::milliseconds;

CAF_TEST(pauses double from the first to the longest) {
  restart_options options;
  options.jitter = 0;
  CAF_CHECK(judge_crash(1, options, 0.5).pause == milliseconds{100});
  CAF_CHECK(judge_crash(2, options, 0.5).pause == milliseconds{200});
  CAF_CHECK(judge_crash(5, options, 0.5).pause == milliseconds{1600});
  options.restarts_max = 1'000'000;
  CAF_CHECK(judge_crash(1'000'000, options, 0.5).pause == milliseconds{30'000});
}

CAF_TEST(jitter moves a pause by at most its share) {
  const auto pause = [](double random) {
    return backed_off(1, milliseconds{1000}, milliseconds{300'000}, 0.1, random);
  };
  CAF_CHECK(pause(0) == milliseconds{900});
  CAF_CHECK(pause(0.5) == milliseconds{1000});
  CAF_CHECK(pause(0.999999) <= milliseconds{1100});
}

CAF_TEST(one crash more than allowed leads into quarantine) {
  restart_options options;
  options.restarts_max = 2;
  CAF_CHECK(!judge_crash(2, options, 0).quarantine);
  CAF_CHECK(judge_crash(3, options, 0).quarantine);
  options.restarts_max = 0;
  CAF_CHECK(judge_crash(1, options, 0).quarantine);
}
