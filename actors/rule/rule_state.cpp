#include "actors/rule/rule_state.hpp"

#include "actors/rule/make_evaluator.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_events.hpp"

#include <xxhash.h>

#include <algorithm>

namespace tobit::rule {

namespace {

/// Changes when what is read or compared changes; a new poll interval or threshold of a detector keeps what was
/// learned.
std::uint64_t mark_of(const json& definition) {
  auto spec = definition.at("trigger_spec");
  for (auto name : {"anomaly_config", "baseline_values", "poll_interval_seconds", "timeout_ms", "headers", "fire"})
    spec.erase(name);
  // Hours mean something else, then.
  if (const auto config = definition.at("trigger_spec").find("anomaly_config");
      config != definition.at("trigger_spec").end() && config->value("seasonality", "none") != "none")
    spec["seasonality"] = (*config)["seasonality"];
  // A window's state knows nothing of what its value is compared with, nor how many keys there may be.
  spec.erase("max_keys");
  if (const auto aggregation = spec.find("aggregation"); aggregation != spec.end()) {
    for (auto name : {"op", "threshold"}) aggregation->erase(name);
    for (auto name : {"op", "threshold"})
      if (definition.at("trigger_type") == "metric") spec.erase(name);
  }
  const auto text = definition.at("trigger_type").get<std::string>() + to_text(spec);
  return XXH3_64bits(text.data(), text.size());
}

json time_or_null(std::int64_t micros) { return micros == 0 ? json() : json(to_rfc3339(from_micros(micros))); }

} // namespace

rule_state::rule_state(const entity_ref& ref, std::int64_t version, const json& definition,
                       std::int64_t firings_per_minute)
    : identity_{ref, version, definition.at("rule_name").get<std::string>(),
                definition.at("severity").get<std::string>()}
    , active_(definition.at("is_active").get<bool>())
    , trigger_(definition)
    , actions_(definition.at("action_spec"))
    , trigger_mark_(mark_of(definition))
    , evaluator_(make_evaluator(definition, trigger_))
    , alerts_(definition, ref)
    , throttle_(definition.value("max_firings_per_minute", firings_per_minute)) {}

// -- state ----------------------------------------------------------------------------------------------------------

std::string rule_state::snapshot() const {
  return to_snapshot(memory_, evaluator_->snapshot(), trigger_mark_, alerts_.snapshot());
}

result<void> rule_state::restore(std::string_view snapshot) {
  auto read = from_snapshot(snapshot, trigger_mark_);
  if (!read) return fail(std::move(read.error()));
  if (auto restored = evaluator_->restore(read->evaluator); !restored) return restored;
  if (!read->baseline.empty()) evaluator_->replay({{"values", std::move(read->baseline)}});
  try {
    alerts_.restore(read->alerts);
  } catch (const json::exception&) {
    return fail(error_code::internal_server_error, "The rule's snapshot holds damaged alerts.");
  }
  memory_ = std::move(read->memory);
  taken_sequence_ = memory_.inputs_sequence;
  seen_.clear();
  return {};
}

result<void> rule_state::take_over(const entity_logic& before) {
  // Whoever watches a rule while he edits it goes on watching.
  if (const auto* earlier = dynamic_cast<const rule_state*>(&before)) watch_ = earlier->watch_;
  return restore(before.snapshot());
}

void rule_state::apply(const message& event) {
  if (const auto* taken = event.as<inputs_taken>(); taken && taken->sequence > taken_sequence_) {
    // A record for a trigger_spec of the past has nothing to say to this one's evaluator.
    if (taken->trigger == trigger_mark_) evaluator_->replay(taken->record);
    taken_sequence_ = taken->sequence;
  } else if (const auto* moved = event.as<alerts_moved>()) {
    alerts_.apply(*moved);
  } else if (const auto* grown = event.as<baseline_grown>()) {
    evaluator_->replay({{"values", grown->values}});
  }
  memory_.apply(event);
}

std::optional<utc_time> rule_state::wake_at() const {
  std::optional<utc_time> first;
  for (const auto& due : {active_ ? evaluator_->wake_at() : std::nullopt, alerts_.wake_at(), watch_.until()})
    if (due && (!first || *due < *first)) first = due;
  return first;
}

entity::decision rule_state::greet(const entity::moment& at) {
  entity::decision out;
  if (alerts_.retiring()) {
    alerts_.advance(at);
    alerts_.close(identity_, at, out);
  }
  return out;
}

entity::decision rule_state::farewell(const entity::moment& at) {
  entity::decision out;
  alerts_.end(identity_, "the rule was deleted", at, out);
  cancel_runs("The rule was deleted before this action ended.", at, out);
  return out;
}

// -- messages -------------------------------------------------------------------------------------------------------

result<entity::decision> rule_state::decide(const message& request, const entity::moment& at) {
  if (const auto* m = request.as<evaluate_events>()) return on_events(*m, at);
  if (const auto* m = request.as<run_tick>()) return on_tick(*m, at);
  if (const auto* m = request.as<evaluate_metric>()) return on_metric(*m, at);
  if (request.as<entity::wake_entity>()) return on_wake(at);
  if (const auto* m = request.as<entity::effect_settled>()) return on_settled(*m, at);
  if (const auto* m = request.as<trigger_rule>()) return on_trigger(*m, at);
  if (const auto* m = request.as<simulate_rule>()) return on_simulate(*m, at);
  if (const auto* m = request.as<reset_baseline>()) return on_reset(*m, at);
  if (const auto* m = request.as<watch_rule>()) return on_watch(*m, at);
  return fail(error_code::not_implemented,
              "A rule does not understand the message " + std::string(request.name()) + ".");
}

// -- from verdicts to actions ---------------------------------------------------------------------------------------

void rule_state::conclude(key_verdict verdict, const cause& from, turn& t) {
  if (!verdict.verdict.error.empty()) return record_failure(std::move(verdict), t);
  const bool matched = verdict.verdict.matched;
  t.matched += matched;
  if (alerts_.on()) return alert(verdict, from, t);
  bool fires = matched;
  if (trigger_.fires_on_change()) {
    fires = matched && !memory_.metric_matched;
    if (matched != memory_.metric_matched) t.out.events.push_back(message::of(metric_seen{matched}));
  }
  if (fires && admitted(t)) fire(std::move(verdict), from, t);
}

std::string rule_state::next_exec_id(const turn& t) {
  std::string id(t.at.decision_id);
  if (const auto others = t.fired + t.failed + t.throttled; others > 0) id += "." + std::to_string(others);
  return id;
}

void rule_state::alert(const key_verdict& verdict, const cause& from, turn& t) {
  const auto exec_id = next_exec_id(t);
  for (const auto& change : alerts_.take(verdict, from.where, t.at, exec_id)) act_on(change, verdict, from, t);
}

void rule_state::act_on(const alert_change& change, const key_verdict& verdict, const cause& from, turn& t) {
  if (change.status == "firing" && admitted(t)) fire(verdict, from, t);
  if (change.status == "resolved" && actions_.wants_resolved() && admitted(t))
    fire(rule_alerts::verdict_of(change.record), from, t, true);
}

bool rule_state::admitted(turn& t) {
  const bool may = throttle_.admit(t.at.now);
  t.throttled += !may;
  return may;
}

void rule_state::fire(key_verdict verdict, const cause& from, turn& t, bool resolved) {
  occasion why;
  why.resolved = resolved;
  why.exec_id = next_exec_id(t);
  why.executed_by = to_string(trigger_.type());
  why.wake = from.wake;
  why.where = from.where;
  if (!verdict.wake.empty()) {
    why.wake = verdict.wake;
    why.woken_by = std::move(verdict.woken_by);
    why.where = subject::of(why.woken_by);
  } else if (from.event) {
    why.woken_by = event::to_cloudevent(*from.event);
  } else if (from.wake == "metric") {
    why.woken_by = {{"value", verdict.verdict.value ? verdict.verdict.value->to_json() : json()},
                    {"observed_at", time_or_null(t.observed_at_us)}};
  } else {
    why.woken_by = from.woken_by;
  }
  why.labels = std::move(verdict.labels);
  why.verdict = std::move(verdict.verdict);
  ++t.fired;
  const auto outcome = actions_.fire(identity_, std::move(why), t.at, memory_.runs, t.out);
  if (!outcome.error.empty()) note_failure(outcome.error, t.at);
}

void rule_state::record_failure(key_verdict verdict, turn& t) {
  const auto exec_id = next_exec_id(t);
  ++t.failed;
  note_failure(verdict.verdict.error, t.at);
  auto failed = row(exec_id, "fail", std::string(to_string(trigger_.type())), t.at);
  failed.error = std::move(verdict.verdict.error);
  failed.references = {{"trigger", std::move(verdict.verdict.references)}, {"action", nullptr}};
  t.out.statements.push_back(insert_execution(failed));
}

execution rule_state::row(const std::string& exec_id, std::string_view status, std::string by,
                          const entity::moment& at) const {
  return {exec_id, identity_.ref.tenant, identity_.ref.key, identity_.version, at.now, status, std::move(by),
          {},      json::object(),       at.context.trace};
}

void rule_state::note_failure(const std::string& why, const entity::moment& at) {
  ++failed_;
  last_error_ = clip_text(why);
  last_error_at_us_ = to_micros(at.now);
}

// -- the view -------------------------------------------------------------------------------------------------------

json rule_state::view() const {
  auto offsets = json::object();
  for (const auto& [partition, offset] : memory_.offsets) offsets[std::to_string(partition)] = offset;
  json out{{"rule_name", identity_.name},
           {"trigger_type", to_string(trigger_.type())},
           {"is_active", active_},
           {"fired", memory_.fired},
           {"last_fired_at", time_or_null(memory_.last_fired_at_us)},
           {"throttled", memory_.throttled},
           {"max_firings_per_minute", throttle_.limit()},
           {"evaluated", evaluated_},
           {"matched", matched_},
           {"failed", failed_},
           {"last_error", last_error_.empty() ? json() : json(last_error_)},
           {"last_error_at", time_or_null(last_error_at_us_)},
           {"last_due_at", time_or_null(memory_.last_due_at_us)},
           {"offsets", std::move(offsets)}};
  if (trigger_.fires_on_change()) out["metric_matched"] = memory_.metric_matched;
  if (memory_.runs.size() > 0) out["runs"] = memory_.runs.view();
  if (alerts_.on()) out["alerts"] = alerts_.view();
  if (auto state = evaluator_->view(); state.is_object()) out.update(state);
  return out;
}

} // namespace tobit::rule
