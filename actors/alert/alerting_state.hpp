#pragma once

#include "actors/alert/alert_book.hpp"
#include "actors/alert/alerting_turn.hpp"
#include "actors/alert/dispatcher.hpp"
#include "actors/alert/inhibition.hpp"
#include "actors/alert/notification_policy.hpp"
#include "actors/alert/silence_book.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/alert/alerting_events.hpp"
#include "schemas/channel/channel_protocol.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <optional>
#include <set>
#include <string>

namespace tobit::alert {

/// The alerting of one tenant: which alerts there are, who keeps them quiet, and who is told of them. Pure: no clock,
/// no I/O.
///
/// It decides by its state, the message, the time and the decision's id alone, and journals the messages that changed
/// something; taken again they give the same state. `decide` changes the state at once, and the runtime loads the
/// entity again if the commit fails. A repeated or late change of an alert is recognised by its number and changes
/// nothing, so nothing is told twice.
class alerting_state final : public entity::entity_logic {
public:
  /// Precondition: `definition` is normalised. Throws json::exception if it is not.
  alerting_state(const entity_ref& ref, const json& definition);

  result<entity::decision> decide(const message& request, const entity::moment& at) override;
  void apply(const message& event) override;
  std::string snapshot() const override;
  result<void> restore(std::string_view snapshot) override;
  std::optional<utc_time> wake_at() const override;
  json view() const override;

private:
  /// Takes a message, live or from the journal. The answer, or an error that changed nothing.
  result<message> step(const message& request, alerting_turn& t);

  alerts_noted on_changes(const alerts_changed& batch, alerting_turn& t);
  void on_change(const alert_changed& change, alerting_turn& t);
  void begin_firing(live_alert& a, alerting_turn& t);
  void over(live_alert& a, alerting_turn& t);
  void show_event(const live_alert& a, alerting_turn& t) const;
  result<message> on_acknowledge(const acknowledge_alert& wish, alerting_turn& t);
  result<message> on_resolve(const resolve_alert& wish, alerting_turn& t);
  result<message> on_put_silence(const put_silence& wish, alerting_turn& t);
  result<message> on_end_silence(const end_silence& wish, alerting_turn& t);
  void on_notice(const channel::notice_settled& end, alerting_turn& t) const;
  void on_effect(const entity::effect_settled& end, alerting_turn& t) const;

  /// Silences and inhibitions as they are now; whoever becomes quiet or audible is noted, and its groups are stirred.
  std::int64_t hush(alerting_turn& t);
  bool hush(live_alert& a, alerting_turn& t);
  void hush_affected(const std::set<std::string>& affected, alerting_turn& t);
  /// The definition is another one than that by which the alerts were routed.
  void reroute(alerting_turn& t);
  void notice_clock(alerting_turn& t);
  void tell_stream(const live_alert& a, std::string_view event, alerting_turn& t) const;

  const tenant_id tenant_;
  const alerting_plan plan_;
  alert_book book_;
  silence_book silences_;
  inhibition_index inhibitions_;
  dispatcher dispatch_;
  std::int64_t silence_edge_us_ = 0; ///< when a silence begins or ends next; 0: none does
  bool needs_routing_ = false;
  std::int64_t sequence_ = 0; ///< of the journal's events that the state holds
  std::int64_t latest_us_ = 0;
  // Shown, never decided by.
  std::int64_t changes_ = 0, repeated_ = 0, refused_ = 0;
};

} // namespace tobit::alert
