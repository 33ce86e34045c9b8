#pragma once

#include "actors/rule/alert/rule_alerts.hpp"
#include "actors/rule/debug/rule_watch.hpp"
#include "actors/rule/evaluator.hpp"
#include "actors/rule/firing.hpp"
#include "actors/rule/firing_throttle.hpp"
#include "actors/rule/rule_memory.hpp"
#include "actors/rule/trigger.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tobit::rule {

/// One rule: its compiled definition, what it remembers, and what it decides about each message. Pure: no clock, no
/// I/O.
///
/// Inputs go to the rule's evaluator, which gives verdicts about keys; each verdict goes through `conclude`.
///
/// Exactly once: a tick whose due time is not later than the last decided one decides nothing, and so does an event
/// whose offset is not beyond the partition's. The new offset is part of the decision that fires. A rule that remembers
/// nothing of events that do not match writes the offset only every `unmatched_max` events, for judging such an event
/// again changes nothing. A rule that remembers (windows, patterns, baselines) journals what it took with every
/// message: `decide` changes the evaluator at once, and the runtime loads the rule again if the commit fails.
class rule_state final : public entity::entity_logic {
public:
  /// Unmatched events of one partition after which the offset is written down.
  static constexpr std::int64_t unmatched_max = 1'000;

  /// Precondition: `definition` is normalised. Throws json::exception if it is not.
  /// `firings_per_minute`: of a rule that names no limit.
  rule_state(const entity_ref& ref, std::int64_t version, const json& definition,
             std::int64_t firings_per_minute = firings_per_minute_default);

  result<entity::decision> decide(const message& request, const entity::moment& at) override;
  void apply(const message& event) override;
  std::string snapshot() const override;
  result<void> restore(std::string_view snapshot) override;
  result<void> take_over(const entity_logic& before) override;
  std::optional<utc_time> wake_at() const override;
  /// Alerts that a new version cannot keep, or that a deleted rule leaves, are resolved with the reason.
  entity::decision greet(const entity::moment& at) override;
  entity::decision farewell(const entity::moment& at) override;
  json view() const override;

private:
  /// One message being decided.
  struct turn {
    const entity::moment& at;
    entity::decision out = {};
    std::int64_t judged = 0, matched = 0, fired = 0, failed = 0, throttled = 0;
    std::int64_t due_at_us = 0, observed_at_us = 0;
  };
  /// What a verdict came from, for the payload of its actions.
  struct cause {
    std::string_view wake; ///< "tick", "metric", "event", "payload"
    subject where;
    const event::event* event = nullptr;
    json woken_by = nullptr; ///< filled in only where it costs nothing
  };

  // rule_inputs.cpp: what wakes the rule
  result<entity::decision> on_tick(const run_tick& tick, const entity::moment& at);
  result<entity::decision> on_metric(const evaluate_metric& metric, const entity::moment& at);
  result<entity::decision> on_events(const evaluate_events& batch, const entity::moment& at);
  result<entity::decision> on_wake(const entity::moment& at);
  /// Journals what the evaluator took, and what the turn fired. True if something was taken.
  bool close(turn& t, std::int64_t partition, std::uint64_t offset);

  /// Shows the evaluator an input; `settle` concludes what it has to say.
  void take(const input& in, const cause& from, turn& t);
  void settle(const cause& from, turn& t);

  // debug/rule_debug.cpp: the same while somebody watches
  result<entity::decision> on_watch(const watch_rule& request, const entity::moment& at);
  void take_watched(const input& in, const cause& from, turn& t);
  void conclude_watched(key_verdict verdict, const cause& from, turn& t);

  // rule_answers.cpp: what people ask
  result<entity::decision> on_trigger(const trigger_rule& request, const entity::moment& at);
  result<entity::decision> on_simulate(const simulate_rule& request, const entity::moment& at);
  result<entity::decision> on_reset(const reset_baseline& request, const entity::moment& at);
  /// `e`: the payload as an event, if it is one. The answer refers to both.
  occasion asked_for(const json& payload, const std::string& executed_by, const std::optional<event::event>& e,
                     const entity::moment& at) const;

  // rule_runs.cpp: what becomes of a firing
  result<entity::decision> on_settled(const entity::effect_settled& told, const entity::moment& at);
  /// Of a rule that will not be there when they end.
  void cancel_runs(const std::string& why, const entity::moment& at, entity::decision& out) const;
  void abandon_old_runs(const entity::moment& at, entity::decision& out) const;
  void note_throttled(std::int64_t firings, const entity::moment& at, entity::decision& out);
  /// Whether this rule may be triggered by the last of these rules.
  result<void> check_chain(const std::vector<std::string>& chain) const;

  // rule_state.cpp: from verdicts to actions
  /// The one way from a verdict to what follows from it.
  void conclude(key_verdict verdict, const cause& from, turn& t);
  /// Whether the rule may fire once more in this minute; counts it.
  bool admitted(turn& t);
  void fire(key_verdict verdict, const cause& from, turn& t, bool resolved = false);
  /// What the rule's alerts make of a verdict, or of time, runs its actions.
  void alert(const key_verdict& verdict, const cause& from, turn& t);
  void act_on(const alert_change& change, const key_verdict& verdict, const cause& from, turn& t);
  static std::string next_exec_id(const turn& t);
  void record_failure(key_verdict verdict, turn& t);
  execution row(const std::string& exec_id, std::string_view status, std::string by, const entity::moment& at) const;
  void note_failure(const std::string& why, const entity::moment& at);

  /// What is known about a partition without having been written down.
  struct seen_offset {
    std::uint64_t offset = 0;
    std::int64_t unmatched = 0;
  };

  rule_identity identity_;
  bool active_;
  trigger trigger_;
  action_list actions_;
  std::uint64_t trigger_mark_;
  rule_memory memory_;
  std::unique_ptr<evaluator> evaluator_; ///< refers to `trigger_`
  rule_alerts alerts_;
  firing_throttle throttle_;
  std::int64_t taken_sequence_ = 0;   ///< what the evaluator's state holds; ahead of the memory within a decision
  std::vector<key_verdict> verdicts_; ///< kept for its memory
  std::map<std::int64_t, seen_offset> seen_;
  rule_watch watch_;         ///< shows, never decides
  json explained_ = nullptr; ///< of the input being shown, for verdicts that come without an explanation
  // Figures since this entity woke up; they are shown and never decide anything.
  std::int64_t evaluated_ = 0, matched_ = 0, failed_ = 0;
  std::string last_error_;
  std::int64_t last_error_at_us_ = 0;
};

} // namespace tobit::rule
