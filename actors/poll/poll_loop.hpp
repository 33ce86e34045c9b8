#pragma once

#include "actors/poll/metric_source.hpp"
#include "actors/poll/poll_state.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/interest_listener.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"
#include "schemas/message.hpp"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

namespace caf {
class actor_system;
}

namespace tobit::poll {

/// What a poll found, or why it found nothing.
struct reading {
  metric_document document; ///< null if it failed
  std::string error;        ///< empty if it did not
  utc_time observed_at;
};

/// What a poll loop needs. All of it outlives the loop.
struct poll_loop_deps {
  caf::actor_system& system;
  storage::database& database;
  entity::entity_gateway& entities;
  const clock& time;
  telemetry::metrics& metrics;
  std::map<std::string, metric_source*> sources; ///< by the name in `poll_interest::source`
  /// The message that brings a reading to entities of a kind. Made once per poll and kind and shared by its
  /// subscribers.
  std::function<message(const std::string& kind, const reading& found)> make_reading;
};

struct poll_loop_options {
  poll_limits limits;
  std::size_t page = 10'000;                         ///< interests read at once when starting
  std::chrono::milliseconds gather{50};              ///< polls due within this time start together
  std::chrono::milliseconds answer_deadline{60'000}; ///< of one delivery
  std::chrono::milliseconds read_pause{1'000};       ///< after the interests could not be read
};

/// Reads metrics for entities that asked for it, and sends them what came. The leader runs one. Best effort: nothing is
/// stored, a reading that was missed is not made up for, the next one comes.
class poll_loop : public entity::interest_listener {
public:
  std::string_view source() const noexcept override { return "poll"; }
  /// Begins to read who wants what; returns at once.
  virtual void start() = 0;
  /// Makes no further polls. What is under way is dropped when it arrives.
  virtual void stop() = 0;
  /// {loaded, subscribers, requests, under_way, polls, failures, busy, recent_failures: [{at, about, error, tenants}]
  /// (20)}. `done` is called once, on an actor's thread.
  virtual void inspect(std::function<void(json)> done) = 0;
};

std::unique_ptr<poll_loop> make_poll_loop(const poll_loop_deps& deps, const poll_loop_options& options = {});

} // namespace tobit::poll
