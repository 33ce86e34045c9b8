#pragma once

#include "actors/alert/label_matcher.hpp"
#include "actors/alert/mute_times.hpp"
#include "actors/alert/on_call.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tobit::alert {

/// Whom to reach.
struct reach {
  std::vector<std::string> channels, on_call;
};

/// One step of an escalation; microseconds after its start.
struct escalation_step {
  std::int64_t after_us = 0;
  reach to;
};
struct escalation {
  std::vector<escalation_step> steps; ///< with those of the escalations it goes on with
  std::int64_t rounds = 1;
  std::int64_t round_us = 0; ///< from the last step to the first one of the next round
};

/// Who is told of which alerts, when and how often: a notification, compiled. Times in microseconds.
struct notification_policy {
  std::string id, name, rule_id;
  bool active = true;
  matcher_list matchers;
  int severity_min = 0;
  reach to;
  std::string webhook_url;
  json headers = json::object(), trigger = json::object();
  std::optional<std::vector<std::string>> group_by; ///< nothing: each alert by itself
  std::int64_t group_wait_us = 0, group_interval_us = 0, repeat_us = 0;
  bool send_resolved = true;
  std::string escalation_id;
  std::int64_t cooldown_us = 0, per_hour = 0; ///< 0: no limit
  mute_times mutes;

  /// Precondition: normalised.
  static notification_policy compile(const json& spec);
  /// Of the channels that a rule names itself: at once, each alert by itself, no limits but the channels' own.
  static notification_policy of_rule();

  bool wants(const alert_changed& a) const;
  /// What the alert's group is called within this policy: a JSON object of the labels that it groups by.
  std::string group_of(const alert_changed& a) const;
};

/// The definition of a tenant's alerting, compiled. Immutable.
struct alerting_plan {
  std::map<std::string, notification_policy> policies; ///< by id; ordered, so that decisions have one order
  std::map<std::string, escalation> escalations;
  std::map<std::string, on_call_schedule> on_call;
  json inhibitions;
  std::uint64_t mark = 0; ///< changes with the definition

  explicit alerting_plan(const json& definition);
  /// The channels to reach now; `nobody` gets the schedules without anybody on duty.
  std::vector<std::string> channels_of(const reach& to, utc_time now, std::vector<std::string>& nobody) const;
};

} // namespace tobit::alert
