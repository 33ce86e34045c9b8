#include "actors/rule/rule_definition.hpp"

#include "actors/rule/action_definition.hpp"
#include "actors/rule/alert/alert_terms.hpp"
#include "actors/rule/trigger_definition.hpp"
#include "schemas/rule/rule_secrets.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

json merged(const json& body, const json* before) {
  if (!before || !body.is_object()) return body;
  auto all = *before;
  for (const auto& [name, value] : body.items()) all[name] = value;
  // A rule that becomes another kind of rule cannot keep what only the old kind understood.
  if (body.contains("trigger_type") && !body.contains("trigger_spec") &&
      body["trigger_type"] != before->value("trigger_type", json()))
    all.erase("trigger_spec");
  return with_secrets_of(std::move(all), *before);
}

/// Whoever tells channels tells them of alerts: without a section of its own it has the defaults.
bool tells_channels(const json& rule) {
  const auto actions = rule.contains("action_spec") ? actions_of(rule.at("action_spec")) : std::vector<json>{};
  return std::any_of(actions.begin(), actions.end(), [](const json& a) { return a.value("type", "") == "notify"; });
}

} // namespace

result<json> normalise_rule(const entity_ref& ref, const json& body, const json* before,
                            const outbound::guard_options& guard, const std::string& time_zone) {
  if (body.is_null() && before) return *before;
  verdict v;
  const auto all = merged(body, before);
  field_reader in{v, all, "", "A rule"};
  if (v.good() && to_text(all).size() > definition_bytes_max)
    return fail(error_code::payload_too_large, "A rule is at most 256 KiB of JSON; split it into several rules.");
  if (!v.good()) return fail(v.problem());

  json out{{"rule_name", in.text("rule_name", {1, rule_name_length_max})},
           {"description", in.text("description", {0, 5'000, true}, "")},
           {"severity", in.choice("severity", severities(), "info")},
           {"labels", in.table("labels", 50, 200, false)},
           {"timezone", read_time_zone(in, "timezone", time_zone)},
           {"is_active", in.flag("is_active", true)},
           {"trigger_type", in.choice("trigger_type", {"schedule", "metric", "event", "anomaly", "pattern"})}};
  if (out["rule_name"].get_ref<const std::string&>().find_first_not_of(' ') == std::string::npos)
    in.refuse("rule_name", "'rule_name' holds at least one character that is not a blank.");
  if (const auto* id = in.any("rule_id"); id && *id != ref.key)
    in.refuse("rule_id", "The rule_id differs from the rule that is addressed; leave it out.");
  // What answers show beside the definition: sent back with it, it is no part of it.
  in.ignore({"tenant_id", "version", "created_at", "created_by", "updated_at", "updated_by", "deleted_at", "status",
             "last_error"});
  const auto* trigger = in.any("trigger_spec");
  if (!trigger)
    in.refuse("trigger_spec", "A rule needs the field 'trigger_spec': when it looks, and for what.");
  else if (v.good())
    out["trigger_spec"] = read_trigger(v, out["trigger_type"].get<std::string>(), *trigger, guard);
  const auto* action = in.any("action_spec");
  if (v.good()) out["action_spec"] = read_action_spec(v, action ? *action : json(), {guard, ref.key});
  const auto* alert = in.any("alert");
  const bool wanted = alert ? !(alert->is_boolean() && !alert->get<bool>()) : tells_channels(out);
  if (v.good() && wanted)
    out["alert"] =
        read_alert(v, alert ? *alert : json(), out["trigger_type"].get_ref<const std::string&>(), out["trigger_spec"]);
  if (const auto at = v.good() && !wanted ? pointer_to_resolved(out["action_spec"]) : std::string{}; !at.empty())
    v.refuse(at, "Only alerts are resolved: give the rule an 'alert' section ({} takes the defaults), or leave out "
                 "'resolved'.");
  if (in.has("max_firings_per_minute"))
    out["max_firings_per_minute"] = in.integer("max_firings_per_minute", 1, 1'000'000);
  in.any("max_firings_per_minute");
  in.close();
  if (!v.good()) return fail(v.problem());
  return out;
}

} // namespace tobit::rule
