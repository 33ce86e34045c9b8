#include "actors/rule/rule_state.hpp"

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
  const auto text = definition.at("trigger_type").get<std::string>() + to_text(spec);
  return XXH3_64bits(text.data(), text.size());
}

/// An event if that is what the payload looks like: a CloudEvent, or a bare object with `type` and `data`.
std::optional<event::event> as_event(const json& payload, utc_time now) {
  const auto type = payload.is_object() ? payload.find("type") : payload.end();
  if (!payload.is_object() || type == payload.end() || !type->is_string() || !payload.contains("data"))
    return std::nullopt;
  auto e = event::from_cloudevent(payload);
  if (e && !payload.contains("time")) e->time = now;
  return e ? std::optional(std::move(*e)) : std::nullopt;
}

json time_or_null(std::int64_t micros) { return micros == 0 ? json() : json(to_rfc3339(from_micros(micros))); }

} // namespace

rule_state::rule_state(const entity_ref& ref, std::int64_t version, const json& definition)
    : identity_{ref, version, definition.at("rule_name").get<std::string>(),
                definition.at("severity").get<std::string>()}
    , active_(definition.at("is_active").get<bool>())
    , trigger_(definition)
    , actions_(definition.at("action_spec"))
    , trigger_mark_(mark_of(definition)) {
  if (trigger_.detector()) memory_.baseline_max = trigger_.detector()->baseline_max();
}

result<void> rule_state::restore(std::string_view snapshot) {
  auto read = from_snapshot(snapshot, trigger_mark_);
  if (!read) return fail(std::move(read.error()));
  read->baseline_max = memory_.baseline_max;
  memory_ = std::move(*read);
  seen_.clear();
  return {};
}

result<entity::decision> rule_state::decide(const message& request, const entity::moment& at) {
  if (const auto* m = request.as<evaluate_events>()) return on_events(*m, at);
  if (const auto* m = request.as<run_tick>()) return on_tick(*m, at);
  if (const auto* m = request.as<evaluate_metric>()) return on_metric(*m, at);
  if (const auto* m = request.as<trigger_rule>()) return on_trigger(*m, at);
  if (const auto* m = request.as<simulate_rule>()) return on_simulate(*m, at);
  return fail(error_code::not_implemented,
              "A rule does not understand the message " + std::string(request.name()) + ".");
}

result<entity::decision> rule_state::on_tick(const run_tick& tick, const entity::moment& at) {
  entity::decision out;
  const bool due = active_ && trigger_.type() == trigger_type::schedule && tick.due_at_us > memory_.last_due_at_us;
  out.reply = message::of(tick_done{due});
  if (!due) return out;
  ++evaluated_, ++matched_;
  const json due_at = to_rfc3339(from_micros(tick.due_at_us));
  const json woken_by{{"due_at", due_at}, {"missed", tick.missed}};
  auto verdict = trigger_.explain(subject::of(woken_by), {}, false);
  verdict.references["due_at"] = due_at;
  verdict.references["missed"] = tick.missed;
  verdict.summary = "due at " + due_at.get<std::string>();
  actions_.fire(identity_,
                {std::string(at.decision_id), "schedule", "tick", woken_by, subject::of(woken_by), std::move(verdict)},
                at, out);
  out.events.push_back(message::of(rule_fired{to_micros(at.now), 1, tick.due_at_us, 0}));
  return out;
}

