#include "actors/rule/alert/rule_alerts.hpp"

#include "actors/rule/action_definition.hpp"
#include "runtime/entity/message_to.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <xxhash.h>

#include <algorithm>

namespace tobit::rule {

namespace {

constexpr std::size_t message_bytes_max = 2'000;

/// Changes when the keys mean something else.
std::uint64_t mark_of(const json& definition) {
  const auto text = definition.at("trigger_type").get<std::string>() +
                    to_text(definition.at("trigger_spec").value("group_by", json()));
  return XXH3_64bits(text.data(), text.size());
}

alert_terms terms_of(const json& definition) {
  auto terms = alert_terms::of(definition);
  return terms ? std::move(*terms) : alert_terms{};
}

std::string readable(const json& value) { return value.is_string() ? value.get<std::string>() : to_text(value); }

/// What `{{path}}` stands for in annotations and messages: facts of the alert, then its labels and values.
std::string value_of(const std::string& path, const rule_identity& rule, const alert_change& change,
                     const json& labels) {
  const auto& r = change.record;
  if (path == "rule.name") return rule.name;
  if (path == "rule.id") return rule.ref.key;
  if (path == "rule.severity" || path == "severity") return rule.severity;
  if (path == "summary") return r.summary;
  if (path == "status") return std::string(change.status);
  if (path == "key") return r.key;
  if (path == "value") return r.values.is_object() && r.values.contains("value") ? readable(r.values["value"]) : "";
  const auto name = path.starts_with("labels.") ? path.substr(7) : path;
  if (const auto label = labels.find(name); label != labels.end()) return readable(*label);
  if (const auto* kept = field_path{"fields"}.in(r.values); kept && kept->contains(path))
    return readable((*kept)[path]);
  const auto* found = field_path{path}.in(r.values);
  return found && !found->is_null() ? readable(*found) : std::string{};
}

} // namespace

rule_alerts::rule_alerts(const json& definition, const entity_ref& ref)
    : on_(definition.contains("alert") && definition.at("alert").is_object())
    , active_(definition.at("is_active").get<bool>())
    , table_(terms_of(definition), ref.key, mark_of(definition))
    , labels_(definition.value("labels", json::object()))
    , severity_(definition.at("severity").get<std::string>()) {
  if (!on_) return;
  const auto& section = definition.at("alert");
  labels_.update(section.at("labels"));
  for (const auto& [name, text] : section.at("annotations").items())
    annotations_.emplace(name, text_template{text.get_ref<const std::string&>()});
  for (const auto& action : actions_of(definition.at("action_spec"))) {
    stores_ = stores_ || action.value("type", "") == "store";
    if (action.value("type", "") != "notify") continue;
    for (const auto& channel : action.value("channels", json::array()))
      if (std::find(channels_.begin(), channels_.end(), channel) == channels_.end())
        channels_.push_back(channel.get<std::string>());
    if (const auto text = action.find("message"); text != action.end() && text->is_string() && !message_)
      message_.emplace(text->get_ref<const std::string&>());
    severity_ = action.value("severity", severity_);
  }
}

std::vector<alert_change> rule_alerts::take(const key_verdict& v, const subject& where, const entity::moment& at,
                                            const std::string& exec_id) {
  std::vector<alert_change> told;
  const auto trace = to_string(at.context.trace);
  const auto* seen = where.data ? &where : nullptr;
  table_.take(v, seen, {at.now, exec_id, trace, seen}, told);
  return acting(std::move(told));
}

std::vector<alert_change> rule_alerts::advance(const entity::moment& at) {
  std::vector<alert_change> told;
  const auto trace = to_string(at.context.trace);
  table_.advance({at.now, at.decision_id, trace}, told);
  return acting(std::move(told));
}

std::vector<alert_change> rule_alerts::acting(std::vector<alert_change> told) {
  std::vector<alert_change> out;
  for (auto& change : told) {
    change.by = nullptr;
    if (change.transition && (change.status == "firing" || change.status == "resolved")) out.push_back(change);
    told_.push_back(std::move(change));
  }
  return out;
}

key_verdict rule_alerts::verdict_of(const alert_record& record) {
  key_verdict out;
  out.key = record.key;
  out.labels = record.labels;
  out.verdict.matched = true;
  out.verdict.references = record.values.is_null() ? json::object() : record.values;
  out.verdict.summary = record.summary;
  if (record.values.is_object())
    if (const auto value = record.values.find("value"); value != record.values.end() && value->is_number())
      out.verdict.value = operand::of(&*value).numeric;
  out.wake = "alert";
  out.woken_by = {{"alert_id", record.alert_id},
                  {"key", record.key},
                  {"status", to_string(record.status)},
                  {"started_at", to_rfc3339(from_micros(record.started_us))},
                  {"values", record.values}};
  return out;
}

alert::alert_changed rule_alerts::changed(alert_change&& change, const rule_identity& rule,
                                          const entity::moment& at) const {
  auto& r = change.record;
  alert::alert_changed out;
  out.alert_id = r.alert_id;
  out.change = r.change;
  out.rule_id = rule.ref.key;
  out.rule_name = rule.name;
  out.rule_version = rule.version;
  out.key = r.key;
  out.status = change.status;
  out.reason = change.reason;
  out.flapping = r.flapping;
  out.severity = severity_;
  out.summary = r.summary.empty() ? rule.name : rule.name + ": " + r.summary;
  out.labels = labels_;
  if (r.labels.is_object())
    for (const auto& [name, value] : r.labels.items()) out.labels[name] = readable(value);
  out.labels["rule_name"] = rule.name;
  out.labels["severity"] = severity_;
  out.annotations = json::object();
  const text_template::lookup lookup = [&](const std::string& path) {
    return value_of(path, rule, change, out.labels);
  };
  for (const auto& [name, text] : annotations_) out.annotations[name] = text.render(lookup, message_bytes_max);
  if (message_) out.message = message_->render(lookup, message_bytes_max);
  out.values = std::move(r.values);
  out.channels = channels_;
  if (stores_ && change.status == "firing" && change.transition) out.event_id = r.exec_id;
  out.exec_id = r.exec_id;
  out.trace_id = r.trace_id;
  out.at_us = to_micros(at.now);
  out.started_at_us = r.started_us;
  return out;
}

void rule_alerts::close(const rule_identity& rule, const entity::moment& at, entity::decision& out) {
  if (auto moves = table_.drain_moves(); !moves.empty())
    out.events.push_back(message::of(alerts_moved{nullptr, std::move(moves), table_.sequence()}));
  for (std::size_t first = 0; first < told_.size(); first += alert::changes_max) {
    const auto last = std::min(told_.size(), first + alert::changes_max);
    alert::alerts_changed batch;
    batch.changes.reserve(last - first);
    for (auto i = first; i < last; ++i) batch.changes.push_back(changed(std::move(told_[i]), rule, at));
    out.effects.push_back(entity::message_to(alert::kind_name, alert::only_key, std::move(batch)));
  }
  told_.clear();
}

void rule_alerts::end(const rule_identity& rule, const std::string& reason, const entity::moment& at,
                      entity::decision& out) {
  std::vector<alert_change> told;
  const auto trace = to_string(at.context.trace);
  table_.resolve_all(reason, {at.now, at.decision_id, trace}, told);
  acting(std::move(told));
  close(rule, at, out);
}

void rule_alerts::apply(const alerts_moved& event) {
  if (event.written.empty()) return table_.apply(event.moves);
  if (event.sequence > table_.sequence()) table_.apply(parse_json(event.written).value());
}

void rule_alerts::restore(const json& snapshot) {
  table_.restore(snapshot);
  told_.clear();
  if (!on_) table_.retire("the rule has no alerts any more");
  if (!active_) table_.retire("the rule was disabled");
}

} // namespace tobit::rule
