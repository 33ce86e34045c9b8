#pragma once

#include "actors/rule/alert/alert_record.hpp"
#include "actors/rule/alert/alert_terms.hpp"
#include "actors/rule/evaluator.hpp"
#include "schemas/call_context.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tobit::rule {

/// One change of one alert, to be told.
struct alert_change {
  alert_record record;             ///< after the change
  std::string_view status;         ///< pending | firing | resolved | inactive
  std::string reason;              ///< why, for people
  bool transition = true;          ///< false: only a note about it (flapping)
  const key_verdict* by = nullptr; ///< the verdict that brought it about; null: time did. Valid during the call.
};

/// The circumstances of a call.
struct alert_moment {
  utc_time now;
  std::string_view exec_id, trace_id;
  const subject* where = nullptr; ///< what the verdict is about, for fields that messages name; null: time passed
};

/// The alerts of one rule, one per key: inactive → pending → firing → resolved. Pure; time comes in.
///
/// It changes at once when it is told of verdicts. What changed is drained as records that the rule journals; applying
/// them to the state before gives the same state, and to a state that holds them already nothing.
///
/// Bounded by `alert_terms::keys_max`: the oldest resolved key makes room (it loses the rest of its cooldown); without
/// one a further key is refused and counted, for a firing alert must not be forgotten.
class alert_table {
public:
  /// `mark` says what the keys mean (trigger_spec's grouping): alerts of another mark are resolved.
  alert_table(alert_terms terms, std::string rule_id, std::uint64_t mark)
      : terms_(std::move(terms)), rule_id_(std::move(rule_id)), mark_(mark) {}

  /// `where`: what the verdict is about, for `clear` conditions; may be null. A verdict with an error changes nothing.
  void take(const key_verdict& v, const subject* where, const alert_moment& at, std::vector<alert_change>& out);
  /// Time goes on.
  void advance(const alert_moment& at, std::vector<alert_change>& out);
  /// The alerts are to be resolved for this reason with the next `advance` (due at once): the rule was disabled or
  /// changed.
  void retire(std::string reason);
  bool retiring() const noexcept { return !retiring_.empty(); }
  /// Resolves everything now.
  void resolve_all(const std::string& reason, const alert_moment& at, std::vector<alert_change>& out);

  /// When `advance` is due.
  std::optional<utc_time> wake_at() const;

  /// What changed since the last call, for the journal, as JSON; empty: nothing.
  std::string drain_moves();
  std::int64_t sequence() const noexcept { return sequence_; }
  /// Takes a drained document; one that is known already changes nothing.
  void apply(const json& moves);

  /// JSON; empty if there is nothing to keep.
  std::string snapshot() const;
  /// Throws json::exception on what is no snapshot. Alerts of another mark begin to retire.
  void restore(const json& snapshot);

  std::size_t size() const noexcept { return records_.size(); }
  const alert_record* find(const std::string& key) const;
  /// Counts, limits, and the first alerts.
  json view() const;

private:
  struct entry {
    alert_record record;
    std::int64_t due_us = 0;
    bool moved = false;
  };
  using entries = std::unordered_map<std::string, entry>;

  entry* admit(const key_verdict& v, const alert_moment& at);
  void matched(entry& e, const key_verdict& v, const alert_moment& at, std::vector<alert_change>& out);
  void not_matched(entry& e, const key_verdict& v, const subject* where, const alert_moment& at,
                   std::vector<alert_change>& out);
  bool settle(entry& e, const key_verdict* by, const alert_moment& at, std::vector<alert_change>& out);
  bool settle_pending(entry& e, const key_verdict* by, const alert_moment& at, std::vector<alert_change>& out);
  bool settle_firing(entry& e, const key_verdict* by, const alert_moment& at, std::vector<alert_change>& out);
  bool held_by_rate(alert_record& r, std::int64_t now);
  void turn(alert_record& r, std::int64_t now) const;
  bool too_many_turns(const alert_record& r, std::int64_t now) const;
  void resolve(entry& e, std::string reason, const key_verdict* by, const alert_moment& at,
               std::vector<alert_change>& out);
  void tell(entry& e, std::string_view status, std::string reason, const key_verdict* by, const alert_moment& at,
            std::vector<alert_change>& out, bool transition = true);
  std::int64_t due_of(const alert_record& r) const;
  void schedule(entry& e);
  void touch(entry& e);
  void forget(const std::string& key);
  void put(alert_record record);
  void clock_stepped(std::int64_t now);
  std::string new_alert_id(const std::string& key, std::int64_t now) const;

  alert_terms terms_;
  std::string rule_id_;
  std::uint64_t mark_;
  entries records_;
  std::set<std::pair<std::int64_t, std::string>> due_;
  std::set<std::pair<std::int64_t, std::string>> resolved_; ///< who makes room first
  std::deque<std::int64_t> firings_;                        ///< of the last hour, if a rate is set
  bool firings_moved_ = false;
  std::int64_t sequence_ = 0;  ///< of drained documents
  std::int64_t latest_us_ = 0; ///< the latest moment seen, to notice a clock set back
  std::size_t rated_ = 0;      ///< records that the rate holds back
  std::string retiring_;
  std::vector<std::string> moved_;
  // Shown, never decided by.
  std::int64_t evicted_ = 0, refused_ = 0, held_back_ = 0;
};

} // namespace tobit::rule
