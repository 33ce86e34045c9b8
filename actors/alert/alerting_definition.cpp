#include "actors/alert/alerting_definition.hpp"

#include "actors/alert/label_matcher.hpp"
#include "actors/alert/mute_times.hpp"
#include "actors/alert/names.hpp"
#include "actors/alert/on_call.hpp"
#include "actors/rule/action_definition.hpp"
#include "actors/rule/trigger_definition.hpp"

#include <algorithm>
#include <set>

namespace tobit::alert {

namespace {

constexpr std::int64_t day_seconds = 86'400;
constexpr std::size_t steps_max = 20;

/// What is written as `***` keeps the value that the notification of the same id has.
json with_secrets(json wanted, const json& before) {
  if (!wanted.is_array() || !before.is_array()) return wanted;
  for (auto& n : wanted) {
    if (!n.is_object()) continue;
    const auto same = std::find_if(before.begin(), before.end(), [&](const json& b) {
      return b.value("notification_id", json()) == n.value("notification_id", json("none"));
    });
    if (same == before.end()) continue;
    if (n.value("webhook_url", json()) == "***") n["webhook_url"] = same->value("webhook_url", json());
    // A secret goes only where it went before.
    if (n.value("webhook_url", json()) != same->value("webhook_url", json())) continue;
    if (const auto headers = n.find("headers"); headers != n.end() && headers->is_object())
      for (auto& [name, value] : headers->items())
        if (value == "***" && same->contains("headers") && (*same)["headers"].contains(name))
          value = (*same)["headers"][name];
  }
  return wanted;
}

json read_trigger(rule::verdict& v, const json* spec, const std::string& pointer) {
  json out = json::object();
  if (!spec || (spec->is_object() && spec->empty())) return out;
  rule::field_reader in{v, *spec, pointer, "A notification's trigger"};
  out["type"] = in.text("type", {1, 50}, "alert");
  if (out["type"] == "snapshot_threshold")
    in.refuse("type",
              "'snapshot_threshold' watches counters of a scheduler's snapshots, which Tobit does not take. Write "
              "a rule with an 'alert' section for what is to be watched, and name it here as 'rule_id'.");
  else if (out["type"] != "alert")
    in.refuse("type", "A notification's trigger is of the type 'alert': it tells of alerts that its matchers fit.");
  if (in.has("severity")) out["severity"] = in.choice("severity", rule::severities());
  in.any("severity");
  in.close();
  return out;
}

json read_policy(rule::verdict& v, const json* spec, const std::string& pointer) {
  const json empty = json::object();
  rule::field_reader in{v, spec ? *spec : empty, pointer, "A notification's policy"};
  json out{{"cooldown_seconds", in.integer("cooldown_seconds", 0, 7 * day_seconds, 300)},
           {"max_per_hour", in.integer("max_per_hour", 0, 10'000, 20)}};
  in.close();
  return out;
}

/// Whom a notification or a step reaches; at least one way is needed.
void read_reach(rule::field_reader& in, json& out) {
  out["channels"] = read_channels(in);
  out["on_call"] = in.texts("on_call", {1, 100}, 20);
}

/// The guard speaks of an endpoint; the field is the same kind of address. Empty: none.
std::string read_webhook_url(rule::field_reader& in, const outbound::guard_options& guard) {
  const auto* written = in.any("webhook_url");
  if (!written || *written == "" || !in.problems().good()) return {};
  rule::verdict inner;
  const json one{{"endpoint", *written}};
  rule::field_reader endpoint{inner, one, "", "A notification"};
  auto url = rule::read_endpoint(endpoint, guard);
  if (!inner.good()) in.refuse("webhook_url", std::string(inner.problem().text()), inner.problem().code);
  return url;
}

json read_notification(rule::verdict& v, const json& spec, const std::string& pointer,
                       const outbound::guard_options& guard) {
  rule::field_reader in{v, spec, pointer, "A notification"};
  json out{{"notification_id", read_id(in, "notification_id")},
           {"name", in.text("name", {1, 200})},
           {"is_active", in.flag("is_active", true)},
           {"rule_id", in.text("rule_id", {0, 200}, "")},
           {"headers", rule::read_headers(in)}};
  read_reach(in, out);
  out["webhook_url"] = read_webhook_url(in, guard);
  const auto channel = in.text("channel", {0, 200}, "");
  out["channel"] = channel.empty() && out["webhook_url"] != "" ? "webhook" : channel;
  if (channel == "webhook" && out["webhook_url"] == "" && v.good())
    in.refuse("webhook_url", "The channel 'webhook' needs a 'webhook_url'; or name a channel of /cep/channels.");
  if (!channel.empty() && channel != "webhook") {
    auto all = out["channels"].get<std::vector<std::string>>();
    if (std::find(all.begin(), all.end(), channel) == all.end()) out["channels"].push_back(channel);
  }
  out["trigger"] = read_trigger(v, in.any("trigger"), in.pointer_to("trigger"));
  out["policy"] = read_policy(v, in.any("policy"), in.pointer_to("policy"));
  out["matchers"] = read_matchers(v, in.any("matchers"), in.pointer_to("matchers"));
  out["severity_min"] =
      in.has("severity_min") ? in.choice("severity_min", rule::severities()) : out["trigger"].value("severity", "info");
  in.any("severity_min");
  const bool grouped = in.has("group_by");
  out["group_by"] = grouped ? json(in.texts("group_by", {1, 100}, 10)) : json(nullptr);
  in.any("group_by");
  out["group_wait_seconds"] = in.integer("group_wait_seconds", 0, 3'600, grouped ? 30 : 0);
  out["group_interval_seconds"] = in.integer("group_interval_seconds", 1, day_seconds, grouped ? 300 : 1);
  out["repeat_interval_seconds"] = in.integer("repeat_interval_seconds", 0, 7 * day_seconds, 4 * 3'600);
  if (const auto repeat = out["repeat_interval_seconds"].get<std::int64_t>(); repeat > 0 && repeat < 10)
    in.refuse("repeat_interval_seconds", "Repeat every 10 seconds at most, or 0 for never.");
  out["send_resolved"] = in.flag("send_resolved", true);
  out["escalation"] = in.text("escalation", {0, 100}, "");
  out["mute_times"] = read_mute_times(v, in.any("mute_times"), in.pointer_to("mute_times"));
  for (const auto* name : {"created_at", "updated_at"}) out[name] = in.text(name, {0, 40}, "");
  in.ignore({"tenant_id"});
  if (v.good() && out["channels"].empty() && out["on_call"].empty() && out["webhook_url"] == "" &&
      out["escalation"] == "")
    in.refuse("channels",
              "A notification needs somebody to tell: 'channels', 'on_call', 'escalation' or 'webhook_url'.");
  in.close();
  return out;
}

json read_inhibition(rule::verdict& v, const json& spec, const std::string& pointer) {
  rule::field_reader in{v, spec, pointer, "An inhibition"};
  json out{{"name", in.text("name", {0, 200}, "")},
           {"source_matchers", read_matchers(v, in.any("source_matchers"), in.pointer_to("source_matchers"))},
           {"target_matchers", read_matchers(v, in.any("target_matchers"), in.pointer_to("target_matchers"))},
           {"equal", in.texts("equal", {1, 100}, 10)}};
  if (v.good() && (out["source_matchers"].empty() || out["target_matchers"].empty()))
    in.refuse(out["source_matchers"].empty() ? "source_matchers" : "target_matchers",
              "An inhibition needs matchers for the alert that inhibits and for those that it inhibits.");
  if (v.good() && out["source_matchers"] == out["target_matchers"])
    in.refuse("target_matchers", "Source and target are the same alerts; an alert does not inhibit its equals.");
  in.close();
  return out;
}

json read_escalation(rule::verdict& v, const json& spec, const std::string& pointer) {
  rule::field_reader in{v, spec, pointer, "An escalation"};
  json out{{"escalation_id", read_id(in, "escalation_id")},
           {"name", in.text("name", {0, 200}, "")},
           {"repeat", in.integer("repeat", 0, 10, 0)},
           {"repeat_after_seconds", in.integer("repeat_after_seconds", 60, 7 * day_seconds, 1'800)},
           {"then", in.text("then", {0, 100}, "")}};
  const auto* steps = in.any("steps");
  out["steps"] = json::array();
  if (!steps || !steps->is_array() || steps->empty() || steps->size() > steps_max)
    in.refuse("steps", "An escalation needs 'steps': a list of 1 to " + std::to_string(steps_max) + ".");
  std::int64_t before = -1;
  for (std::size_t i = 0; v.good() && i < steps->size(); ++i) {
    rule::field_reader step{v, (*steps)[i], pointer_append(in.pointer_to("steps"), i), "A step"};
    json one{{"after_seconds", step.integer("after_seconds", 0, 7 * day_seconds, 0)}};
    read_reach(step, one);
    if (v.good() && one["channels"].empty() && one["on_call"].empty())
      step.refuse("channels", "A step needs 'channels' or 'on_call'.");
    if (v.good() && one["after_seconds"].get<std::int64_t>() <= before)
      step.refuse("after_seconds", "Each step comes later than the one before; 'after_seconds' counts from the start.");
    before = one["after_seconds"].get<std::int64_t>();
    step.close();
    out["steps"].push_back(std::move(one));
  }
  in.close();
  return out;
}

template <class Read>
json read_list(rule::field_reader& in, const char* name, std::size_t most, Read read) {
  json out = json::array();
  const auto* list = in.any(name);
  if (!list) return out;
  if (!list->is_array() || list->size() > most) {
    in.refuse(name, "'" + std::string(name) + "' is a list of at most " + std::to_string(most) + ".");
    return out;
  }
  for (std::size_t i = 0; i < list->size() && in.problems().good(); ++i)
    out.push_back(read((*list)[i], pointer_append(in.pointer_to(name), i)));
  return out;
}

void refuse_duplicates(rule::verdict& v, const json& list, const char* field, const std::string& pointer) {
  std::set<std::string> seen;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!seen.insert(list[i][field].get<std::string>()).second)
      v.refuse(pointer_append(pointer_append(pointer, i), field), "This identifier is used twice.");
}

bool has(const json& list, const char* field, const json& id) {
  return std::any_of(list.begin(), list.end(), [&](const json& one) { return one[field] == id; });
}

void check_on_call(rule::verdict& v, const json& names, const json& schedules, const std::string& pointer) {
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!has(schedules, "on_call_id", names[i]))
      v.refuse(pointer_append(pointer + "/on_call", i), "There is no on-call schedule of this name in 'on_call'.");
}

/// An escalation may go on with another one, but not in a circle.
void check_chain(rule::verdict& v, const json& escalations, std::size_t from) {
  std::set<std::string> passed;
  const json* at = &escalations[from];
  while (at && (*at)["then"] != "") {
    if (!passed.insert((*at)["escalation_id"].get<std::string>()).second)
      return v.refuse("/escalations/" + std::to_string(from) + "/then",
                      "These escalations go round in a circle; use 'repeat' to begin again.");
    const auto next = std::find_if(escalations.begin(), escalations.end(),
                                   [&](const json& e) { return e["escalation_id"] == (*at)["then"]; });
    if (next == escalations.end())
      return v.refuse("/escalations/" + std::to_string(from) + "/then", "There is no escalation of this name.");
    at = &*next;
  }
}

void check_references(rule::verdict& v, const json& all) {
  refuse_duplicates(v, all["notifications"], "notification_id", "/notifications");
  refuse_duplicates(v, all["escalations"], "escalation_id", "/escalations");
  refuse_duplicates(v, all["on_call"], "on_call_id", "/on_call");
  for (std::size_t i = 0; i < all["notifications"].size() && v.good(); ++i) {
    const auto& n = all["notifications"][i];
    const auto pointer = "/notifications/" + std::to_string(i);
    check_on_call(v, n["on_call"], all["on_call"], pointer);
    if (n["escalation"] != "" && !has(all["escalations"], "escalation_id", n["escalation"]))
      v.refuse(pointer + "/escalation", "There is no escalation of this name in 'escalations'.");
  }
  for (std::size_t i = 0; i < all["escalations"].size() && v.good(); ++i) {
    const auto& steps = all["escalations"][i]["steps"];
    for (std::size_t s = 0; s < steps.size(); ++s)
      check_on_call(v, steps[s]["on_call"], all["on_call"],
                    "/escalations/" + std::to_string(i) + "/steps/" + std::to_string(s));
    check_chain(v, all["escalations"], i);
  }
}

} // namespace

json default_alerting() {
  return {{"notifications", json::array()},
          {"inhibitions", json::array()},
          {"escalations", json::array()},
          {"on_call", json::array()}};
}

result<json> normalise_alerting(const json& body, const json* before, const outbound::guard_options& guard) {
  rule::verdict v;
  json all = before ? *before : json::object();
  if (body.is_object())
    for (const auto& [name, value] : body.items())
      all[name] =
          name == "notifications" && before ? with_secrets(value, before->value("notifications", json())) : value;
  else
    v.refuse("", "The alerting of a tenant is a JSON object.");
  if (v.good() && to_text(all).size() > definition_bytes_max)
    return fail(error_code::payload_too_large, "The alerting of a tenant is at most 256 KiB of JSON.");
  rule::field_reader in{v, all, "", "Alerting"};
  in.ignore({"version", "created_at", "updated_at", "created_by", "updated_by"});
  json out = default_alerting();
  out["on_call"] = read_list(in, "on_call", on_call_max,
                             [&](const json& one, const std::string& at) { return read_on_call(v, one, at); });
  out["escalations"] = read_list(in, "escalations", escalations_max,
                                 [&](const json& one, const std::string& at) { return read_escalation(v, one, at); });
  out["inhibitions"] = read_list(in, "inhibitions", inhibitions_max,
                                 [&](const json& one, const std::string& at) { return read_inhibition(v, one, at); });
  out["notifications"] = read_list(in, "notifications", notifications_max, [&](const json& one, const std::string& at) {
    return read_notification(v, one, at, guard);
  });
  in.close();
  if (v.good()) check_references(v, out);
  if (!v.good()) return fail(v.problem());
  return out;
}

} // namespace tobit::alert
