#include "actors/rule/rule_state.hpp"

#include <set>

/// What a rule shows to whoever watches it judge. It does what the unwatched rule does, and tells.
namespace tobit::rule {

namespace {

constexpr std::size_t input_bytes_max = 4'096, explanation_bytes_max = 8'192;

json shown_alert(const alert_record* record) {
  if (!record) return {{"status", "inactive"}};
  json out{{"status", to_string(record->status)}, {"alert_id", record->alert_id}};
  if (record->hold_us > 0) out["held_until"] = to_rfc3339(from_micros(record->hold_us));
  if (record->started_us > 0) out["started_at"] = to_rfc3339(from_micros(record->started_us));
  if (record->flapping) out["flapping"] = true;
  return out;
}

/// Why an alert does not act now.
std::string why_quiet(const alert_record* before, const alert_record* after, utc_time now) {
  if (!after) return "it does not match, and there is no alert";
  if (after->status == alert_status::resolved) return "the alert is resolved";
  if (after->status == alert_status::firing)
    return before && before->status == alert_status::firing ? "the alert fires already" : "it fires";
  if (after->rated) return "held back: the rule has fired as often as max_per_hour allows";
  if (after->hold_us > to_micros(now)) return "held back: cooldown until " + to_rfc3339(from_micros(after->hold_us));
  return "pending: it has not matched for as long as for_seconds asks";
}

json types_of(const std::vector<entity::effect>& effects, std::size_t from) {
  std::set<std::string> types;
  for (auto i = from; i < effects.size(); ++i) types.insert(effects[i].type);
  return types;
}

} // namespace

result<entity::decision> rule_state::on_watch(const watch_rule& request, const entity::moment& at) {
  entity::decision out;
  out.reply = message::of(watch_.begin(request, at.now));
  out.awake_until = watch_.until(); // who watches a quiet rule must not be left watching nothing
  return out;
}

void rule_state::take_watched(const input& in, const cause& from, turn& t) {
  // What does not match gives no verdict, so it is explained beforehand; that changes nothing.
  auto explained = evaluator_->preview(in);
  verdicts_.clear();
  evaluator_->take(in, verdicts_);
  if (!verdicts_.empty()) {
    explained_ = std::move(explained.verdict.references);
    settle(from, t);
    explained_ = nullptr;
    return;
  }
  if (!watch_.admits(identity_.ref.key, false, t.at.now, t.out)) return;
  json item{{"at", to_rfc3339(t.at.now)},
            {"version", identity_.version},
            {"woken_by", from.wake},
            {"input", bounded(from.event ? event::to_cloudevent(*from.event) : *from.where.data, input_bytes_max)},
            {"key", explained.key},
            {"labels", explained.labels},
            {"matched", false},
            {"references", bounded(explained.verdict.references, explanation_bytes_max)},
            {"fired", false},
            {"why", "no verdict: it does not match, or more has to come"}};
  watch_.show(identity_.ref.key, false, std::move(item), t.out);
}

void rule_state::conclude_watched(key_verdict verdict, const cause& from, turn& t) {
  const bool matched = verdict.verdict.matched, was_matched = memory_.metric_matched;
  const auto& references = verdict.verdict.references.is_null() ? explained_ : verdict.verdict.references;
  if (!watch_.admits(identity_.ref.key, matched, t.at.now, t.out)) return conclude(std::move(verdict), from, t);
  json item{{"at", to_rfc3339(t.at.now)},
            {"version", identity_.version},
            {"woken_by", verdict.wake.empty() ? from.wake : verdict.wake},
            {"input", bounded(from.event ? event::to_cloudevent(*from.event) : *from.where.data, input_bytes_max)},
            {"key", verdict.key},
            {"labels", verdict.labels},
            {"matched", matched},
            {"summary", verdict.verdict.summary},
            {"references", bounded(references, explanation_bytes_max)},
            {"value", verdict.verdict.value ? verdict.verdict.value->to_json() : json()}};
  if (!verdict.wake.empty()) item[std::string(verdict.wake)] = bounded(verdict.woken_by, explanation_bytes_max);
  const auto failure = verdict.verdict.error;
  const auto key = verdict.key;
  const auto* record = alerts_.find(key);
  const auto before = record ? std::optional(*record) : std::nullopt;
  const auto effects = t.out.effects.size();
  const auto fired = t.fired, throttled = t.throttled;
  conclude(std::move(verdict), from, t);
  item["fired"] = t.fired > fired;
  item["actions"] = types_of(t.out.effects, effects);
  if (!failure.empty())
    item["why"] = "no verdict was possible: " + failure;
  else if (t.fired > fired)
    item["why"] = "it fires";
  else if (t.throttled > throttled)
    item["why"] = "throttled: the rule has fired as often as it may in a minute";
  else if (alerts_.on())
    item["why"] = why_quiet(before ? &*before : nullptr, alerts_.find(key), t.at.now);
  else if (matched && trigger_.fires_on_change() && was_matched)
    item["why"] = "it matched before, and the rule fires on change only";
  else
    item["why"] = "it does not match";
  if (alerts_.on())
    item["alert"] = {{"before", shown_alert(before ? &*before : nullptr)}, {"after", shown_alert(alerts_.find(key))}};
  watch_.show(identity_.ref.key, matched, std::move(item), t.out);
}

} // namespace tobit::rule
