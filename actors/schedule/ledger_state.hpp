#pragma once

#include "actors/schedule/tick_policy.hpp"
#include "schemas/error.hpp"
#include "schemas/ids.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace tobit::schedule {

/// Bounds of a ledger.
struct ledger_limits {
  tick_limits policy;
  std::uint32_t history = 20;        ///< latest ticks kept per schedule; `policy.overlapping_max` + 2 to 32
  std::size_t in_flight_max = 4'096; ///< ticks delivered and not answered
  std::size_t open_max = 16'384;     ///< ticks decided and not settled; beyond it nothing more is decided
  std::chrono::microseconds overdue_after = std::chrono::minutes{5}; ///< repeated for so long, then raised as overdue
  std::chrono::microseconds retry_first = std::chrono::seconds{1};   ///< doubles with each attempt …
  std::chrono::microseconds retry_max = std::chrono::seconds{30};    ///< … up to this
};

/// The row of one schedule.
struct schedule_row {
  entity_ref ref;
  utc_time anchor;
  std::optional<utc_time> next_due;
  std::int64_t tick_count = 0;
};

/// What is to be written about one due tick before anything is done about it: its row, and what is due next.
struct claim {
  std::uint32_t slot = 0, revision = 0;
  entity_ref ref;
  tick_decision decision;
  std::int64_t tick_count = 0; ///< of the schedule, this one included
  std::uint32_t place = 0;     ///< of its row in the ring
  utc_time fire_at, decided_at;
};

/// A tick on its way to its entity.
struct delivery {
  std::uint64_t tick = 0;
  entity_ref ref;
  utc_time due;
  std::int64_t missed = 0;
  std::chrono::microseconds late{0}; ///< behind its time, jitter not counted
};

/// What is to be written about a tick that is over.
struct settlement {
  entity_ref ref;
  std::uint32_t place = 0;
  utc_time due, settled_at;
  std::string_view status; ///< fired, failed, overdue, skipped
  std::string reason;
};

/// All schedules of a ledger and the ticks under way, in memory. No actor, no clock, no storage: each tick passes
/// `take_due` → (written) → `commit` → `next_delivery` → (asked) → `answered` → (written).
///
/// Time: cron follows the calendar and stands still while a clock that was set back catches up, so that nothing fires
/// twice. Intervals follow elapsed time: a clock set back does not stop them. A clock set forward makes ticks missed.
class ledger_state {
public:
  explicit ledger_state(const ledger_limits& limits);
  ledger_state(const ledger_state&) = delete;
  ledger_state& operator=(const ledger_state&) = delete;

  /// Takes a new or changed schedule; its first tick is the first one due after now. Nothing if this version or a newer
  /// one is known, or only the version differs: then there is nothing to write.
  std::optional<schedule_row> define(const entity_ref& ref, std::int64_t version, const schedule_spec& spec);
  /// Forgets a schedule. False if it is not known or a newer version is.
  bool remove(const entity_ref& ref, std::int64_t version);
  /// Takes a schedule as it was stored.
  void load(const schedule_row& row, std::int64_t version, const schedule_spec& spec);
  /// Takes a tick that was open when the last ledger ended; it is delivered again.
  void reopen(const entity_ref& ref, std::uint32_t place, utc_time due, std::int64_t missed);

  /// Tells what time it is. Call before the others. Returns how far the calendar clock was set back since the last
  /// call.
  std::chrono::microseconds observe(utc_time now, steady_time steady_now);

  /// Decides about due ticks, at most `count`. Each schedule appears once until its claim is committed or given back.
  std::vector<claim> take_due(std::size_t count);
  /// The claim is durable.
  void commit(const claim& c);
  /// The claim could not be written; its schedule is due again.
  void give_back(const claim& c);

  /// The next tick to deliver, if the bound on ticks in flight allows.
  std::optional<delivery> next_delivery();
  /// The entity carried the tick out (now or before).
  std::optional<settlement> answered(std::uint64_t tick);
  /// The entity could not be reached or refused. Nothing if the tick will be repeated.
  std::optional<settlement> refused(std::uint64_t tick, const error& why);

