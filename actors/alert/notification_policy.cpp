#include "actors/alert/notification_policy.hpp"

#include "actors/alert/names.hpp"

#include <xxhash.h>

#include <algorithm>

namespace tobit::alert {

namespace {

constexpr std::int64_t second_us = 1'000'000;
constexpr std::size_t chain_max = 100;

std::int64_t seconds(const json& spec, const char* name) { return spec.at(name).get<std::int64_t>() * second_us; }

reach reach_of(const json& spec) {
  return {spec.at("channels").get<std::vector<std::string>>(), spec.at("on_call").get<std::vector<std::string>>()};
}

/// With the steps of the escalations that it goes on with, each after the last step before.
escalation flattened(const json& all, const json& first) {
  escalation out;
  const json* at = &first;
  std::int64_t begin = 0;
  for (std::size_t links = 0; at && links < chain_max; ++links) {
    for (const auto& step : at->at("steps"))
      out.steps.push_back({begin + seconds(step, "after_seconds"), reach_of(step)});
    begin = out.steps.back().after_us + second_us;
    const auto& then = at->at("then");
    const auto next =
        std::find_if(all.begin(), all.end(), [&](const json& e) { return e.at("escalation_id") == then; });
    at = then == "" || next == all.end() ? nullptr : &*next;
  }
  out.rounds = 1 + first.at("repeat").get<std::int64_t>();
  out.round_us = seconds(first, "repeat_after_seconds");
  return out;
}

} // namespace

notification_policy notification_policy::compile(const json& spec) {
  notification_policy p;
  p.id = spec.at("notification_id").get<std::string>();
  p.name = spec.at("name").get<std::string>();
  p.rule_id = spec.at("rule_id").get<std::string>();
  p.active = spec.at("is_active").get<bool>();
  p.matchers = matcher_list{spec.at("matchers")};
  p.severity_min = severity_rank(spec.at("severity_min").get_ref<const std::string&>());
  p.to = reach_of(spec);
  p.webhook_url = spec.at("webhook_url").get<std::string>();
  p.headers = spec.at("headers");
  p.trigger = spec.at("trigger");
  if (!spec.at("group_by").is_null()) p.group_by = spec.at("group_by").get<std::vector<std::string>>();
  p.group_wait_us = seconds(spec, "group_wait_seconds");
  p.group_interval_us = seconds(spec, "group_interval_seconds");
  p.repeat_us = seconds(spec, "repeat_interval_seconds");
  p.send_resolved = spec.at("send_resolved").get<bool>();
  p.escalation_id = spec.at("escalation").get<std::string>();
  p.cooldown_us = seconds(spec.at("policy"), "cooldown_seconds");
  p.per_hour = spec.at("policy").at("max_per_hour").get<std::int64_t>();
  p.mutes = mute_times{spec.at("mute_times")};
  return p;
}

notification_policy notification_policy::of_rule() {
  notification_policy p;
  p.group_interval_us = second_us;
  p.repeat_us = 4 * 3'600 * second_us;
  return p;
}

bool notification_policy::wants(const alert_changed& a) const {
  return active && (rule_id.empty() || rule_id == a.rule_id) && severity_rank(a.severity) >= severity_min &&
         matchers.matches(a.labels);
}

std::string notification_policy::group_of(const alert_changed& a) const {
  if (!group_by) return to_text(json{{"rule_id", a.rule_id}, {"key", a.key}});
  json labels = json::object();
  for (const auto& label : *group_by) labels[label] = a.labels.is_object() ? a.labels.value(label, json("")) : json("");
  return to_text(labels);
}

alerting_plan::alerting_plan(const json& definition) : inhibitions(definition.at("inhibitions")) {
  for (const auto& spec : definition.at("notifications")) {
    auto p = notification_policy::compile(spec);
    policies.emplace(p.id, std::move(p));
  }
  for (const auto& spec : definition.at("escalations"))
    escalations.emplace(spec.at("escalation_id").get<std::string>(), flattened(definition.at("escalations"), spec));
  for (const auto& spec : definition.at("on_call"))
    on_call.emplace(spec.at("on_call_id").get<std::string>(), on_call_schedule{spec});
  const auto text = to_text(definition);
  mark = XXH3_64bits(text.data(), text.size());
}

std::vector<std::string> alerting_plan::channels_of(const reach& to, utc_time now,
                                                    std::vector<std::string>& nobody) const {
  auto channels = to.channels;
  for (const auto& name : to.on_call) {
    const auto schedule = on_call.find(name);
    const auto* person = schedule == on_call.end() ? nullptr : schedule->second.on_duty(now);
    if (!person)
      nobody.push_back(name);
    else
      channels.insert(channels.end(), person->channels.begin(), person->channels.end());
  }
  std::sort(channels.begin(), channels.end());
  channels.erase(std::unique(channels.begin(), channels.end()), channels.end());
  return channels;
}

} // namespace tobit::alert