result<entity::decision> rule_state::on_metric(const evaluate_metric& metric, const entity::moment& at) {
  entity::decision out;
  out.reply = message::of(metric_evaluated{});
  const bool polls =
      trigger_.type() == trigger_type::metric || (trigger_.type() == trigger_type::anomaly && !trigger_.takes_events());
  const bool repeated = metric.observed_at_us != 0 && metric.observed_at_us == memory_.last_observed_at_us;
  if (!active_ || !polls || repeated) return out;
  ++evaluated_;
  const std::string exec_id(at.decision_id);
  const std::string by(to_string(trigger_.type()));
  auto verdict = metric.error.empty() ? trigger_.explain(subject::of(metric.payload), memory_.baseline, false)
                                      : trigger_verdict{false, json::object(), metric.error, {}, {}};
  if (!verdict.error.empty()) {
    note_failure(verdict.error, at);
    auto failed = row(exec_id, "fail", by, at);
    failed.error = verdict.error;
    failed.references = {{"trigger", std::move(verdict.references)}, {"action", nullptr}};
    out.statements.push_back(insert_execution(failed));
    return out;
  }
  matched_ += verdict.matched;
  out.reply = message::of(metric_evaluated{verdict.matched});
  const bool fires = verdict.matched && !(trigger_.fires_on_change() && memory_.metric_matched);
  if (trigger_.fires_on_change() && verdict.matched != memory_.metric_matched)
    out.events.push_back(message::of(metric_seen{verdict.matched}));
  if (trigger_.learns() && verdict.value)
    out.events.push_back(message::of(baseline_grown{{verdict.value->approximate()}}));
  if (!fires) return out;
  const json woken_by{{"value", verdict.value->to_json()}, {"observed_at", time_or_null(metric.observed_at_us)}};
  actions_.fire(identity_, {exec_id, by, "metric", woken_by, subject::of(metric.payload), std::move(verdict)}, at, out);
  out.events.push_back(message::of(rule_fired{to_micros(at.now), 1, 0, metric.observed_at_us}));
  return out;
}

struct rule_state::batch_outcome {
  std::int64_t judged = 0, fired = 0, failed = 0;
  std::vector<double> learned; ///< the baseline with what this batch adds
  std::vector<double> added;
};

void rule_state::judge_event(const event::logged_event& e, const entity::moment& at, batch_outcome& so_far,
                             entity::decision& out) {
  if (!trigger_.lets_through(*e.body)) return;
  ++so_far.judged;
  const auto where = subject::of(*e.body);
  const bool anomaly = trigger_.type() == trigger_type::anomaly;
  if (!anomaly && !trigger_.matches(where)) return;
  auto verdict = trigger_.explain(where, anomaly && trigger_.learns() ? so_far.learned : memory_.baseline, false);
  std::string exec_id(at.decision_id);
  if (so_far.fired + so_far.failed > 0) exec_id += "/" + std::to_string(so_far.fired + so_far.failed);
  const std::string by(to_string(trigger_.type()));
  if (!verdict.error.empty()) {
    ++so_far.failed;
    note_failure(verdict.error, at);
    auto failed = row(exec_id, "fail", by, at);
    failed.error = verdict.error;
    failed.references = {{"trigger", std::move(verdict.references)}, {"action", nullptr}};
    out.statements.push_back(insert_execution(failed));
    return;
  }
  if (trigger_.learns() && verdict.value) {
    so_far.learned.push_back(verdict.value->approximate());
    so_far.added.push_back(verdict.value->approximate());
    if (so_far.learned.size() > memory_.baseline_max) so_far.learned.erase(so_far.learned.begin());
  }
  if (!verdict.matched) return;
  ++so_far.fired;
  actions_.fire(identity_, {exec_id, by, "event", event::to_cloudevent(*e.body), where, std::move(verdict)}, at, out);
}

result<entity::decision> rule_state::on_events(const evaluate_events& batch, const entity::moment& at) {
  entity::decision out;
  batch_outcome outcome;
  if (trigger_.learns()) outcome.learned = memory_.baseline;
  auto& seen = seen_[batch.partition];
  const auto decided = memory_.offsets.find(batch.partition);
  bool any =
      decided != memory_.offsets.end() || seen.unmatched > 0; // offsets begin at 0: without this, 0 would be skipped
  std::uint64_t last =
      std::max(decided != memory_.offsets.end() ? decided->second : 0, seen.unmatched > 0 ? seen.offset : 0);
  if (active_ && trigger_.takes_events()) {
    for (const auto& e : batch.events) {
      if (any && e.offset <= last) continue;
      any = true;
      last = e.offset;
      ++seen.unmatched;
      judge_event(e, at, outcome, out);
    }
  }
  evaluated_ += outcome.judged;
  matched_ += outcome.fired;
  seen.offset = last;
  if (!outcome.added.empty()) out.events.push_back(message::of(baseline_grown{std::move(outcome.added)}));
  if (outcome.fired > 0) out.events.push_back(message::of(rule_fired{to_micros(at.now), outcome.fired, 0, 0}));
  if (!out.events.empty() || !out.statements.empty() || seen.unmatched >= unmatched_max) {
    out.events.push_back(message::of(offset_advanced{batch.partition, last}));
    seen.unmatched = 0;
  }
  out.reply = message::of(events_evaluated{outcome.fired});
  return out;
}

