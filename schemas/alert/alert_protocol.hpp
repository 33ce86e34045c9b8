#pragma once

#include "schemas/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What can be said to the alerting of a tenant: the entity `alerting/<tenant>/default`, which decides who is told.
namespace tobit::alert {

inline constexpr std::string_view kind_name = "alerting";
inline constexpr std::string_view only_key = "default"; ///< one alerting entity per tenant

/// An alert of a rule changed. `change` rises by one with each change of the alert, so a repetition or an older change
/// is recognised.
struct alert_changed {
  static constexpr std::string_view wire_name = "tobit.alert.changed.v1";
  std::string alert_id;    ///< stable for (rule, key) from its first match to its resolution: a UUID
  std::int64_t change = 0; ///< 1, 2, … within the alert
  std::string rule_id, rule_name;
  std::int64_t rule_version = 0;
  std::string key;                   ///< of `group_by`, as JSON array text; empty without groups
  std::string status;                ///< pending | firing | resolved | inactive (pending that came to nothing)
  std::string reason;                ///< why it changed, for people
  bool flapping = false;             ///< it changes too often; it goes on firing until it calms
  std::string severity;              ///< info, low, medium, warning, high, error, critical
  std::string summary;               ///< one line for people
  json labels;                       ///< texts: rule's labels, the key's values, `rule_name`, `severity`
  json annotations;                  ///< texts for people: summary, description, runbook_url
  json values;                       ///< what was compared with what, bounded
  std::vector<std::string> channels; ///< keys of channels named by the rule itself; empty: only by policies
  std::string message;               ///< the rule's own words for its channels; empty: the template's
  std::string event_id;              ///< the record in /cep/events that shows this alert; empty: alerting makes one
  std::string exec_id, trace_id;
  std::int64_t at_us = 0; ///< UTC microseconds
  std::int64_t started_at_us = 0;
};

/// What rules send through their outbox, at least once: the changes of one decision. Answer: `alerts_noted`.
struct alerts_changed {
  static constexpr std::string_view wire_name = "tobit.alert.alerts_changed.v1";
  std::vector<alert_changed> changes; ///< at most `changes_max`
};
inline constexpr std::size_t changes_max = 100;
struct alerts_noted {
  static constexpr std::string_view wire_name = "tobit.alert.noted.v1";
  std::int64_t repeated = 0; ///< so many of the changes were known
};

/// Somebody takes care of an alert: it is not repeated and does not escalate further. The first one counts.
/// Answer: `alert_answer`. Errors: not_found.
struct acknowledge_alert {
  static constexpr std::string_view wire_name = "tobit.alert.acknowledge.v1";
  std::string alert_id, by, comment;
};
/// Closes an alert by hand, until its rule fires anew. Answer: `alert_answer`. Errors: not_found.
struct resolve_alert {
  static constexpr std::string_view wire_name = "tobit.alert.resolve.v1";
  std::string alert_id, by, comment;
};
struct alert_answer {
  static constexpr std::string_view wire_name = "tobit.alert.answer.v1";
  json alert;           ///< alert_id, status, ack, ack_at, ack_by
  bool changed = false; ///< false: it was so already
};

/// Creates a silence, or changes one that has not ended. Answer: `silence_answer`.
/// Errors: validation_error (pointer), not_found, conflict (it has ended).
struct put_silence {
  static constexpr std::string_view wire_name = "tobit.alert.put_silence.v1";
  std::string silence_id; ///< of the silence to change; empty: a new one
  json body;              ///< {matchers, starts_at, ends_at, comment}
  std::string by;
};
/// Ends a silence now. Answer: `silence_answer`.
struct end_silence {
  static constexpr std::string_view wire_name = "tobit.alert.end_silence.v1";
  std::string silence_id, by;
};
struct silence_answer {
  static constexpr std::string_view wire_name = "tobit.alert.silence_answer.v1";
  json silence;
  std::int64_t affected = 0; ///< firing alerts that it silences now
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alert_changed, alert_id, change, rule_id, rule_name, rule_version, key,
                                                status, reason, flapping, severity, summary, labels, annotations,
                                                values, channels, message, event_id, exec_id, trace_id, at_us,
                                                started_at_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alerts_changed, changes)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alerts_noted, repeated)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(acknowledge_alert, alert_id, by, comment)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(resolve_alert, alert_id, by, comment)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(alert_answer, alert, changed)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(put_silence, silence_id, body, by)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(end_silence, silence_id, by)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(silence_answer, silence, affected)

void write_text(std::string& out, const alert_changed& change);
void write_text(std::string& out, const alerts_changed& changes);

void register_alert_messages();

} // namespace tobit::alert
