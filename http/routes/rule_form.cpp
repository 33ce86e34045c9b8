#include "http/routes/rule_form.hpp"

namespace tobit::http {

namespace {

constexpr std::size_t conditions_max = 100, actions_max = 20;

shape condition_shape() {
  return object({required("field", text(1, 500)), required("op", text(1, 20)), optional("value", anything()),
                 optional("case_sensitive", flag())});
}

shape action_shape() {
  return object({required("type", choice({"notify", "store", "trigger", "webhook"})),
                 optional("endpoint", text(0, 2'000)), optional("method", text(0, 20)),
                 optional("headers", open_object()), optional("params", open_object()), optional("body", anything()),
                 optional("channels", list_of(anything(), 100)), optional("message", text(0, 2'000)),
                 optional("target_rule_id", text(1, 200))});
}

/// The form calls it `trigger` and `target_rule_id`, rules call it `trigger_rule` and `rule_id`.
json folded_action(json action) {
  if (action["type"] == "trigger") action["type"] = "trigger_rule";
  if (const auto target = action.find("target_rule_id"); target != action.end()) {
    action["rule_id"] = *target;
    action.erase("target_rule_id");
  }
  return action;
}

} // namespace

shape form_shape() {
  auto actions = list_of(action_shape(), actions_max);
  actions.at_least = 1;
  return object(
      {required("rule_name", text(1, 200)), optional("description", text(0, 5'000).or_null()),
       optional("is_active", flag().or_else(true)),
       required("trigger_type", choice({"schedule", "metric", "event", "anomaly", "pattern"})),
       required("trigger_spec", open_object()),
       optional("composite_condition", object({required("conditions", list_of(condition_shape(), conditions_max)),
                                               optional("logic", choice({"AND", "OR", "NOT"}).or_else("AND"))})
                                           .or_null()),
       optional("window_config", open_object().or_null()), optional("aggregation", open_object().or_null()),
       optional("enrichments", list_of(open_object(), 100).or_null()), required("actions", std::move(actions))});
}

result<json> fold_form(const json& form) {
  json rule{{"rule_name", form["rule_name"]},
            {"is_active", form.value("is_active", true)},
            {"trigger_type", form["trigger_type"]}};
  if (const auto text = form.find("description"); text != form.end() && !text->is_null()) rule["description"] = *text;
  auto spec = form["trigger_spec"];
  if (const auto composite = form.find("composite_condition"); composite != form.end() && !composite->is_null()) {
    if (spec.contains("conditions"))
      return fail(error_code::validation_error,
                  "Write the conditions either in 'trigger_spec' or in 'composite_condition', not in both.",
                  "/composite_condition");
    spec["conditions"] = (*composite)["conditions"];
    spec["logic"] = composite->value("logic", "AND");
  }
  for (auto name : {"window_config", "aggregation", "enrichments"})
    if (const auto further = form.find(name); further != form.end() && !further->is_null() && !further->empty())
      spec[name] = *further;
  // The form groups within the aggregation, a rule beside it.
  if (const auto aggregation = spec.find("aggregation"); aggregation != spec.end() && aggregation->is_object())
    if (const auto groups = aggregation->find("group_by"); groups != aggregation->end()) {
      if (!groups->is_null() && !spec.contains("group_by")) spec["group_by"] = *groups;
      aggregation->erase("group_by");
    }
  rule["trigger_spec"] = std::move(spec);
  auto actions = json::array();
  for (const auto& action : form["actions"]) actions.push_back(folded_action(action));
  if (actions.size() == 1)
    rule["action_spec"] = std::move(actions[0]);
  else
    rule["action_spec"] = {{"type", "multi_action"}, {"actions", std::move(actions)}};
  return rule;
}

} // namespace tobit::http