  /// How long nothing happens by itself; zero if something is due.
  std::optional<std::chrono::microseconds> until_next() const;

  std::size_t schedules() const noexcept { return index_.size(); }
  std::size_t open_ticks() const noexcept { return open_.size(); }
  std::size_t in_flight() const noexcept { return in_flight_; }

private:
  struct slot {
    std::string key;
    std::uint32_t owner = 0; ///< index into owners_: kind and tenant
    std::uint32_t revision = 0;
    schedule_spec spec;
    utc_time anchor{}, next_due{};
    std::int64_t version = 0;
    std::uint32_t tick_count = 0;
    std::uint32_t open_places = 0; ///< bit per row that stands for an open tick and must not be overwritten
    std::uint16_t open = 0, retrying = 0;
    bool live = false, exhausted = false, claimed = false, waiting = false, in_order = false;
  };
  struct due_entry {
    utc_time fire_at;
    std::uint32_t slot, revision;
    bool operator<(const due_entry& other) const noexcept { return fire_at > other.fire_at; } // earliest on top
  };
  struct open_tick {
    std::uint32_t slot = 0, place = 0;
    utc_time due{}, fire_at{};
    std::int64_t missed = 0;
    steady_time opened_at{};
    std::uint32_t attempts = 0;
    bool retrying = false;
  };
  struct by_entity {
    using is_transparent = void;
    const ledger_state* state;
    std::size_t operator()(std::uint32_t slot) const;
    std::size_t operator()(const entity_ref& ref) const { return static_cast<std::size_t>(stable_hash(ref)); }
  };
  struct same_entity {
    using is_transparent = void;
    const ledger_state* state;
    bool operator()(std::uint32_t a, std::uint32_t b) const noexcept { return a == b; }
    bool operator()(const entity_ref& ref, std::uint32_t s) const;
    bool operator()(std::uint32_t s, const entity_ref& ref) const { return (*this)(ref, s); }
  };

  using due_queue = std::priority_queue<due_entry>;

  utc_time now_for(const slot& s) const noexcept { return s.spec.interval.count() > 0 ? now_ + behind_ : now_; }
  due_queue& queue_of(const slot& s) noexcept { return s.spec.interval.count() > 0 ? by_elapsed_ : by_calendar_; }
  utc_time fire_time(const slot& s) const;
  entity_ref ref_of(const slot& s) const;
  std::uint32_t owner_of(const entity_ref& ref);
  std::uint32_t new_slot(const entity_ref& ref);
  slot* find(const entity_ref& ref, std::uint32_t* number = nullptr);
  void arm(std::uint32_t number);
  void release_if_unused(std::uint32_t number);
  std::uint32_t free_place(const slot& s) const;
  void drop_stale(due_queue& queue);
  void sweep(due_queue& queue);
  bool stale(const due_entry& entry) const;
  std::optional<claim> decide(const due_entry& entry);
  void queue_due_retries();
  std::uint64_t open(std::uint32_t number, std::uint32_t place, utc_time due, utc_time fire_at, std::int64_t missed);
  settlement close(std::uint64_t tick, std::string_view status, std::string reason);
  void note_removed(const entity_ref& ref, std::int64_t version);

  ledger_limits limits_;
  utc_time now_{};
  steady_time steady_now_{};
  bool observed_ = false;
  std::chrono::microseconds behind_{0}; ///< how far the calendar is behind elapsed time since the start

  std::deque<slot> slots_;
  std::vector<std::uint32_t> free_;
  std::vector<std::pair<std::string, tenant_id>> owners_;
  std::unordered_set<std::uint32_t, by_entity, same_entity> index_;
  std::unordered_map<std::uint64_t, std::int64_t> removed_; ///< versions of removed schedules, by hash; bounded
  due_queue by_calendar_, by_elapsed_;

  std::unordered_map<std::uint64_t, open_tick> open_;
  std::uint64_t last_tick_ = 0;
  std::deque<std::uint64_t> ready_;
  std::multimap<steady_time, std::uint64_t> retries_;
  std::size_t in_flight_ = 0;
};

} // namespace tobit::schedule
