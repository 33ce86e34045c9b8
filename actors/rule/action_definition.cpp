#include "actors/rule/action_definition.hpp"

#include "actors/rule/comparison.hpp"
#include "actors/rule/text_template.hpp"
#include "actors/rule/trigger_definition.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

void check_template(verdict& v, const std::string& text, const std::string& pointer) {
  if (auto fault = text_template::fault_of(text); !fault.empty()) v.refuse(pointer, std::move(fault));
}

/// Every text in a webhook's body may hold placeholders.
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

/// Types of the contract that later releases bring.
std::string_view not_yet(std::string_view type) {
  if (type == "notify")
    return "The action 'notify' (channels) is not available in this release; use 'webhook' or 'store'.";
  if (type == "trigger_rule" || type == "trigger")
    return "The action 'trigger_rule' is not available in this release; use 'webhook' or 'store'.";
  if (type == "http" || type == "api_call")
    return "The action that calls an API definition is not available in this release; use 'webhook' with its address.";
  if (type == "api_script")
    return "The action 'api_script' is not available in this release; use 'webhook' with the script's address.";
  return {};
}

json read_action(verdict& v, const json& spec, const std::string& pointer, const outbound::guard_options& guard) {
  field_reader in{v, spec, pointer, "An action"};
  if (!v.good()) return json::object();
  const auto type = in.text("type", {1, 50});
  if (!v.good()) return json::object();
  json out = json::object();
  if (const auto reason = not_yet(type); !reason.empty())
    in.refuse("type", std::string(reason));
  else if (type == "webhook")
    out = read_webhook(in, guard);
  else if (type == "store")
    out = read_store(in);
  else if (type == "multi_action")
    in.refuse("type", "A list of actions holds no further list; write all actions in one.");
  else
    in.refuse("type", "'" + clip_text(type, 50) + "' is not an action; use 'webhook', 'store' or 'multi_action'.");
  in.close();
  return out;
}

json read_actions(verdict& v, const json& list, const std::string& pointer, const outbound::guard_options& guard) {
  if (!list.is_array() || list.empty() || list.size() > actions_max) {
    v.refuse(pointer, "The actions are a list of 1 to " + std::to_string(actions_max) + " actions.");
    return json::object();
  }
  auto actions = json::array();
  for (std::size_t i = 0; i < list.size(); ++i)
    actions.push_back(read_action(v, list[i], pointer_append(pointer, i), guard));
  return json{{"type", "multi_action"}, {"actions", std::move(actions)}};
}

} // namespace

const std::vector<std::string_view>& severities() {
  static const std::vector<std::string_view> all{"info", "low", "medium", "warning", "high", "error", "critical"};
  return all;
}

json read_action_spec(verdict& v, const json& spec, const outbound::guard_options& guard) {
  const std::string pointer = "/action_spec";
  if (spec.is_null() || (spec.is_structured() && spec.empty())) return json::object();
  if (spec.is_array()) return read_actions(v, spec, pointer, guard);
  if (!spec.is_object()) {
    v.refuse(pointer, "action_spec is one action (an object with a 'type'), or a list of them.");
    return json::object();
  }
  if (spec.value("type", json()) != "multi_action") return read_action(v, spec, pointer, guard);
  field_reader in{v, spec, pointer, "A multi_action"};
  in.any("type");
  const auto* list = in.any("actions");
  auto out = read_actions(v, list ? *list : json(), pointer + "/actions", guard);
  in.close();
  return out;
}

std::vector<json> actions_of(const json& action_spec) {
  if (action_spec.empty()) return {};
  if (const auto list = action_spec.find("actions"); list != action_spec.end()) return list->get<std::vector<json>>();
  return {action_spec};
}

} // namespace tobit::rule
