#pragma once

#include "schemas/alert/alert_protocol.hpp"

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace tobit::alert {

/// Live alerts of one tenant; beyond it new ones are refused and counted.
inline constexpr std::size_t alerts_max = 100'000;
/// Ended alerts whose latest change is remembered, so that a late repetition does not bring them back.
inline constexpr std::size_t ended_max = 20'000;

/// An alert that is pending or firing, or resolved and not yet told.
struct live_alert {
  alert_changed facts; ///< of the latest change
  bool acked = false;
  std::string ack_by, ack_comment;
  std::int64_t acked_us = 0;
  std::string silenced_by, inhibited_by;
  std::set<std::string> groups; ///< keys of the groups that it is in

  bool firing() const noexcept { return facts.status == "firing"; }
  bool quiet() const noexcept { return !silenced_by.empty() || !inhibited_by.empty(); }
};

/// The live alerts by id.
class alert_book {
public:
  live_alert* find(const std::string& alert_id);
  const live_alert* find(const std::string& alert_id) const;
  /// True if this change, or a later one of the same alert, was taken before.
  bool knows(const alert_changed& change) const;
  bool full() const noexcept { return all_.size() >= alerts_max; }

  live_alert& put(alert_changed facts);
  /// It is over; changes up to `change` are remembered as known.
  void end(std::string alert_id, std::int64_t change); ///< by value: it is often the name in the alert that goes

  std::map<std::string, live_alert>& all() noexcept { return all_; }
  const std::map<std::string, live_alert>& all() const noexcept { return all_; }

  void snapshot(std::string& out) const;
  void restore(const json& snapshot);

private:
  std::map<std::string, live_alert> all_; ///< ordered, so that decisions have one order
  std::unordered_map<std::string, std::int64_t> ended_;
  std::deque<std::string> ended_order_;
};

/// As answers, streams and rows show it.
json shown(const live_alert& a);

} // namespace tobit::alert
