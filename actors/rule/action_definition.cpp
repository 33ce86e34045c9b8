#include "actors/rule/action_definition.hpp"

#include "actors/notify/secret_reference.hpp"
#include "actors/rule/comparison.hpp"
#include "actors/rule/text_template.hpp"
#include "actors/rule/trigger_definition.hpp"
#include "schemas/ids.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

constexpr std::size_t channels_max = 20, sent_bytes_max = 64 * 1024;

void check_template(verdict& v, const std::string& text, const std::string& pointer) {
  if (auto fault = text_template::fault_of(text); !fault.empty()) v.refuse(pointer, std::move(fault));
}

/// Every text in what an action sends may hold placeholders.
void check_body_templates(verdict& v, const json& body, const std::string& pointer) {
  if (body.is_string()) check_template(v, body.get_ref<const std::string&>(), pointer);
  if (body.is_object())
    for (const auto& [name, value] : body.items()) check_body_templates(v, value, pointer_append(pointer, name));
  if (body.is_array())
    for (std::size_t i = 0; i < body.size(); ++i) check_body_templates(v, body[i], pointer_append(pointer, i));
}

json read_webhook(field_reader& in, const outbound::guard_options& guard) {
  json out{{"type", "webhook"},
           {"endpoint", read_endpoint(in, guard)},
           {"method", in.choice("method", {"GET", "POST", "PUT", "PATCH", "DELETE"}, "POST")},
           {"headers", read_headers(in)},
           {"params", read_params(in)}};
  if (in.has("secret")) {
    out["secret"] = in.text("secret", {1, 500});
    if (!notify::is_secret_reference(out["secret"].get_ref<const std::string&>()))
      in.refuse("secret",
                "'secret' says where the secret stands: 'env:NAME' or 'file:/path', never the secret itself.");
  }
  in.any("secret");
  if (const auto* body = in.any("body")) {
    if (!body->is_structured() && !body->is_string()) in.refuse("body", "'body' is a JSON object, a list or a text.");
    if (to_text(*body).size() > 64 * 1024) in.refuse("body", "'body' is at most 64 KiB of JSON.");
    check_body_templates(in.problems(), *body, in.pointer_to("body"));
    out["body"] = *body;
  }
  return out;
}

