#pragma once

#include "actors/alert/alert_book.hpp"
#include "actors/alert/alerting_turn.hpp"
#include "actors/alert/silence_book.hpp"
#include "runtime/storage/statement.hpp"

#include <string>
#include <string_view>

/// The rows that alerting leaves behind (schemas/sql/0003_alert.sql), written in the transaction of the decision.
namespace tobit::alert {

/// Largest `payload` of a log row, in bytes of JSON.
inline constexpr std::size_t log_payload_bytes_max = 16 * 1024;

/// The alert as it is now: a new row, or the changed one.
storage::statement alert_row(const alerting_turn& t, const live_alert& a);
/// Only who keeps it quiet.
storage::statement quiet_row(const alerting_turn& t, const live_alert& a);

/// One thing that happened to an alert, or was decided about it.
struct history_entry {
  std::string_view
      what; ///< pending, firing, resolved, inactive, acknowledged, silenced, inhibited, audible, told, held…
  std::string reason;
  std::string by, policy_id, notice_id;
};
storage::statement history_row(alerting_turn& t, const std::string& alert_id, const history_entry& e);

/// A decision of a policy to tell, or not to: one row of `notification_log` (contract §2.10).
struct log_entry {
  std::string log_id, policy_id, policy_name, channel;
  std::string_view status; ///< pending | skipped (sent and fail come when it is settled)
  std::string reason, group;
  json payload;
  std::int64_t alerts = 0;
};
storage::statement log_row(const alerting_turn& t, const log_entry& e);
/// How it ended; only the first end counts.
storage::statement settled_row(const alerting_turn& t, const std::string& notice_id, std::string_view status,
                               const std::string& error, const json& answer);

storage::statement silence_row(const alerting_turn& t, const silence& s, const std::string& by);

} // namespace tobit::alert
