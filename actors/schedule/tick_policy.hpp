#pragma once

#include "runtime/time/schedule_spec.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tobit::schedule {

/// Bounds that apply to every schedule.
struct tick_limits {
  /// A tick that could not be looked at for longer than this after its time is missed, not just late.
  std::chrono::microseconds missed_after = std::chrono::seconds{10};
  /// Overlap `allow`: so many ticks of one schedule may be under way; further ones are skipped.
  unsigned overlapping_max = 8;
  /// Missed ticks are counted up to this number; more are reported as this many.
  std::int64_t count_max = 200;
};

/// A schedule at the moment when its next tick is due.
struct due_schedule {
  const schedule_spec& spec;
  utc_time anchor;
  utc_time next_due;
  utc_time fire_at;      ///< `next_due` plus jitter
  utc_time now;          ///< not before `fire_at`
  unsigned open = 0;     ///< ticks that are not settled
  bool retrying = false; ///< one of them was refused and waits for its next attempt
  bool in_order = false; ///< what is due is a backlog to be worked off, not something missed
};

enum class tick_action : std::uint8_t {
  fire, ///< one tick at `due`, which also stands for `missed` earlier ones
  skip, ///< the tick at `due` and `missed` later ones are not fired
  wait  ///< look again when an open tick is settled
};

struct tick_decision {
  tick_action action = tick_action::wait;
  utc_time due{};
  std::int64_t missed = 0;
  std::string_view reason;          ///< of a skip: "missed", "overlap" or "backlog"
  std::optional<utc_time> next_due; ///< what is due afterwards; nothing: never again
  bool in_order = false;            ///< for the next decision
};

/// Applies the schedule's missed and overlap policies. Every due time from `next_due` to `now` is accounted for: fired,
/// stood for by the fired one, skipped, or left for the next decision.
tick_decision decide_tick(const due_schedule& at, const tick_limits& limits);

/// The newest due times from `first` to `until` (both included), at most `count`, in ascending order. `first` is one.
std::vector<utc_time> newest_due_times(const schedule_spec& spec, utc_time anchor, utc_time first, utc_time until,
                                       std::size_t count);

/// Number of due times from `first` (which is one) to before `end`, counted up to `count_max`.
std::int64_t count_due_times(const schedule_spec& spec, utc_time anchor, utc_time first, utc_time end,
                             std::int64_t count_max);

} // namespace tobit::schedule
