#include "actors/rule/anomaly.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tobit::rule {

namespace {

/// Precondition: sorted, not empty.
double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto above = std::min(below + 1, sorted.size() - 1);
  return std::lerp(sorted[below], sorted[above], place - static_cast<double>(below));
}

} // namespace

anomaly_detector::anomaly_detector(const json& spec) {
  const auto& method = spec.at("anomaly_method").get_ref<const std::string&>();
  kind_ = method == "iqr" ? kind::iqr : method == "ema" ? kind::ema : kind::zscore;
  const auto& config = spec.at("anomaly_config");
  threshold_ = config.value("threshold", threshold_);
  multiplier_ = config.value("multiplier", multiplier_);
  alpha_ = config.value("alpha", alpha_);
  min_samples_ = config.value("min_samples", min_samples_);
  baseline_max_ = config.value("baseline_max", baseline_max_);
}

std::string_view anomaly_detector::method() const noexcept {
  return kind_ == kind::iqr ? "iqr" : kind_ == kind::ema ? "ema" : "zscore";
}

anomaly_detector::judgement anomaly_detector::judge(double value, const std::vector<double>& baseline) const {
  if (baseline.empty() || baseline.size() < min_samples_)
    return {false, 0, json{{"baseline_count", baseline.size()}, {"needed", min_samples_}}};
  if (kind_ == kind::iqr) return by_quartiles(value, baseline);
  double mean = 0, variance = 0;
  if (kind_ == kind::ema) {
    mean = baseline.front();
    for (std::size_t i = 1; i < baseline.size(); ++i) {
      const double d = baseline[i] - mean;
      mean += alpha_ * d;
      variance = (1 - alpha_) * (variance + alpha_ * d * d);
    }
  } else {
    const auto n = static_cast<double>(baseline.size());
    mean = std::accumulate(baseline.begin(), baseline.end(), 0.0) / n;
    for (double x : baseline) variance += (x - mean) * (x - mean);
    variance /= n - 1;
  }
  auto out = by_deviation(value, mean, std::sqrt(variance));
  out.details["baseline_count"] = baseline.size();
  return out;
}

anomaly_detector::judgement anomaly_detector::by_deviation(double value, double mean, double deviation) const {
  double score = deviation > 0 ? std::abs(value - mean) / deviation : 0;
  if (!std::isfinite(score)) score = 0; // sums of enormous values overflow; they cannot be judged
  return {score > threshold_, score, json{{"mean", mean}, {"deviation", deviation}, {"threshold", threshold_}}};
}

anomaly_detector::judgement anomaly_detector::by_quartiles(double value, std::vector<double> sorted) const {
  std::sort(sorted.begin(), sorted.end());
  const double q1 = quantile(sorted, 0.25), q3 = quantile(sorted, 0.75), range = q3 - q1;
  const double low = q1 - multiplier_ * range, high = q3 + multiplier_ * range;
  const double beyond = value < low ? low - value : value > high ? value - high : 0;
  // Where half of the values are equal the fence has no width to measure by; the distance itself is the score then.
  double score = range > 0 ? beyond / range : beyond;
  if (!std::isfinite(score)) score = 0;
  return {
      score > 0, score,
      json{{"q1", q1}, {"q3", q3}, {"iqr", range}, {"low", low}, {"high", high}, {"baseline_count", sorted.size()}}};
}

} // namespace tobit::rule