result<entity::decision> rule_state::on_trigger(const trigger_rule& request, const entity::moment& at) {
  entity::decision out;
  ++evaluated_;
  const auto e = trigger_.takes_events() ? as_event(request.payload, at.now) : std::nullopt;
  const auto where = e ? subject::of(*e) : subject::of(request.payload);
  const std::string exec_id(at.decision_id);
  auto verdict = trigger_.explain(where, memory_.baseline, true);
  auto references = bounded(verdict.references, references_bytes_max);
  const auto by = request.executed_by.empty() ? at.context.who->principal.value : request.executed_by;
  if (!verdict.matched) {
    auto dry = row(exec_id, "dry_run", by, at);
    dry.error = verdict.error;
    dry.references = {{"trigger", references}, {"action", nullptr}};
    if (!verdict.error.empty()) note_failure(verdict.error, at);
    out.statements.push_back(insert_execution(dry));
    out.reply = message::of(rule_triggered{exec_id, false, false, std::move(references)});
    return out;
  }
  ++matched_;
  const bool waits =
      actions_.fire(identity_, {exec_id, by, "payload", request.payload, where, std::move(verdict)}, at, out);
  out.events.push_back(message::of(rule_fired{to_micros(at.now), 1, 0, 0}));
  out.reply = message::of(rule_triggered{exec_id, true, waits, std::move(references)});
  return out;
}

result<entity::decision> rule_state::on_simulate(const simulate_rule& request, const entity::moment& at) {
  entity::decision out;
  const auto e = trigger_.takes_events() ? as_event(request.payload, at.now) : std::nullopt;
  const auto where = e ? subject::of(*e) : subject::of(request.payload);
  const std::string exec_id(at.decision_id);
  const auto by = request.executed_by.empty() ? at.context.who->principal.value : request.executed_by;
  occasion why{exec_id, by, "payload", request.payload, where, trigger_.explain(where, memory_.baseline, true)};
  auto action = actions_.resolved(identity_, why, at);
  auto references = bounded(std::move(why.verdict.references), references_bytes_max);
  auto dry = row(exec_id, "dry_run", by, at);
  dry.error = why.verdict.error;
  dry.references = {{"trigger", references}, {"action", action}};
  out.statements.push_back(insert_execution(dry));
  out.reply = message::of(rule_simulated{{{"condition_evaluated", why.verdict.matched},
                                          {"would_execute", why.verdict.matched && !actions_.empty()},
                                          {"resolved_action", std::move(action)},
                                          {"references", std::move(references)},
                                          {"exec_id", exec_id}}});
  return out;
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

json rule_state::view() const {
  auto offsets = json::object();
  for (const auto& [partition, offset] : memory_.offsets) offsets[std::to_string(partition)] = offset;
  json out{{"rule_name", identity_.name},
           {"trigger_type", to_string(trigger_.type())},
           {"is_active", active_},
           {"fired", memory_.fired},
           {"last_fired_at", time_or_null(memory_.last_fired_at_us)},
           {"evaluated", evaluated_},
           {"matched", matched_},
           {"failed", failed_},
           {"last_error", last_error_.empty() ? json() : json(last_error_)},
           {"last_error_at", time_or_null(last_error_at_us_)},
           {"last_due_at", time_or_null(memory_.last_due_at_us)},
           {"offsets", std::move(offsets)}};
  if (trigger_.fires_on_change()) out["metric_matched"] = memory_.metric_matched;
  if (const auto* detector = trigger_.detector()) {
    const auto& values = trigger_.baseline(memory_.baseline);
    json summary;
    if (!values.empty()) {
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      double sum = 0;
      for (double v : values) sum += v;
      summary = {{"min", *low}, {"max", *high}, {"mean", sum / static_cast<double>(values.size())}};
    }
    out["anomaly"] = {{"method", detector->method()},
                      {"baseline_count", values.size()},
                      {"baseline_source", trigger_.learns() ? "learned" : "trigger_spec"},
                      {"baseline_summary", std::move(summary)}};
  }
  return out;
}

} // namespace tobit::rule
