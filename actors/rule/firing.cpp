#include "actors/rule/firing.hpp"

#include "actors/rule/action_definition.hpp"
#include "schemas/api/api_protocol.hpp"
#include "schemas/rule/rule_events.hpp"
#include "schemas/rule/rule_protocol.hpp"

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
  if (const auto label = why.labels.find(path.starts_with("labels.") ? path.substr(7) : path);
      label != why.labels.end())
    return readable(*label);
  if (const auto window = why.verdict.references.find("window");
      window != why.verdict.references.end() && path.starts_with("window.") && window->contains(path.substr(7)))
    return readable((*window)[path.substr(7)]);
  if (const auto kept = why.verdict.references.find("fields");
      kept != why.verdict.references.end() && kept->is_object() && kept->contains(path))
    return readable((*kept)[path]);
  return {};
}

json rendered(const json& body, const text_template::lookup& lookup) {
  if (body.is_string()) return text_template{body.get_ref<const std::string&>()}.render(lookup, 64 * 1024);
  if (!body.is_structured()) return body;
  json out = body;
  for (auto& member : out) member = rendered(member, lookup);
  return out;
}

/// Without the payload: all webhooks of a firing carry the same.
json webhook_body(const json& spec, const text_template::lookup& lookup) {
  json body{{"endpoint", spec["endpoint"]},
            {"method", spec["method"]},
            {"headers", spec["headers"]},
            {"params", spec["params"]}};
  if (spec.contains("body")) body["body"] = rendered(spec["body"], lookup);
  if (spec.contains("secret")) body["secret"] = spec["secret"];
  return body;
}

template <wire_message M>
json message_body(std::string_view to_kind, const json& key, const M& said) {
  return entity::message_effect{std::string(to_kind), key.get<std::string>(), std::string(M::wire_name), json(said)};
}

