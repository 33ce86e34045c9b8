#pragma once

#include "schemas/message.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// What can be said to a channel: the entity `channel/<tenant>/<key>`, one way to reach people or programs.
namespace tobit::channel {

inline constexpr std::string_view kind_name = "channel";

/// One alert inside a notice, as templates see it.
struct noticed_alert {
  std::string alert_id, status, severity, rule_id, rule_name, key;
  json labels, annotations, values;
  std::int64_t started_at_us = 0, at_us = 0;
};

/// Tell whoever is behind the channel. At least once; a repeated `notice_id` is answered and not sent again. Answer:
/// `notice_taken`, when it is durable that it will be sent, dropped by the rate limit, or put aside.
struct send_notice {
  static constexpr std::string_view wire_name = "tobit.channel.send_notice.v1";
  std::string notice_id; ///< unique for a decision to tell; the idempotency key of what is sent is derived from it
  std::string thread;    ///< notices with the same thread belong together (updates of one alert group); may be empty
  std::string reason;    ///< firing | resolved | repeat | escalation | acknowledged | test
  std::string severity;  ///< the highest of the alerts
  std::string policy_id, policy_name; ///< which notification policy asks; empty: the rule itself
  std::string message;                ///< the rule's own words; empty: the template's
  std::vector<noticed_alert> alerts;  ///< at most 100
  std::int64_t alerts_total = 0;
  std::vector<std::string> tried; ///< channels that gave up on this notice before (fallback)
  std::int64_t at_us = 0;
  std::string report_kind, report_key; ///< the entity that wants `notice_settled`; empty: nobody
};
struct notice_taken {
  static constexpr std::string_view wire_name = "tobit.channel.notice_taken.v1";
  std::string outcome; ///< sending | repeated | rate_limited | paused (the channel is switched off)
};

/// Try a dead letter again. The channel takes the notice as if it had never seen it, but only to `recipients` if there
/// are any (those that were not reached). Answer: `notice_taken`. Errors: conflict (it was replayed or removed).
struct replay_notice {
  static constexpr std::string_view wire_name = "tobit.channel.replay_notice.v1";
  std::string dead_letter_id;
  send_notice notice;
  std::vector<std::string> recipients;
};

/// How a notice ended. Sent by the channel through its outbox to (`report_kind`, `report_key`), at least once.
struct notice_settled {
  static constexpr std::string_view wire_name = "tobit.channel.notice_settled.v1";
  std::string notice_id, channel;
  std::string outcome; ///< sent | failed (a dead letter is kept) | rate_limited | paused | passed_on (to the fallback)
  std::string error;
  std::int64_t at_us = 0;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(noticed_alert, alert_id, status, severity, rule_id, rule_name, key,
                                                labels, annotations, values, started_at_us, at_us)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(send_notice, notice_id, thread, reason, severity, policy_id,
                                                policy_name, message, alerts, alerts_total, tried, at_us, report_kind,
                                                report_key)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(notice_taken, outcome)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(replay_notice, dead_letter_id, notice, recipients)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(notice_settled, notice_id, channel, outcome, error, at_us)

void write_text(std::string& out, const noticed_alert& alert);
void write_text(std::string& out, const send_notice& notice);

void register_channel_messages();

} // namespace tobit::channel
