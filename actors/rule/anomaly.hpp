#pragma once

#include "schemas/json.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule {

/// How far a value lies from what was seen before, by one of three textbook measures. Immutable; thread-safe.
///
///  zscore  |x - mean| / s, s the sample standard deviation (n-1); anomalous above `threshold`; s = 0 gives score 0.
///  iqr     quartiles by linear interpolation (type 7 of Hyndman & Fan 1996); anomalous outside
///          [Q1 - m·IQR, Q3 + m·IQR]; the score is the distance beyond the fence divided by IQR.
///  ema     exponentially weighted mean and variance (West 1979: d = x - mean; mean += α·d;
///          var = (1-α)·(var + α·d²)); anomalous when |x - mean| / √var is above `threshold`; var = 0 gives score 0.
class anomaly_detector {
public:
  /// `spec`: a normalised trigger_spec with `anomaly_method` and `anomaly_config`.
  explicit anomaly_detector(const json& spec);

  struct judgement {
    bool is_anomaly = false;
    double score = 0;
    json details; ///< why: the figures used, or how many values are still missing
  };
  /// Judges `value` by the values before it, oldest first. Never anomalous with fewer than `min_samples` of them.
  judgement judge(double value, const std::vector<double>& baseline) const;

  std::string_view method() const noexcept;
  std::size_t baseline_max() const noexcept { return baseline_max_; }

private:
  enum class kind : std::uint8_t { zscore, iqr, ema };
  judgement by_deviation(double value, double mean, double deviation) const;
  judgement by_quartiles(double value, std::vector<double> sorted) const;

  kind kind_ = kind::zscore;
  double threshold_ = 3, multiplier_ = 1.5, alpha_ = 0.3;
  std::size_t min_samples_ = 2, baseline_max_ = 1'000;
};

} // namespace tobit::rule