/// Why one rule must not trigger another, or empty.
std::string loop_of(const std::vector<std::string>& chain, const std::string& target) {
  std::string path;
  for (const auto& id : chain) path += id + " → ";
  if (std::find(chain.begin(), chain.end(), target) != chain.end())
    return "Rules would trigger each other for ever: " + clip_text(path + target, 600) + ". Break the loop.";
  if (chain.size() >= trigger_depth_max)
    return "More than " + std::to_string(trigger_depth_max) +
           " rules would stand in a row: " + clip_text(path + target, 600) + ". Make the chain shorter.";
  return {};
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

action_list::action_list(const json& action_spec) : in_sequence_(action_spec.value("run", "parallel") == "sequence") {
  for (auto& spec : actions_of(action_spec)) {
    action a;
    const auto type = spec.at("type").get<std::string>();
    a.what = type == "webhook"        ? kind::webhook
             : type == "notify"       ? kind::notify
             : type == "trigger_rule" ? kind::trigger
             : type == "api"          ? kind::api
                                      : kind::store;
    if (const auto message = spec.find("message"); message != spec.end())
      a.message.emplace(message->get_ref<const std::string&>());
    if (const auto when = spec.find("when"); when != spec.end()) a.when.emplace(condition::compile(*when));
    if (const auto on = spec.find("on"); on != spec.end()) {
      a.on_firing = std::find(on->begin(), on->end(), "firing") != on->end();
      a.on_resolved = std::find(on->begin(), on->end(), "resolved") != on->end();
    }
    a.spec = std::move(spec);
    actions_.push_back(std::move(a));
  }
}

bool action_list::wants_resolved() const noexcept {
  return std::any_of(actions_.begin(), actions_.end(), [](const action& a) { return a.on_resolved; });
}

action_step action_list::step_of(const action& a, std::size_t place, const action_run& run, const rule_identity& rule,
                                 const occasion& why, const text_template::lookup& lookup) const {
  action_step step;
  step.shown = {{"type", a.spec["type"]}};
  step.goes_on = a.spec.value("on_error", "stop") == "continue";
  switch (a.what) {
  case kind::webhook:
    step.shown["endpoint"] = a.spec["endpoint"];
    step.shown["method"] = a.spec["method"];
    break;
  case kind::store: {
    const bool first =
        std::none_of(run.steps.begin(), run.steps.end(), [](const action_step& s) { return !s.record.is_null(); });
    step.record = {{"event_id", first ? run.exec_id : run.exec_id + "." + std::to_string(place)},
                   {"severity", a.spec.value("severity", rule.severity)},
                   {"summary", summary_of(a.message, rule, why, lookup)}};
    step.shown["event_id"] = step.record["event_id"];
    step.shown["severity"] = step.record["severity"];
    break;
  }
  case kind::notify:
    step.shown["channels"] = a.spec["channels"];
    break;
  case kind::trigger:
    step.shown["rule_id"] = a.spec["rule_id"];
    break;
  case kind::api:
    step.shown["api_id"] = a.spec["api_id"];
    break;
  }
  if (a.when && !a.when->matches(why.where)) {
    step.status = "skipped";
    step.error = "Its condition did not hold.";
    return step;
  }
  if (a.what == kind::webhook) {
    step.effect = {{"type", "webhook"}, {"body", webhook_body(a.spec, lookup)}};
  } else if (a.what == kind::trigger) {
    auto chain = why.chain;
    chain.push_back(rule.ref.key);
    step.error = loop_of(chain, a.spec["rule_id"].get_ref<const std::string&>());
    if (!step.error.empty()) return step;
    trigger_rule said;
    said.payload = a.spec.contains("payload") ? rendered(a.spec["payload"], lookup) : run.payload;
    said.executed_by = "rule:" + rule.ref.key;
    said.chain = std::move(chain);
    said.delivery_id = run.exec_id + "#" + std::to_string(place);
    step.effect = {{"type", "message"}, {"body", message_body(kind_name, a.spec["rule_id"], said)}};
  } else if (a.what == kind::api) {
    api::call_api said{run.exec_id + "#" + std::to_string(place), rendered(a.spec["params"], lookup), run.payload,
                       "rule:" + rule.ref.key};
    if (a.spec.contains("input")) said.input = rendered(a.spec["input"], lookup);
    step.effect = {{"type", "message"}, {"body", message_body(api::kind_name, a.spec["api_id"], said)}};
  }
  return step;
}

fired action_list::fire(const rule_identity& rule, occasion&& why, const entity::moment& at, const run_table& under_way,
                        entity::decision& out) const {
  action_run run{why.exec_id, to_micros(at.now), in_sequence_, rule.name, payload_of(rule, why, at), {}};
  const text_template::lookup lookup = [&](const std::string& path) { return value_of(path, rule, why, at); };
  auto performed = json::array();
  for (std::size_t i = 0; i < actions_.size(); ++i) {
    const auto& a = actions_[i];
    if (!(why.resolved ? a.on_resolved : a.on_firing)) continue;
    run.steps.push_back(step_of(a, i, run, rule, why, lookup));
    if (run.steps.back().status != "skipped") performed.push_back(run.steps.back().shown);
  }
  const auto first_effect = out.effects.size(), first_row = out.statements.size();
  run.begin_steps({rule.ref, at}, out);
  const bool tracked = run.needs_reports();
  const auto begun_now = std::count_if(out.events.begin(), out.events.end(),
                                       [](const message& e) { return e.as<run_begun>() != nullptr; });
  if (tracked && under_way.size() + static_cast<std::size_t>(begun_now) >= runs_max) {
    out.effects.resize(first_effect);
    run.abandon("Too many executions of this rule are under way (" + std::to_string(runs_max) +
                "); its receivers are too slow.");
  } else if (tracked) {
    for (auto i = first_effect; i < out.effects.size(); ++i) out.effects[i].report = true;
    out.events.push_back(begun(run));
  }
  const bool stored = out.statements.size() > first_row;
  const fired outcome{run.open(), run.open() ? std::string{} : run.error()};
  out.statements.push_back(insert_execution(
      {run.exec_id, rule.ref.tenant, rule.ref.key, rule.version, at.now, run.status(), why.executed_by, run.error(),
       json{{"trigger", std::move(why.verdict.references)}, {"action", folded(std::move(performed))}}, at.context.trace,
       run.steps.empty() ? json() : run.shown()}));
  if (!stored && !why.resolved)
    out.publications.push_back({"cep.events",
                                json{{"exec_id", run.exec_id},
                                     {"rule_id", rule.ref.key},
                                     {"rule_name", rule.name},
                                     {"triggered_at", to_rfc3339(at.now)},
                                     {"severity", rule.severity},
                                     {"summary", why.verdict.summary},
                                     {"trace_id", to_string(at.context.trace)}},
                                "rule_fired"});
  return outcome;
}

json action_list::resolved(const rule_identity& rule, const occasion& why, const entity::moment& at) const {
  const text_template::lookup lookup = [&](const std::string& path) { return value_of(path, rule, why, at); };
  auto actions = json::array();
  for (const auto& a : actions_) {
    auto shown = a.spec;
    if (a.what == kind::webhook)
      for (auto& header : shown["headers"]) header = "***"; // they may hold a password or a token
    for (auto part : {"body", "payload", "params", "input"})
      if (const auto text = shown.find(part); text != shown.end()) *text = rendered(*text, lookup);
    if (a.what == kind::store || a.message) {
      shown["message"] = summary_of(a.message, rule, why, lookup);
      shown["severity"] = a.spec.value("severity", rule.severity);
    }
    if (a.when) shown["would_run"] = a.when->matches(why.where);
    actions.push_back(std::move(shown));
  }
  if (actions.size() < 2) return folded(std::move(actions));
  json all{{"type", "multi_action"}, {"actions", std::move(actions)}};
  if (in_sequence_) all["run"] = "sequence";
  return all;
}

} // namespace tobit::rule
