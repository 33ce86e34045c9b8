#pragma once

#include "actors/rule/evaluator.hpp"
#include "actors/rule/group_by.hpp"
#include "actors/rule/window/window_table.hpp"

namespace tobit::rule::window {

/// Judges what the inputs of a window amount to, for each key: rules of the types event and metric with a
/// `window_config`.
///
/// A record holds what was taken as bytes in base64: 1 for time that went on, 0 for an unreadable input, 2 and a text
/// for a key that is new in the record, or 3 + its number; then time and arrival as differences, and the value.
class window_evaluator final : public evaluator {
public:
  /// `when` must outlive this. Precondition: `definition` is normalised.
  window_evaluator(const json& definition, const trigger& when);

  void take(const input& in, std::vector<key_verdict>& out) override;
  key_verdict preview(const input& in) const override;
  void advance(utc_time now, std::vector<key_verdict>& out) override;
  std::optional<utc_time> wake_at() const override;
  std::string snapshot() const override { return table_.snapshot(); }
  result<void> restore(std::string_view snapshot) override;
  json drain_record() override;
  void replay(const json& record) override;
  json view() const override;

  const window_figures& figures() const noexcept { return table_.figures(); }

private:
  enum code : std::uint64_t { unreadable = 0, time_went_on = 1, new_key = 2, first_key = 3 };

  std::optional<double> value_of(const subject& where) const;
  std::optional<std::int64_t> time_of(const input& in) const;
  bool has_values() const noexcept { return field_.has_value(); }
  void record(std::int64_t at, std::int64_t arrived, double value);
  key_verdict verdict_of(outcome&& seen, bool test) const;
  json window_of(const outcome& seen) const;
  std::string summary_of(const outcome& seen, const json& labels) const;

  const trigger& when_;
  window_spec spec_;
  json shown_; ///< of the trigger_spec, for references
  group_by groups_;
  std::optional<field_path> field_, time_field_;
  window_table table_;

  std::string key_, value_bytes_; ///< kept for their memory
  std::vector<outcome> outcomes_;
  std::string record_;
  std::uint64_t record_serial_ = 1, record_keys_ = 0;
  std::int64_t recorded_at_ = 0, recorded_arrival_ = 0;
};

} // namespace tobit::rule::window
