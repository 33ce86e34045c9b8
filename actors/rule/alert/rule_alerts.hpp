#pragma once

#include "actors/rule/alert/alert_table.hpp"
#include "actors/rule/firing.hpp"
#include "actors/rule/text_template.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/rule/alert_events.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace tobit::rule {

/// The alerts of a rule as its state uses them: the table, and what is told of its changes to the tenant's alerting.
/// Without an `alert` section it does nothing, except resolving what an earlier version with one has left.
class rule_alerts {
public:
  /// Precondition: `definition` is normalised.
  rule_alerts(const json& definition, const entity_ref& ref);

  /// Verdicts become alerts.
  bool on() const noexcept { return on_; }

  /// Takes a verdict without an error. Gives the transitions to firing and to resolved, for the rule's actions.
  std::vector<alert_change> take(const key_verdict& v, const subject& where, const entity::moment& at,
                                 const std::string& exec_id);
  /// The same when time went on.
  std::vector<alert_change> advance(const entity::moment& at);
  /// A verdict for the actions of a change that time brought about, from what the alert remembers.
  static key_verdict verdict_of(const alert_record& record);

  /// Adds what happened since the last call: the journal's event, and the message to alerting.
  void close(const rule_identity& rule, const entity::moment& at, entity::decision& out);
  /// The rule is deleted: resolves everything and closes.
  void end(const rule_identity& rule, const std::string& reason, const entity::moment& at, entity::decision& out);

  /// An earlier version left alerts that `advance` will resolve.
  bool retiring() const noexcept { return table_.retiring(); }

  void apply(const alerts_moved& event);
  std::optional<utc_time> wake_at() const { return table_.wake_at(); }
  std::string snapshot() const { return table_.snapshot(); }
  void restore(const json& snapshot);
  json view() const { return table_.view(); }
  const alert_record* find(const std::string& key) const { return table_.find(key); }

private:
  std::vector<alert_change> acting(std::vector<alert_change> told);
  alert::alert_changed changed(alert_change&& change, const rule_identity& rule, const entity::moment& at) const;

  bool on_, active_;
  alert_table table_;
  json labels_; ///< of the rule and its alert section
  std::map<std::string, text_template> annotations_;
  std::vector<std::string> channels_; ///< of the actions `notify`
  std::optional<text_template> message_;
  std::string severity_;
  bool stores_ = false; ///< an action `store` makes the record in /cep/events
  std::vector<alert_change> told_;
};

} // namespace tobit::rule