json read_store(field_reader& in) {
  json out{{"type", "store"}};
  if (in.has("severity")) out["severity"] = in.choice("severity", severities());
  in.any("severity");
  if (in.has("message")) {
    out["message"] = in.text("message", {1, 2'000, true});
    check_template(in.problems(), out["message"].get_ref<const std::string&>(), in.pointer_to("message"));
  }
  in.any("message");
  return out;
}

/// What an action sends, with placeholders in its texts.
void read_sent(field_reader& in, const char* name, json& out) {
  const auto* sent = in.any(name);
  if (!sent) return;
  if (to_text(*sent).size() > sent_bytes_max) in.refuse(name, std::string("'") + name + "' is at most 64 KiB of JSON.");
  check_body_templates(in.problems(), *sent, in.pointer_to(name));
  out[name] = *sent;
}

json read_notify(field_reader& in) {
  json out{{"type", "notify"}, {"channels", in.texts("channels", {1, entity_key_length_max}, channels_max)}};
  if (out["channels"].empty()) in.refuse("channels", "'channels' names at least one channel: [\"ops\"].");
  if (in.has("severity")) out["severity"] = in.choice("severity", severities());
  in.any("severity");
  if (in.has("message")) {
    out["message"] = in.text("message", {1, 2'000, true});
    check_template(in.problems(), out["message"].get_ref<const std::string&>(), in.pointer_to("message"));
  }
  in.any("message");
  const auto all = "Channels are told of every change of the alert; say when in 'trigger_spec' and in 'alert'.";
  in.refuse_if_present("when", all);
  in.refuse_if_present("on", all);
  return out;
}

json read_trigger_rule(field_reader& in, std::string_view own_id) {
  json out{{"type", "trigger_rule"}, {"rule_id", in.text("rule_id", {1, entity_key_length_max})}};
  if (out["rule_id"] == own_id) in.refuse("rule_id", "A rule cannot trigger itself; name another rule.");
  read_sent(in, "payload", out);
  return out;
}

json read_api(field_reader& in) {
  json out{{"type", "api"}, {"api_id", in.text("api_id", {1, entity_key_length_max})}, {"params", json::object()}};
  read_sent(in, "params", out);
  if (!out["params"].is_object()) in.refuse("params", "'params' is an object: {\"name\": value}.");
  read_sent(in, "input", out);
  return out;
}

/// What every action may say about when it runs and what its failure means.
void read_terms(verdict& v, field_reader& in, const json& spec, json& out) {
  std::size_t comparisons = 0;
  if (const auto* when = in.any("when")) out["when"] = read_condition(v, *when, in.pointer_to("when"), comparisons);
  if (in.choice("on_error", {"stop", "continue"}, "stop") == "continue") out["on_error"] = "continue";
  if (spec.value("type", json()) == "notify") return;
  auto on = in.texts("on", {1, 20}, 2);
  for (const auto& phase : on)
    if (phase != "firing" && phase != "resolved")
      in.refuse("on", "'on' is a list of 'firing' and 'resolved', not '" + clip_text(phase, 20) + "'.");
  std::sort(on.begin(), on.end());
  on.erase(std::unique(on.begin(), on.end()), on.end());
  if (!on.empty() && on != std::vector<std::string>{"firing"}) out["on"] = on;
}

json read_action(verdict& v, const json& spec, const std::string& pointer, const action_checks& checks) {
  field_reader in{v, spec, pointer, "An action"};
  if (!v.good()) return json::object();
  const auto type = in.text("type", {1, 50});
  if (!v.good()) return json::object();
  json out = json::object();
  if (type == "webhook")
    out = read_webhook(in, checks.guard);
  else if (type == "store")
    out = read_store(in);
  else if (type == "notify")
    out = read_notify(in);
  else if (type == "trigger_rule" || type == "trigger")
    out = read_trigger_rule(in, checks.rule_id);
  else if (type == "api" || type == "api_call" || type == "http")
    out = read_api(in);
  else if (type == "api_script")
    in.refuse("type", "The action 'api_script' is not available; use 'api' with the definition that runs the script.");
  else if (type == "multi_action")
    in.refuse("type", "A list of actions holds no further list; write all actions in one.");
  else
    in.refuse("type", "'" + clip_text(type, 50) +
                          "' is not an action; use 'notify', 'webhook', 'store', 'trigger_rule', 'api' or "
                          "'multi_action'.");
  if (v.good()) read_terms(v, in, spec, out);
  in.close();
  return out;
}

json read_actions(verdict& v, const json& list, const std::string& pointer, const action_checks& checks) {
  if (!list.is_array() || list.empty() || list.size() > actions_max) {
    v.refuse(pointer, "The actions are a list of 1 to " + std::to_string(actions_max) + " actions.");
    return json::object();
  }
  auto actions = json::array();
  for (std::size_t i = 0; i < list.size(); ++i)
    actions.push_back(read_action(v, list[i], pointer_append(pointer, i), checks));
  return json{{"type", "multi_action"}, {"actions", std::move(actions)}};
}

} // namespace

const std::vector<std::string_view>& severities() {
  static const std::vector<std::string_view> all{"info", "low", "medium", "warning", "high", "error", "critical"};
  return all;
}

json read_action_spec(verdict& v, const json& spec, const action_checks& checks) {
  const std::string pointer = "/action_spec";
  if (spec.is_null() || (spec.is_structured() && spec.empty())) return json::object();
  if (spec.is_array()) return read_actions(v, spec, pointer, checks);
  if (!spec.is_object()) {
    v.refuse(pointer, "action_spec is one action (an object with a 'type'), or a list of them.");
    return json::object();
  }
  if (spec.value("type", json()) != "multi_action") return read_action(v, spec, pointer, checks);
  field_reader in{v, spec, pointer, "A multi_action"};
  in.any("type");
  const auto* list = in.any("actions");
  auto out = read_actions(v, list ? *list : json(), pointer + "/actions", checks);
  if (in.choice("run", {"parallel", "sequence"}, "parallel") == "sequence") out["run"] = "sequence";
  in.close();
  return out;
}

std::string pointer_to_resolved(const json& action_spec) {
  const auto wants = [](const json& action) {
    const auto on = action.find("on");
    return on != action.end() && std::find(on->begin(), on->end(), "resolved") != on->end();
  };
  if (action_spec.empty()) return {};
  const auto list = action_spec.find("actions");
  if (list == action_spec.end()) return wants(action_spec) ? "/action_spec/on" : "";
  for (std::size_t i = 0; i < list->size(); ++i)
    if (wants((*list)[i])) return "/action_spec/actions/" + std::to_string(i) + "/on";
  return {};
}

std::vector<json> actions_of(const json& action_spec) {
  if (action_spec.empty()) return {};
  if (const auto list = action_spec.find("actions"); list != action_spec.end()) return list->get<std::vector<json>>();
  return {action_spec};
}

} // namespace tobit::rule
