#include "actors/rule/rule_state.hpp"
#include "runtime/entity/unit_parts.hpp"
#include "schemas/rule/rule_events.hpp"

/// What people ask of a rule: to act now, or to tell what it would do.
namespace tobit::rule {

namespace {

/// An event if that is what the payload looks like: a CloudEvent, or a bare object with `type` and `data`.
std::optional<event::event> as_event(const json& payload, utc_time now) {
  const auto type = payload.is_object() ? payload.find("type") : payload.end();
  if (!payload.is_object() || type == payload.end() || !type->is_string() || !payload.contains("data"))
    return std::nullopt;
  auto e = event::from_cloudevent(payload);
  if (e && !payload.contains("time")) e->time = now;
  return e ? std::optional(std::move(*e)) : std::nullopt;
}

} // namespace

occasion rule_state::asked_for(const json& payload, const std::string& executed_by,
                               const std::optional<event::event>& e, const entity::moment& at) const {
  occasion why;
  why.exec_id = at.decision_id;
  why.executed_by = executed_by.empty() ? at.context.who->principal.value : executed_by;
  why.wake = "payload";
  why.woken_by = payload;
  why.where = e ? subject::of(*e) : subject::of(payload);
  auto verdict = evaluator_->preview({why.where, e ? e->time : at.now, at.now, e ? &*e : nullptr});
  if (!verdict.wake.empty()) { // as in `fire`: placeholders look into what the evaluator made of the input
    why.wake = verdict.wake;
    why.woken_by = std::move(verdict.woken_by);
    why.where = subject::of(why.woken_by);
  }
  why.verdict = std::move(verdict.verdict);
  why.labels = std::move(verdict.labels);
  return why; // in place: `where` may refer to `woken_by`
}

result<entity::decision> rule_state::on_trigger(const trigger_rule& request, const entity::moment& at) {
  entity::decision out;
  if (auto allowed = check_chain(request.chain); !allowed) return fail(std::move(allowed.error()));
  if (memory_.knows(request.delivery_id)) {
    out.reply = message::of(rule_triggered{{}, true, false, json::object(), {}});
    return out;
  }
  ++evaluated_;
  const auto e = trigger_.takes_events() ? as_event(request.payload, at.now) : std::nullopt;
  auto why = asked_for(request.payload, request.executed_by, e, at);
  const auto exec_id = why.exec_id;
  auto references = bounded(why.verdict.references, references_bytes_max);
  why.chain = request.chain;
  if (!request.delivery_id.empty()) out.events.push_back(message::of(trigger_taken{request.delivery_id}));
  if (!why.verdict.matched) {
    auto dry = row(exec_id, "dry_run", why.executed_by, at);
    dry.error = why.verdict.error;
    dry.references = {{"trigger", references}, {"action", nullptr}};
    if (!why.verdict.error.empty()) note_failure(why.verdict.error, at);
    out.statements.push_back(insert_execution(dry));
    out.reply = message::of(rule_triggered{exec_id, false, false, std::move(references), {}});
    return out;
  }
  ++matched_;
  // A person may fire a rule as often as they like; rules are held to the limit of the rule they trigger.
  if (!request.chain.empty() && !throttle_.admit(at.now)) {
    note_throttled(1, at, out);
    out.reply = message::of(rule_triggered{{}, true, false, std::move(references), "The rule is throttled."});
    return out;
  }
  const auto outcome = actions_.fire(identity_, std::move(why), at, memory_.runs, out);
  if (!outcome.error.empty()) note_failure(outcome.error, at);
  out.events.push_back(message::of(rule_fired{to_micros(at.now), 1, 0, 0}));
  out.reply = message::of(rule_triggered{exec_id, true, outcome.waits, std::move(references), outcome.error});
  return out;
}

result<entity::decision> rule_state::on_simulate(const simulate_rule& request, const entity::moment& at) {
  entity::decision out;
  const auto e = trigger_.takes_events() ? as_event(request.payload, at.now) : std::nullopt;
  auto why = asked_for(request.payload, request.executed_by, e, at);
  auto action = actions_.resolved(identity_, why, at);
  auto references = bounded(std::move(why.verdict.references), references_bytes_max);
  auto dry = row(why.exec_id, "dry_run", why.executed_by, at);
  dry.error = why.verdict.error;
  dry.references = {{"trigger", references}, {"action", action}};
  out.statements.push_back(insert_execution(dry));
  out.reply = message::of(rule_simulated{{{"condition_evaluated", why.verdict.matched},
                                          {"would_execute", why.verdict.matched && !actions_.empty()},
                                          {"resolved_action", std::move(action)},
                                          {"references", std::move(references)},
                                          {"exec_id", why.exec_id}}});
  return out;
}

result<entity::decision> rule_state::on_reset(const reset_baseline& request, const entity::moment& at) {
  const auto forgotten = evaluator_->forget(request.group);
  if (!forgotten) return fail(forgotten.error());
  turn t{at};
  close(t, -1, 0);
  json metadata{{"groups", *forgotten}};
  if (!request.group.is_null()) metadata["group"] = clip(request.group);
  t.out.statements.push_back(
      entity::audit_row({identity_.ref, "reset_baseline", at.context, at.now, nullptr, nullptr, std::move(metadata)}));
  t.out.reply = message::of(baseline_reset{static_cast<std::int64_t>(*forgotten)});
  return std::move(t.out);
}

} // namespace tobit::rule
