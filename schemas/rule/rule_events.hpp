#pragma once

#include "schemas/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What a rule writes into its journal. Replayed in order they give the rule's state again; nobody else sends them.
namespace tobit::rule {

/// The rule acted, once or several times (a batch of events), and by what it was woken.
struct rule_fired {
  static constexpr std::string_view wire_name = "tobit.rule.fired.v1";
  std::int64_t at_us = 0; ///< when it was decided, UTC microseconds
  std::int64_t firings = 1;
  std::int64_t due_at_us = 0;      ///< of the tick; 0: not a tick
  std::int64_t observed_at_us = 0; ///< of the metric; 0: not a metric
};

/// Everything up to this offset of the event log is decided.
struct offset_advanced {
  static constexpr std::string_view wire_name = "tobit.rule.offset_advanced.v1";
  std::int64_t partition = 0;
  std::uint64_t offset = 0;
};

/// The verdict about a metric changed (rules that fire on change).
struct metric_seen {
  static constexpr std::string_view wire_name = "tobit.rule.metric_seen.v1";
  bool matched = false;
};

/// A rule with a window, a pattern or a baseline took inputs. Replayed in order they give its evaluator's state again.
struct inputs_taken {
  static constexpr std::string_view wire_name = "tobit.rule.inputs_taken.v1";
  std::int64_t sequence = 0; ///< 1, 2, … within the rule; what the state already holds is not taken again
  std::uint64_t trigger = 0; ///< marks the trigger_spec that the record was made for
  std::int64_t partition = -1;
  std::uint64_t offset = 0;        ///< everything of the partition up to here is decided; only if partition >= 0
  std::int64_t observed_at_us = 0; ///< of the metric; 0: not a metric
  json record;                     ///< as the evaluator wrote it
};

/// Values joined the baseline of an anomaly rule, oldest first. Of earlier releases; today `inputs_taken` holds them.
struct baseline_grown {
  static constexpr std::string_view wire_name = "tobit.rule.baseline_grown.v1";
  std::vector<double> values;
};

/// Actions of an execution are under way, or wait for their turn.
struct run_begun {
  static constexpr std::string_view wire_name = "tobit.rule.run_begun.v1";
  json run; ///< see actors/rule/action_run.hpp
};

/// Actions of an execution began or ended.
struct run_moved {
  static constexpr std::string_view wire_name = "tobit.rule.run_moved.v1";
  std::string exec_id;
  json steps; ///< list of {place, status, effect_id, error}
};

/// Executions whose end nobody will report any more.
struct runs_abandoned {
  static constexpr std::string_view wire_name = "tobit.rule.runs_abandoned.v1";
  std::vector<std::string> exec_ids;
};

/// Firings were left out because there were too many in this minute.
struct firings_throttled {
  static constexpr std::string_view wire_name = "tobit.rule.throttled.v1";
  std::int64_t at_us = 0, firings = 0;
};

/// Another rule's message was taken.
struct trigger_taken {
  static constexpr std::string_view wire_name = "tobit.rule.trigger_taken.v1";
  std::string delivery_id;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(rule_fired, at_us, firings, due_at_us, observed_at_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(offset_advanced, partition, offset)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(metric_seen, matched)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(inputs_taken, sequence, trigger, partition, offset, observed_at_us,
                                                record)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(baseline_grown, values)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(run_begun, run)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(run_moved, exec_id, steps)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(runs_abandoned, exec_ids)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(firings_throttled, at_us, firings)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(trigger_taken, delivery_id)

} // namespace tobit::rule
