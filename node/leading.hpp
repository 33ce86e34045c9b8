#pragma once

#include "actors/event/event_log.hpp"
#include "actors/poll/poll_loop.hpp"
#include "actors/schedule/tick_ledger.hpp"
#include "node/interest_slot.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/log.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"

#include <caf/fwd.hpp>

#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

namespace tobit::node {

/// All of it outlives the work.
struct leading_deps {
  caf::actor_system* actors = nullptr;
  storage::database* store = nullptr;
  const clock* time = nullptr;
  telemetry::metrics* figures = nullptr;
  telemetry::logger* log = nullptr;
  event::event_log_options events;
  poll::poll_loop_options polling;
  bool schedules = true, polls = true; ///< switched on by the settings
  std::chrono::milliseconds stop_patience{2'000};
};

/// The work that exactly one node does: it keeps the event log, the tick ledger and the poll loop. A node of its own
/// always leads; in a cluster the leader does, and each of its writes proves that it still leads. Thread-safe; starting
/// and stopping happen in order, on a thread of its own, because both wait for the database.
class leading {
public:
  /// How a write proves the right to lead; nothing: nobody else could.
  struct right {
    std::int64_t epoch = 0;
    storage::statement fence;
  };

  explicit leading(leading_deps deps);
  ~leading();
  leading(const leading&) = delete;
  leading& operator=(const leading&) = delete;

  /// Whom to wake; once, before the first start.
  void wakes(entity::entity_gateway& entities) { entities_ = &entities; }
  /// Where metrics are read, by the name of the source; once, before the first start.
  void reads(std::map<std::string, poll::metric_source*> sources) { sources_ = std::move(sources); }
  /// A write was refused: another node leads. Once, before the first start; must only enqueue.
  void on_refused(std::function<void(std::int64_t epoch)> told) { refused_ = std::move(told); }

  /// Begins to lead and waits for it. Errors: those of the database.
  result<void> start_and_wait();
  /// The same without waiting; tried again until it succeeds or `stop` is called.
  void start(right by);
  /// Ends the work of this epoch. `patience` of zero: at once, others lead already.
  void stop(std::int64_t epoch);
  /// Ends everything and waits for it.
  void finish(std::chrono::milliseconds patience);

  /// Reads again who wants what: news may have been lost.
  void read_interests();

  /// Who listens to what entities want, on this node: the same objects for the whole life of the node.
  std::vector<entity::interest_listener*> listeners() { return {&events_slot_, &ledger_slot_, &poll_slot_}; }
  interest_slot* slot(std::string_view source);

  /// The event log while this node leads, else null.
  std::shared_ptr<event::event_log> events() const;
  /// `poll_loop::inspect`; false if this node does not lead.
  bool inspect_polling(std::function<void(json)> done) const;
  bool active() const;

private:
  struct work {
    std::shared_ptr<event::event_log> events;
    std::shared_ptr<schedule::tick_ledger> ledger;
    std::shared_ptr<poll::poll_loop> polls;
    std::int64_t epoch = 0;
  };
  result<void> begin(const std::optional<right>& by);
  void end(std::chrono::milliseconds patience);
  void begin_until_done(const right& by);
  void later(std::function<void()> what);
  void run();

  const leading_deps deps_;
  entity::entity_gateway* entities_ = nullptr;
  std::map<std::string, poll::metric_source*> sources_;
  std::function<void(std::int64_t)> refused_;
  interest_slot events_slot_{"event"}, ledger_slot_{"schedule"}, poll_slot_{"poll"};

  mutable std::mutex guard_; ///< of `now_` and the queue
  work now_;
  std::deque<std::function<void()>> to_do_;
  std::condition_variable something_to_do_;
  std::atomic<std::int64_t> wanted_epoch_{0}; ///< the epoch to lead under; 0: none
  bool finished_ = false;
  std::thread thread_;
};

/// Where events enter while this node leads; before and after that they are refused with `unavailable`.
class leading_intake final : public event::event_intake {
public:
  explicit leading_intake(const std::unique_ptr<leading>& lead) : lead_(lead) {}
  void ingest(event::ingest_request request, std::function<void(result<event::ingest_report>)> done) override;

private:
  const std::unique_ptr<leading>& lead_;
};

} // namespace tobit::node
