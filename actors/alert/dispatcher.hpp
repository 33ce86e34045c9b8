#pragma once

#include "actors/alert/alert_book.hpp"
#include "actors/alert/alert_group.hpp"
#include "actors/alert/alerting_turn.hpp"
#include "actors/alert/notification_policy.hpp"
#include "actors/alert/policy_limits.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace tobit::alert {

/// Groups of a tenant that are kept; beyond it alerts join no further group, and the history says so.
inline constexpr std::size_t groups_max = 100'000;

/// Decides when which group of alerts is told of: group wait and interval, repeats, limits, mute times, escalation.
///
/// The first look at a group is `group_wait` after its first alert. Later changes wait as long, and until
/// `group_interval` has passed since the last look. A notice shows all alerts of the group that fire and are not quiet,
/// and those that resolved since they were told of. Whatever holds a notice back (cooldown, rate, mute time) only
/// delays it.
class dispatcher {
public:
  dispatcher(const alerting_plan& plan, alert_book& book) : plan_(plan), book_(book) {}

  /// An alert fires, resolved, or may be heard again: its groups are looked at when their time comes.
  void route(live_alert& a, alerting_turn& t);
  void stir(const live_alert& a, alerting_turn& t);
  /// Somebody takes care: no repeats, no escalation for groups in which nobody else waits.
  void acknowledged(const live_alert& a, alerting_turn& t);
  /// The definition may have changed: groups of policies that are gone are dropped.
  void drop_strangers(alerting_turn& t);

  /// Does all that is due.
  void run(alerting_turn& t);
  /// 0: nothing is due.
  std::int64_t due_us() const noexcept { return due_.empty() ? 0 : due_.begin()->first; }
  void shift(std::int64_t by_us);

  std::size_t size() const noexcept { return groups_.size(); }
  void snapshot(std::string& out) const;
  void restore(const json& snapshot);
  json view() const;

private:
  /// The members of a group, sorted by what there is to say about them.
  struct roll {
    std::vector<const live_alert*> firing, fresh, resolved;
    bool unacked = false, repeatable = false;
  };

  const notification_policy* policy_of(const alert_group& g) const;
  void join(const notification_policy& p, std::string key, std::string labels, live_alert& a, alerting_turn& t);
  void stir(alert_group& g, const notification_policy& p, std::int64_t now_us);
  roll call(alert_group& g, const notification_policy& p);
  void flush(alert_group& g, const notification_policy& p, alerting_turn& t);
  void tell(alert_group& g, const notification_policy& p, const roll& r, bool firing, alerting_turn& t);
  void follow_up(alert_group& g, const notification_policy& p, const roll& r, std::int64_t now_us);
  bool held(alert_group& g, const notification_policy& p, const roll& r, alerting_turn& t);
  void escalate(alert_group& g, const notification_policy& p, alerting_turn& t);
  void next_step(alert_group& g, const escalation& e, std::int64_t now_us);
  void calm(alert_group& g);
  void schedule(alert_group& g, std::int64_t before);
  void drop(const std::string& key);

  const alerting_plan& plan_;
  alert_book& book_;
  const notification_policy rule_policy_ = notification_policy::of_rule();
  std::map<std::string, alert_group> groups_;
  std::set<std::pair<std::int64_t, std::string>> due_;
  policy_limits limits_;
  std::int64_t refused_ = 0;
};

} // namespace tobit::alert
