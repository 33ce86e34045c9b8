#pragma once

#include "actors/rule/evaluator.hpp"
#include "actors/rule/group_by.hpp"

namespace tobit::rule {

/// Looks at one event or reading at a time and remembers nothing: rules of the types metric and event without a window
/// (and schedules, for simulations).
class condition_evaluator final : public evaluator {
public:
  /// `all_verdicts`: also those that do not match, without an explanation but with
  /// their value (rules with alerts). Readings always give a
  /// verdict. `when` must outlive this.
  condition_evaluator(const trigger& when, group_by groups, bool all_verdicts)
      : when_(when), groups_(std::move(groups)), all_verdicts_(all_verdicts) {}

  void take(const input& in, std::vector<key_verdict>& out) override;
  key_verdict preview(const input& in) const override;
  void advance(utc_time, std::vector<key_verdict>&) override {}
  std::optional<utc_time> wake_at() const override { return std::nullopt; }
  std::string snapshot() const override { return {}; }
  result<void> restore(std::string_view) override { return {}; }
  json drain_record() override { return nullptr; }
  void replay(const json&) override {}
  json view() const override { return nullptr; }

private:
  key_verdict keyed(const input& in, trigger_verdict verdict) const;

  const trigger& when_;
  group_by groups_;
  bool all_verdicts_;
};

} // namespace tobit::rule
