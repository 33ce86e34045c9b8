#pragma once

#include "actors/schedule/ledger_state.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/interest_listener.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace caf {
class actor_system;
}

namespace tobit::schedule {

/// What a ledger needs. All of it outlives the ledger.
struct tick_ledger_deps {
  caf::actor_system& system;
  storage::database& database;
  entity::entity_gateway& entities;
  const clock& time;
  telemetry::metrics& metrics;
  /// The message that tells an entity (by its kind) about a tick. Repeated ticks carry the same `due`: the entity
  /// ignores what is not newer than the last one it decided on. Any answer that is not an error settles the tick.
  std::function<message(const entity_ref& ref, utc_time due, std::int64_t missed)> make_tick;
  /// Goes first in every unit that the ledger writes: refuses it if somebody else leads by now.
  std::optional<storage::statement> fence = std::nullopt;
  std::function<void()> fenced{}; ///< somebody else leads: a unit was refused; may be empty. Must only enqueue
};

struct tick_ledger_options {
  ledger_limits limits;
  std::size_t batch_max = 256;                       ///< ticks in one unit of work
  std::size_t batches_under_way_max = 8;             ///< units of claims being written
  std::size_t page = 10'000;                         ///< schedules read at once when starting
  std::chrono::milliseconds gather{5};               ///< ticks due within this time share a unit
  std::chrono::milliseconds look_around{1'000};      ///< how often to look at a clock that may have been set
  std::chrono::milliseconds write_pause{1'000};      ///< after a failed write
  std::chrono::milliseconds answer_deadline{60'000}; ///< of one delivery
  std::chrono::hours keep_removed{24};               ///< the ticks of removed schedules
};

struct ledger_figures {
  bool loaded = false; ///< the stored schedules were read; before that nothing fires
  bool fenced = false; ///< somebody else leads; nothing fires any more
  std::uint64_t schedules = 0, open_ticks = 0;
  std::uint64_t fired = 0, skipped = 0, failed = 0, overdue = 0; ///< since the start
};

/// Wakes entities at the times they asked for. The leader runs one: it makes each due tick a durable row, delivers it
/// until it is answered, and settles the row.
///
/// A tick is fired once, or skipped by the schedule's policies, or raised as overdue after `limits.overdue_after` of
/// attempts. After a crash at any moment open rows are delivered again (the entity ignores repetitions) and what was
/// due in between is subject to the missed policy. Memory: at most 300 bytes per schedule.
class tick_ledger : public entity::interest_listener {
public:
  std::string_view source() const noexcept override { return "schedule"; }
  /// Begins to read the schedules; returns at once. Ticks fire when all are read.
  virtual void start() = 0;
  /// Stops firing, writes what is known and waits for it, at most `patience`. Open ticks stay open for the next start.
  virtual void stop(std::chrono::milliseconds patience) = 0;
  virtual ledger_figures figures() const = 0;
};

std::unique_ptr<tick_ledger> make_tick_ledger(const tick_ledger_deps& deps, const tick_ledger_options& options = {});

/// One row of an entity's ledger.
struct tick_record {
  utc_time due, decided_at;
  std::optional<utc_time> settled_at;
  std::int64_t missed = 0;
  std::string status; ///< open, fired, skipped, failed, overdue
  std::string reason;
};
/// What the ledger knows about one entity.
struct entity_schedule {
  json spec;
  std::optional<utc_time> next_due; ///< nothing: never again, or removed
  std::int64_t tick_count = 0;
  bool removed = false;
  std::vector<tick_record> ticks; ///< the latest, newest first
};
json to_json(const entity_schedule& schedule);

/// Reads the schedule of one entity. `done` is called once, on a storage thread. Errors: not_found if the entity has no
/// schedule; those of the database.
void read_schedule(storage::database& from, const entity_ref& ref, std::function<void(result<entity_schedule>)> done);

} // namespace tobit::schedule
