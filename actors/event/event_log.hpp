#pragma once

#include "actors/event/event_batch.hpp"
#include "actors/event/event_limits.hpp"
#include "actors/event/event_router.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/interest_listener.hpp"
#include "runtime/intake/event_intake.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

namespace tobit::event {

/// Everything outlives the event log.
struct event_log_deps {
  caf::actor_system* system = nullptr;
  storage::database* db = nullptr;
  const clock* time = nullptr;
  telemetry::metrics* figures = nullptr; ///< may be null
  /// Goes first in every unit that the log writes: refuses it with `fenced` if another node leads by now.
  std::optional<storage::statement> fence = std::nullopt;
  std::function<void()> fenced{}; ///< a unit was refused by that; may be empty. Must only enqueue
};

struct event_log_options {
  event_limits request;
  router_limits routing;
  std::size_t remembered_ids = 2'000'000; ///< to find duplicates; 24 to 48 bytes each
  std::chrono::hours remembered_for{24};
  std::size_t waiting_requests_max = 20'000; ///< parsed and not yet committed; beyond it: overloaded
  std::size_t waiting_bytes_max = 256u << 20;
};

/// Takes events in, keeps them, and carries them to whoever wants them. The leader of a cluster runs one.
///
/// Duplicates: an event whose tenant, source and id were seen among the latest `remembered_ids` events within
/// `remembered_for` is acknowledged and not stored again. Events are acknowledged after the commit. Evaluation is at
/// least once, in the order of offsets for each subscriber; subscribers leave out offsets they have decided before.
///
/// Start order: database, actor system, this (made), entity runtime (with `interests()` among its listeners), `start`.
/// Stop in reverse: whoever ingests, `stop`, entity runtime, actor system, database.
class event_log {
public:
  virtual ~event_log() = default;

  /// Reads ids, the end and the watermark, then begins. Waits for the database. Before, requests wait in the queue.
  virtual result<void> start(entity::entity_gateway& entities) = 0;
  /// Writes what was accepted, waits for open evaluations, stores the watermark; at most `patience`. False if that was
  /// too short (nothing is lost: the rows are there). Waits.
  virtual bool stop(std::chrono::milliseconds patience) = 0;

  virtual event_intake& intake() noexcept = 0;
  virtual entity::interest_listener& interests() noexcept = 0;

  /// How far everything is. `done` is called on an actor's thread.
  virtual void status(std::function<void(const router_status&)> done) = 0;

  /// Stored batches from an offset on, at most `rows_max` (1 to 100), for back-tests. `done` is called on a storage
  /// thread.
  virtual void read(std::uint64_t from, std::size_t rows_max,
                    std::function<void(result<std::vector<logged_batch_ptr>>)> done) = 0;
  /// The offset from which on events were received at or after `moment`.
  virtual void find_offset(utc_time moment, std::function<void(result<std::uint64_t>)> done) = 0;
};

std::unique_ptr<event_log> make_event_log(const event_log_deps& deps, const event_log_options& options = {});

} // namespace tobit::event
