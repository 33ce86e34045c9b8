#pragma once

#include "schemas/event/event.hpp"
#include "schemas/message.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What can be said to a rule besides the messages every entity understands (`schemas/entity/entity_protocol.hpp`).
namespace tobit::rule {

inline constexpr std::string_view kind_name = "rule";

/// A tick of the rule's schedule is due. Answer: `tick_done`. A repeated tick (same `due_at`) decides nothing again.
struct run_tick {
  static constexpr std::string_view wire_name = "tobit.rule.run_tick.v1";
  std::int64_t due_at_us = 0; ///< UTC microseconds
  std::int64_t missed = 0;    ///< due ticks that this one stands for (policy `once`)
};
struct tick_done {
  static constexpr std::string_view wire_name = "tobit.rule.tick_done.v1";
  bool fired = false;
};

/// A metric was read. Answer: `metric_evaluated`.
struct evaluate_metric {
  static constexpr std::string_view wire_name = "tobit.rule.evaluate_metric.v1";
  json payload;      ///< what the source answered; null if it failed
  std::string error; ///< why it failed, empty if it did not
  std::int64_t observed_at_us = 0;
};
struct metric_evaluated {
  static constexpr std::string_view wire_name = "tobit.rule.metric_evaluated.v1";
  bool matched = false;
};

/// Events from the log that the rule's filter lets through, in the order of their offsets. The rule skips offsets it
/// has already decided on. Answer: `events_evaluated`, after everything that was decided is durable.
struct evaluate_events {
  static constexpr std::string_view wire_name = "tobit.rule.evaluate_events.v1";
  std::int64_t partition = 0;
  std::vector<event::logged_event> events;
};
struct events_evaluated {
  static constexpr std::string_view wire_name = "tobit.rule.events_evaluated.v1";
  std::int64_t matched = 0;
};

/// Rules that trigger each other stand in a row of at most so many.
inline constexpr std::size_t trigger_depth_max = 8;

/// Somebody fires the rule by hand, or another rule does. Answer: `rule_triggered`; its effects settle later under
/// `exec_id`. A rule that is in its own `chain`, is paused or throttled refuses other rules (`unprocessable`).
struct trigger_rule {
  static constexpr std::string_view wire_name = "tobit.rule.trigger.v1";
  json payload;
  std::string executed_by;
  std::vector<std::string> chain{}; ///< the rules that led to this, the first one first; empty: a person
  std::string delivery_id{};        ///< of a message between rules: a repetition is answered and does nothing
};
struct rule_triggered {
  static constexpr std::string_view wire_name = "tobit.rule.triggered.v1";
  std::string exec_id;
  bool matched = false;
  bool waits_for_effects = false; ///< there are effects to wait for under the correlation `exec_id`
  json references;                ///< how the verdict came about, as in the contract §2.3
  std::string error{};            ///< an action failed at once; empty: none did
};

/// Evaluates without acting. Answer: `rule_simulated`. Leaves an execution row with status `dry_run`.
struct simulate_rule {
  static constexpr std::string_view wire_name = "tobit.rule.simulate.v1";
  json payload;
  std::string executed_by;
};
struct rule_simulated {
  static constexpr std::string_view wire_name = "tobit.rule.simulated.v1";
  json simulation; ///< {condition_evaluated, would_execute, resolved_action, references}
};

/// Forgets what an anomaly rule has learned. Answer: `baseline_reset`. Errors: conflict for other rules, not_found for
/// a group without a baseline.
struct reset_baseline {
  static constexpr std::string_view wire_name = "tobit.rule.reset_baseline.v1";
  json group; ///< {"host": "db-1"}: only of this group; null: of all
};
struct baseline_reset {
  static constexpr std::string_view wire_name = "tobit.rule.baseline_reset.v1";
  std::int64_t groups = 0; ///< whose baselines are gone
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(reset_baseline, group)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(baseline_reset, groups)
/// Somebody wants to see every evaluation for a while. Several watchers share one budget: the latest end, the largest
/// numbers. Not durable: a restart of the rule ends it. Answer: `rule_watched`. Items go to `debug_topic`.
struct watch_rule {
  static constexpr std::string_view wire_name = "tobit.rule.watch.v1";
  std::int64_t until_us = 0; ///< at most an hour from now
  std::int64_t per_second_max = 100;
  std::int64_t total_max = 10'000;
  bool only_matched = false;
};
struct rule_watched {
  static constexpr std::string_view wire_name = "tobit.rule.watched.v1";
  std::int64_t until_us = 0;
  std::int64_t total_max = 0;
};
/// Where evaluations are published: events `evaluation` and `expired`.
inline std::string debug_topic(const std::string& rule_id, bool only_matched) {
  return "rule.debug." + rule_id + (only_matched ? ".matched" : "");
}

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(watch_rule, until_us, per_second_max, total_max, only_matched)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(rule_watched, until_us, total_max)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(run_tick, due_at_us, missed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(tick_done, fired)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(evaluate_metric, payload, error, observed_at_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(metric_evaluated, matched)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(events_evaluated, matched)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(trigger_rule, payload, executed_by, chain, delivery_id)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(rule_triggered, exec_id, matched, waits_for_effects, references, error)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(simulate_rule, payload, executed_by)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(rule_simulated, simulation)
void to_json(json& out, const evaluate_events& m);
void from_json(const json& in, evaluate_events& m);

void register_rule_messages();

} // namespace tobit::rule
