#include "actors/rule/rule_state.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_events.hpp"

#include <algorithm>

/// What wakes a rule: ticks, readings, events, time.
namespace tobit::rule {

result<entity::decision> rule_state::on_tick(const run_tick& tick, const entity::moment& at) {
  turn t{at};
  const bool due = active_ && trigger_.type() == trigger_type::schedule && tick.due_at_us > memory_.last_due_at_us;
  t.out.reply = message::of(tick_done{due});
  if (!due) return std::move(t.out);
  t.judged = 1;
  t.due_at_us = tick.due_at_us;
  const json due_at = to_rfc3339(from_micros(tick.due_at_us));
  cause from{"tick", {}, nullptr, {{"due_at", due_at}, {"missed", tick.missed}}};
  from.where = subject::of(from.woken_by);
  key_verdict verdict;
  verdict.at = from_micros(tick.due_at_us);
  verdict.verdict = trigger_.explain(from.where, {}, false);
  verdict.verdict.references["due_at"] = due_at;
  verdict.verdict.references["missed"] = tick.missed;
  verdict.verdict.summary = "due at " + due_at.get<std::string>();
  conclude(std::move(verdict), from, t);
  close(t, -1, 0);
  return std::move(t.out);
}

result<entity::decision> rule_state::on_metric(const evaluate_metric& metric, const entity::moment& at) {
  turn t{at};
  t.out.reply = message::of(metric_evaluated{});
  const bool repeated = metric.observed_at_us != 0 && metric.observed_at_us == memory_.last_observed_at_us;
  if (!active_ || !trigger_.polls() || repeated) return std::move(t.out);
  t.observed_at_us = metric.observed_at_us;
  const auto judge = [&](const json& reading) {
    ++t.judged;
    const cause from{"metric", subject::of(reading)};
    if (metric.error.empty()) {
      const auto observed = metric.observed_at_us != 0 ? from_micros(metric.observed_at_us) : at.now;
      take({from.where, observed, at.now}, from, t);
    } else {
      verdicts_.clear();
      auto& failed = verdicts_.emplace_back();
      failed.at = at.now;
      failed.verdict.references = json::object();
      failed.verdict.error = metric.error;
      settle(from, t);
    }
  };
  const bool each = trigger_.judges_each_series() && metric.payload.is_object() && metric.payload.contains("readings");
  if (each && metric.error.empty())
    for (const auto& reading : metric.payload["readings"]) judge(reading);
  else
    judge(metric.payload);
  t.out.reply = message::of(metric_evaluated{t.matched > 0});
  close(t, -1, 0);
  return std::move(t.out);
}

result<entity::decision> rule_state::on_events(const evaluate_events& batch, const entity::moment& at) {
  turn t{at};
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
      if (!trigger_.lets_through(*e.body)) continue;
      ++t.judged;
      const cause from{"event", subject::of(*e.body), e.body.get()};
      take({from.where, e.body->time, at.now, from.event}, from, t);
    }
  }
  seen.offset = last;
  const bool taken = close(t, batch.partition, last);
  if (taken || !t.out.events.empty() || !t.out.statements.empty() || seen.unmatched >= unmatched_max) {
    if (!taken) t.out.events.push_back(message::of(offset_advanced{batch.partition, last}));
    seen.unmatched = 0;
  }
  t.out.reply = message::of(events_evaluated{t.matched});
  return std::move(t.out);
}

result<entity::decision> rule_state::on_wake(const entity::moment& at) {
  turn t{at};
  t.out.reply = message::of(entity::entity_done{});
  const auto due = wake_at();
  if (!due || *due > at.now) return std::move(t.out);
  watch_.goes_on(identity_.ref.key, at.now, t.out);
  const json nothing;
  const cause from{"time", subject::of(nothing)};
  verdicts_.clear();
  if (active_) evaluator_->advance(at.now, verdicts_);
  settle(from, t);
  for (const auto& change : alerts_.advance(at)) act_on(change, rule_alerts::verdict_of(change.record), from, t);
  close(t, -1, 0);
  return std::move(t.out);
}

void rule_state::take(const input& in, const cause& from, turn& t) {
  if (watch_.on()) return take_watched(in, from, t);
  verdicts_.clear();
  evaluator_->take(in, verdicts_);
  settle(from, t);
}

void rule_state::settle(const cause& from, turn& t) {
  for (auto& verdict : verdicts_)
    if (watch_.on())
      conclude_watched(std::move(verdict), from, t);
    else
      conclude(std::move(verdict), from, t);
}

bool rule_state::close(turn& t, std::int64_t partition, std::uint64_t offset) {
  evaluated_ += t.judged;
  matched_ += t.matched;
  auto record = evaluator_->drain_record();
  const bool taken = !record.is_null();
  if (taken)
    t.out.events.push_back(message::of(
        inputs_taken{++taken_sequence_, trigger_mark_, partition, offset, t.observed_at_us, std::move(record)}));
  alerts_.close(identity_, t.at, t.out);
  abandon_old_runs(t.at, t.out);
  note_throttled(t.throttled, t.at, t.out);
  if (t.fired > 0)
    t.out.events.push_back(message::of(rule_fired{to_micros(t.at.now), t.fired, t.due_at_us, t.observed_at_us}));
  return taken;
}

} // namespace tobit::rule
