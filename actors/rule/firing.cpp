#include "actors/rule/firing.hpp"

#include "actors/rule/action_definition.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace tobit::rule {

namespace {

/// How a value reads in a sentence: texts bare, floats without the noise of their last digits.
std::string readable(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null()) return {};
  if (value.is_number_float()) {
    const double d = value.get<double>();
    if (std::abs(d) >= 1e15) return to_text(value);
    std::array<char, 40> text{};
    const auto length = std::snprintf(text.data(), text.size(), std::abs(d) < 1e6 ? "%.6g" : "%.0f", d);
    return {text.data(), static_cast<std::size_t>(length)};
  }
  return clip_text(to_text(value));
}

std::string readable(const operand& found) { return found.value ? readable(*found.value) : std::string(found.text); }

/// What `{{path}}` stands for: facts about the firing first, then the fields that conditions see.
std::string value_of(const std::string& path, const rule_identity& rule, const occasion& why,
                     const entity::moment& at) {
  if (path == "rule.name") return rule.name;
  if (path == "rule.id") return rule.ref.key;
  if (path == "rule.version") return std::to_string(rule.version);
  if (path == "rule.severity") return rule.severity;
  if (path == "exec_id") return why.exec_id;
  if (path == "fired_at") return to_rfc3339(at.now);
  if (path == "trace_id") return to_string(at.context.trace);
  if (path == "summary") return why.verdict.summary;
  if (path == "value" && why.verdict.value) return readable(why.verdict.value->to_json());
  if (const auto found = field_path{path}.in(why.where); found.is != operand::type::missing) return readable(found);
  const auto label = why.labels.find(path.starts_with("labels.") ? path.substr(7) : path);
  return label == why.labels.end() ? std::string{} : readable(*label);
}

json rendered(const json& body, const text_template::lookup& lookup) {
  if (body.is_string()) return text_template{body.get_ref<const std::string&>()}.render(lookup, 64 * 1024);
  if (!body.is_structured()) return body;
  json out = body;
  for (auto& member : out) member = rendered(member, lookup);
  return out;
}

json webhook_body(const json& spec, json payload, const text_template::lookup& lookup) {
  json body{{"endpoint", spec["endpoint"]},
            {"method", spec["method"]},
            {"headers", spec["headers"]},
            {"params", spec["params"]},
            {"payload", std::move(payload)}};
  if (spec.contains("body")) body["body"] = rendered(spec["body"], lookup);
  return body;
}

std::string summary_of(const std::optional<text_template>& message, const rule_identity& rule, const occasion& why,
                       const text_template::lookup& lookup) {
  if (message) return message->render(lookup, summary_bytes_max);
  return clip_text(why.verdict.summary.empty() ? rule.name : rule.name + ": " + why.verdict.summary, summary_bytes_max);
}

/// One object for one, a list for several, null for none.
json folded(json list) { return list.empty() ? json() : list.size() == 1 ? json(std::move(list[0])) : list; }

} // namespace

json payload_of(const rule_identity& rule, const occasion& why, const entity::moment& at) {
  json out{{"rule", {{"id", rule.ref.key}, {"name", rule.name}, {"version", rule.version}}},
           {"severity", rule.severity},
           {"summary", why.verdict.summary},
           {"values", why.verdict.references},
           {"exec_id", why.exec_id},
           {"executed_by", why.executed_by},
           {"trace_id", to_string(at.context.trace)},
           {"fired_at", to_rfc3339(at.now)}};
  out[std::string(why.wake)] = why.woken_by;
  if (!why.labels.is_null()) out["labels"] = why.labels;
  return out;
}

action_list::action_list(const json& action_spec) {
  for (auto& spec : actions_of(action_spec)) {
    action a;
    a.is_webhook = spec.at("type") == "webhook";
    if (const auto message = spec.find("message"); message != spec.end())
      a.message.emplace(message->get_ref<const std::string&>());
    a.spec = std::move(spec);
    actions_.push_back(std::move(a));
  }
}

bool action_list::has_effects() const noexcept {
  return std::any_of(actions_.begin(), actions_.end(), [](const action& a) { return a.is_webhook; });
}

bool action_list::fire(const rule_identity& rule, occasion&& why, const entity::moment& at,
                       entity::decision& out) const {
  const auto payload = payload_of(rule, why, at);
  const text_template::lookup lookup = [&](const std::string& path) { return value_of(path, rule, why, at); };
  auto performed = json::array();
  bool stored = false;
  for (std::size_t i = 0; i < actions_.size(); ++i) {
    const auto& a = actions_[i];
    if (a.is_webhook) {
      out.effects.push_back({"webhook", webhook_body(a.spec, payload, lookup), why.exec_id});
      performed.push_back({{"type", "webhook"}, {"endpoint", a.spec["endpoint"]}, {"method", a.spec["method"]}});
      continue;
    }
    stored_event row{stored ? why.exec_id + "/" + std::to_string(i) : why.exec_id,
                     rule.ref.tenant,
                     rule.ref.key,
                     rule.name,
                     why.exec_id,
                     at.now,
                     a.spec.value("severity", rule.severity),
                     summary_of(a.message, rule, why, lookup),
                     payload,
                     at.context.trace};
    out.statements.push_back(insert_stored_event(row));
    out.publications.push_back({"cep.events", to_stream_item(row), "new_event"});
    performed.push_back({{"type", "store"}, {"event_id", row.event_id}, {"severity", row.severity}});
    stored = true;
  }
  const bool waits = has_effects();
  out.statements.push_back(
      insert_execution({why.exec_id,
                        rule.ref.tenant,
                        rule.ref.key,
                        rule.version,
                        at.now,
                        waits ? "pending" : "success",
                        why.executed_by,
                        {},
                        json{{"trigger", std::move(why.verdict.references)}, {"action", folded(std::move(performed))}},
                        at.context.trace}));
  if (!stored)
    out.publications.push_back({"cep.events",
                                json{{"exec_id", why.exec_id},
                                     {"rule_id", rule.ref.key},
                                     {"rule_name", rule.name},
                                     {"triggered_at", to_rfc3339(at.now)},
                                     {"severity", rule.severity},
                                     {"summary", why.verdict.summary},
                                     {"trace_id", to_string(at.context.trace)}},
                                "rule_fired"});
  return waits;
}

json action_list::resolved(const rule_identity& rule, const occasion& why, const entity::moment& at) const {
  const text_template::lookup lookup = [&](const std::string& path) { return value_of(path, rule, why, at); };
  auto actions = json::array();
  for (const auto& a : actions_) {
    auto shown = a.spec;
    if (a.is_webhook) {
      for (auto& header : shown["headers"]) header = "***"; // they may hold a password or a token
      if (shown.contains("body")) shown["body"] = rendered(shown["body"], lookup);
    } else {
      shown["message"] = summary_of(a.message, rule, why, lookup);
      shown["severity"] = a.spec.value("severity", rule.severity);
    }
    actions.push_back(std::move(shown));
  }
  if (actions.size() < 2) return folded(std::move(actions));
  return {{"type", "multi_action"}, {"actions", std::move(actions)}};
}

} // namespace tobit::rule
