#pragma once

#include "actors/rule/comparison.hpp"
#include "actors/rule/condition.hpp"
#include "actors/rule/field_reader.hpp"
#include "actors/rule/trigger.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The section `alert` of a rule: how verdicts become alerts. docs/alerting.md says it for users.
namespace tobit::rule {

/// When a firing alert counts as cleared, if that is more than "does not match any more".
class clear_test {
public:
  /// Precondition: a normalised `clear`.
  explicit clear_test(const json& spec);

  /// `where` may be null (time went on without an input): then only a threshold can be judged.
  bool cleared(const trigger_verdict& verdict, const subject* where) const;

private:
  std::optional<expectation> threshold_; ///< compared with the verdict's value
  std::optional<condition> condition_;
};

/// The terms, compiled. Times in microseconds; 0 switches a term off.
struct alert_terms {
  std::int64_t pending_for_us = 0;     ///< how long it must match before it fires
  std::int64_t keep_firing_us = 0;     ///< how long it goes on firing after it cleared
  std::int64_t resolve_after_us = 0;   ///< resolves when nothing matched for so long
  std::int64_t cooldown_us = 0;        ///< after a resolution the key stays quiet for so long
  std::int64_t firings_per_hour = 0;   ///< of the whole rule
  std::int64_t flapping_window_us = 0; ///< with `flapping_changes` in it an alert counts as flapping
  std::int64_t flapping_changes = 0;
  std::size_t keys_max = 10'000;
  std::optional<clear_test> clear;
  json labels = json::object();
  json annotations = json::object();
  std::vector<field_path>
      keep; ///< fields that annotations and actions name: an alert remembers them, for it outlives its input

  /// The terms of a normalised rule; nothing for a rule without alerts.
  static std::optional<alert_terms> of(const json& definition);
};

/// Checks the section as users write it and gives its normalised form. `spec` may be null: all defaults.
/// `trigger_type` and `trigger_spec` (normalised) give the default of `resolve_after_seconds`.
json read_alert(verdict& v, const json& spec, std::string_view trigger_type, const json& trigger_spec);

} // namespace tobit::rule
