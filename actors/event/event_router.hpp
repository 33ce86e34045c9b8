#pragma once

#include "actors/event/batch_tail.hpp"
#include "actors/event/interest_index.hpp"
#include "actors/event/subscriber_feed.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/inbox.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"

#include <chrono>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <vector>

namespace tobit::event {

struct router_limits {
  std::size_t tail_bytes = 64u << 20;    ///< latest batches in memory
  std::size_t feed_events = 1'000;       ///< queued for one subscriber
  std::size_t queued_events = 200'000;   ///< queued for all of them
  std::size_t queued_bytes = 128u << 20; ///< the same, by the size of their text
  std::size_t ask_events = 256;          ///< in one message
  std::size_t ask_bytes = 1u << 20;
  std::size_t asks_max = 512; ///< subscribers that evaluate at a time
  std::size_t page_rows = 8;  ///< batches in one read of the log
  std::chrono::seconds ask_deadline{60};
  std::chrono::milliseconds retry_first{50}, retry_longest{5'000};
  int refusals_max = 5;                ///< of a kind that repeating does not heal; then the events are skipped
  std::chrono::hours keep_for{7 * 24}; ///< age of rows that are purged once everybody has evaluated them
};

struct router_deps {
  storage::database* db = nullptr;
  const clock* time = nullptr;
  telemetry::metrics* figures = nullptr; ///< may be null
  /// Goes first in every unit; see `event_log_deps::fence`.
  std::optional<storage::statement> fence = std::nullopt;
};

struct router_status {
  std::size_t subscribers = 0, behind = 0;
  std::uint64_t end = 0, evaluated = 0; ///< offsets: the log's end, and below what everything is evaluated
  std::uint64_t skipped = 0;            ///< events that a subscriber never took
};

/// Carries events from the log to whoever wants them.
///
/// Each batch is looked at once; its events go into the short queues of the subscribers that want them. A subscriber
/// gets one message of events at a time and the next after its answer, which says that the verdicts are durable. One
/// that is too slow, or away, loses nothing and stops nobody: beyond its queue's bound only the offset is kept, and
/// later the log is read from there. The watermark — below it everything is evaluated — is stored about once a second;
/// after a crash the log is read again from it, and subscribers leave out what they have decided before.
class event_router {
public:
  using inbox = entity::inbox<event_router>;
  using slot = interest_index::slot;

  event_router(router_deps deps, const router_limits& limits, inbox& own);

  /// Begins at `evaluated`; `end` is the log's end. `interests` are the rows of `select_interests`.
  void start(entity::entity_gateway& entities, std::uint64_t evaluated, std::uint64_t end,
             const storage::rows& interests);
  /// Takes batches that were committed, and the log's end.
  void take(std::vector<logged_batch_ptr> batches, std::uint64_t end);
  void interest_changed(const entity_ref& ref, std::int64_t version, const std::optional<json>& spec);
  /// Asks nobody any more, waits for open answers, stores the watermark; lets go of `until_stopped` at the end.
  void stop(std::shared_ptr<void> until_stopped);

  router_status status() const;

private:
  // the log, once for all
  void advance();
  void dispatch(const logged_batch& batch);
  void read_page(std::uint64_t from);
  void page_read(result<std::vector<logged_batch_ptr>> page, std::uint64_t from);
  void skip_purged(std::uint64_t from);
  bool scan(slot i, const logged_batch& batch);

  // one subscriber
  void subscribe(const interest_index::change& change, const entity_ref& ref, std::uint64_t from_offset,
                 utc_time since);
  void drop(slot i);
  void push(slot i, queued_event event);
  bool room(const subscriber_feed& feed) const;
  void catch_up(slot i);
  void catch_up_all();
  void make_runnable(slot i);
  void run();
  void ask(slot i);
  void answered(slot i, std::uint64_t serial, std::size_t events, const result<message>& reply);
  void pause(slot i);
  void pop(subscriber_feed& feed, std::size_t events);

  // the watermark
  void tick();
  std::uint64_t evaluated() const;
  void store_evaluated();
  void purge(std::uint64_t below);
  void finish_if_stopped();

  router_deps deps_;
  const router_limits limits_;
  inbox& own_;
  entity::entity_gateway* entities_ = nullptr;
  interest_index index_;
  std::vector<slot> selected_;         ///< kept for its memory
  std::vector<subscriber_feed> feeds_; ///< by slot
  batch_tail tail_;
  std::deque<slot> runnable_;
  std::set<slot> behind_;      ///< feeds with `behind_from`
  slot read_for_ = 0;          ///< the feed that the log was read for last
  std::uint64_t position_ = 0; ///< next offset to dispatch
  std::uint64_t end_ = 0, started_at_ = 0;
  std::uint64_t stored_ = 0, serial_ = 0, skipped_ = 0;
  std::size_t queued_events_ = 0, queued_bytes_ = 0, asks_ = 0;
  bool running_ = false, reading_ = false, storing_ = false, stopping_ = false, final_stored_ = false;
  steady_time next_purge_{};
  std::vector<std::shared_ptr<void>> until_stopped_;
};

} // namespace tobit::event
