#pragma once

#include "actors/rule/evaluator.hpp"

namespace tobit::rule {

/// Judges values by those before them: rules of the type anomaly.
class anomaly_evaluator final : public evaluator {
public:
  /// `when` must outlive this.
  explicit anomaly_evaluator(const trigger& when) : when_(when) {}

  void take(const input& in, std::vector<key_verdict>& out) override;
  key_verdict preview(const input& in) const override;
  void advance(utc_time, std::vector<key_verdict>&) override {}
  std::optional<utc_time> wake_at() const override { return std::nullopt; }
  std::string snapshot() const override;
  result<void> restore(std::string_view snapshot) override;
  json drain_record() override;
  void replay(const json& record) override;
  json view() const override;

private:
  void learn(double value);

  const trigger& when_;
  std::vector<double> learned_; ///< oldest first
  std::vector<double> added_;   ///< since the last record
};

} // namespace tobit::rule
