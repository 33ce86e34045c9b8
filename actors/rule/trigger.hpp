#pragma once

#include "actors/rule/anomaly.hpp"
#include "actors/rule/condition.hpp"
#include "runtime/entity/entity_logic.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule {

enum class trigger_type : std::uint8_t { schedule, metric, event, anomaly, pattern };
std::string_view to_string(trigger_type type) noexcept;

/// What a rule thinks of one payload, event or reading.
struct trigger_verdict {
  bool matched = false;
  json references;             ///< how it came about, as in the contract §2.3; bounded
  std::string error;           ///< why no verdict was possible (path leads nowhere, not a number); then not matched
  std::optional<number> value; ///< the one number that is judged, if there is one: see `trigger::value_in`
  std::string summary;         ///< one line for people: "cpu.percent is 93 (> 90)"
};

/// When a rule looks, and for what: a normalised `trigger_spec`, compiled. Immutable; thread-safe.
class trigger {
public:
  /// Precondition: `definition` is a normalised rule.
  explicit trigger(const json& definition);

  trigger_type type() const noexcept { return type_; }
  bool fires_on_change() const noexcept { return on_change_; }
  /// Values of an anomaly rule join its baseline (none was given in the definition).
  bool learns() const noexcept { return detector_ && fixed_baseline_.empty(); }
  bool takes_events() const noexcept;
  bool polls() const noexcept { return polls_; }
  /// A poll gives several readings at once: {"readings": […]}.
  bool judges_each_series() const noexcept { return each_series_; }

  /// The filters on type and source. No allocation.
  bool lets_through(const event::event& e) const noexcept;

  /// The verdict alone for an event that the filters let through. No allocation. Not for anomaly rules.
  bool matches(const subject& where) const noexcept { return !condition_ || condition_->matches(where); }

  /// The number that an event rule with a single comparison compares, matching or not.
  std::optional<number> value_in(const subject& where) const noexcept;

  /// The verdict with its explanation. `learned`: the baseline so far; `test`: somebody tries the rule with a payload.
  trigger_verdict explain(const subject& where, const std::vector<double>& learned, bool test) const;

  /// For anomaly rules: the values that are judged by, and the detector.
  const std::vector<double>& baseline(const std::vector<double>& learned) const noexcept;
  const anomaly_detector* detector() const noexcept { return detector_ ? &*detector_ : nullptr; }

private:
  trigger_verdict explain_metric(const subject& where, bool test) const;
  trigger_verdict explain_event(const subject& where) const;
  trigger_verdict explain_anomaly(const subject& where, const std::vector<double>& learned) const;

  trigger_type type_;
  bool on_change_ = false;
  bool polls_ = false, each_series_ = false;
  json spec_; ///< what references show of it: no headers
  std::vector<std::string> types_, sources_;
  std::optional<condition> condition_;
  std::optional<field_path> value_path_;
  std::optional<expectation> threshold_;
  std::optional<anomaly_detector> detector_;
  std::vector<double> fixed_baseline_;
};

/// What an enabled rule with this normalised definition wants to be woken by.
std::vector<entity::interest> interests_of(const json& definition);

} // namespace tobit::rule
