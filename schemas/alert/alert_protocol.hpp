#pragma once

#include "schemas/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What can be said to the alerting of a tenant: the entity `alerting/<tenant>/default`, which decides who is told.
namespace tobit::alert {

inline constexpr std::string_view kind_name = "alerting";
inline constexpr std::string_view only_key = "default"; ///< one alerting entity per tenant

/// An alert of a rule changed. Sent by the rule through its outbox, at least once; `change` rises by one with each
/// change of the alert, so a repetition or an older change is recognised. Answer: `alert_noted`.
struct alert_changed {
  static constexpr std::string_view wire_name = "tobit.alert.changed.v1";
  std::string alert_id;    ///< stable for (rule, key) from its first firing to its resolution: a UUID
  std::int64_t change = 0; ///< 1, 2, … within the alert
  std::string rule_id, rule_name;
  std::int64_t rule_version = 0;
  std::string key;                   ///< of `group_by`, as JSON array text; empty without groups
  std::string status;                ///< pending | firing | resolved | inactive (pending that came to nothing)
  std::string severity;              ///< info, low, medium, warning, high, error, critical
  json labels;                       ///< texts: rule's labels, the key's values, `rule_name`, `severity`
  json annotations;                  ///< texts for people: summary, description, runbook_url
  json values;                       ///< what was compared with what, bounded
  std::vector<std::string> channels; ///< keys of channels named by the rule itself; empty: only by policies
  std::string exec_id, trace_id;
  std::int64_t at_us = 0; ///< UTC microseconds
  std::int64_t started_at_us = 0;
};
struct alert_noted {
  static constexpr std::string_view wire_name = "tobit.alert.noted.v1";
  bool repeated = false; ///< this change was known
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alert_changed, alert_id, change, rule_id, rule_name, rule_version, key,
                                                status, severity, labels, annotations, values, channels, exec_id,
                                                trace_id, at_us, started_at_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alert_noted, repeated)

} // namespace tobit::alert
