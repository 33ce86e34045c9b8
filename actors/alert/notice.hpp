#pragma once

#include "actors/alert/alert_book.hpp"
#include "actors/alert/alert_group.hpp"
#include "actors/alert/alerting_turn.hpp"
#include "actors/alert/notification_policy.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tobit::alert {

/// A decision to tell somebody of alerts.
struct notice {
  const notification_policy& policy;
  const alert_group& group;
  std::string_view reason; ///< firing | resolved | repeat | escalation | acknowledged
  std::vector<const live_alert*> alerts;
  std::vector<std::string> channels;
  bool by_webhook = false; ///< also to the policy's own webhook_url
  std::string remark;      ///< what the history says beside the reason
};

/// Alerts that one notice shows; the rest is counted.
inline constexpr std::size_t noticed_max = 100;

/// Makes the effects of a notice, one per channel, and its rows: the log of the policy and the history of its alerts.
/// Each effect reports how it ended under the id of its log row.
void write_notice(const notice& n, alerting_turn& t);

/// The row that says why nothing was told, with the history of the alerts that wait.
void write_held(const notification_policy& policy, const alert_group& group, const std::string& reason,
                const std::vector<const live_alert*>& waiting, alerting_turn& t);

} // namespace tobit::alert
