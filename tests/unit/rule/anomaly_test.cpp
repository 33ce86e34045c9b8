#define CAF_SUITE anomaly

#include "actors/rule/anomaly.hpp"

#include <caf/test/unit_test.hpp>

#include <cmath>

using namespace tobit;
using namespace tobit::rule;

namespace {

anomaly_detector detector(const char* method, json config = json::object()) {
  return anomaly_detector{{{"anomaly_method", method}, {"anomaly_config", std::move(config)}}};
}
bool near(double a, double b) { return std::abs(a - b) < 1e-9; }

} // namespace

CAF_TEST(zscore measures by the sample deviation) {
  // 2 4 4 4 5 5 7 9: mean 5, sample variance 32/7.
  const std::vector<double> baseline{2, 4, 4, 4, 5, 5, 7, 9};
  const auto far = detector("zscore").judge(12, baseline);
  CAF_CHECK(near(far.score, 7 / std::sqrt(32.0 / 7)));
  CAF_CHECK(far.is_anomaly);
  CAF_CHECK(!detector("zscore", {{"threshold", 4}}).judge(12, baseline).is_anomaly);
  CAF_CHECK(near(detector("zscore").judge(-2, baseline).score, far.score));
  CAF_CHECK(!detector("zscore").judge(1e9, {5, 5, 5}).is_anomaly); // no deviation, score 0
  CAF_CHECK(!detector("zscore").judge(9, {1}).is_anomaly);
}

CAF_TEST(iqr measures by interpolated quartiles) {
  // 1..8: Q1 2.75, Q3 6.25, IQR 3.5, fences -2.5 and 11.5.
  const std::vector<double> baseline{8, 1, 7, 2, 6, 3, 5, 4};
  CAF_CHECK(!detector("iqr").judge(11.5, baseline).is_anomaly);
  const auto high = detector("iqr").judge(15, baseline);
  CAF_CHECK(high.is_anomaly && near(high.score, 1));
  CAF_CHECK(near(high.details["q1"], 2.75) && near(high.details["q3"], 6.25));
  CAF_CHECK(detector("iqr").judge(-3, baseline).is_anomaly);
  CAF_CHECK(detector("iqr").judge(2, {1, 1, 1, 1}).is_anomaly);
}

CAF_TEST(ema follows the latest values) {
  const auto judged = detector("ema", {{"alpha", 0.5}}).judge(10, {0, 2});
  // mean 0 then 1; variance 0.5 * (0 + 0.5 * 4) = 1
  CAF_CHECK(near(judged.details["mean"], 1) && near(judged.details["deviation"], 1));
  CAF_CHECK(near(judged.score, 9) && judged.is_anomaly);
  CAF_CHECK(!detector("ema").judge(5, {5, 5, 5, 5}).is_anomaly);
}

CAF_TEST(too few or enormous values give no verdict) {
  const auto few = detector("zscore", {{"min_samples", 20}}).judge(1e6, {1, 2, 3});
  CAF_CHECK(!few.is_anomaly);
  CAF_CHECK_EQUAL(few.details["needed"], 20);
  for (auto method : {"zscore", "iqr", "ema"}) {
    const auto judged = detector(method).judge(1e308, {-1e308, 1e308, -1e308, 1e308});
    CAF_CHECK(std::isfinite(judged.score));
  }
}
