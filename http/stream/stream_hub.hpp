#pragma once

#include "http/identity/authenticator.hpp"
#include "http/route/exchange.hpp"
#include "runtime/stream/event_bus.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/time/clock.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tobit::http {

/// One line of a stream before it has bytes.
struct stream_message {
  std::string event;
  json body;
};

/// What is streamed under one path.
struct stream_kind {
  using messages_receiver = std::function<void(result<std::vector<stream_message>>)>;
  using message_source = std::function<void(const tenant_id& tenant, messages_receiver done)>;

  std::string topic;         ///< of the event bus
  permission_question needs; ///< checked again while the stream is open; its texts are literals
  message_source opening;    ///< what a new watcher is told first; may be empty
  message_source summary;    ///< told to all after something happened, at most once a second; may be empty
};

struct stream_options {
  std::chrono::milliseconds heartbeat{5'000};
  std::chrono::milliseconds check_again{2'000}; ///< whether the watcher may still watch
  std::chrono::milliseconds summary_every{1'000};
  std::size_t streams_max = 2'000, streams_per_principal = 50;
};

/// Fans the event bus out to clients as server-sent events
/// (https://html.spec.whatwg.org/multipage/server-sent-events.html).
///
/// A watcher gets: what the kind's opening says, then live items with `id:`, a `ping` every few seconds, and `shutdown`
/// when the node stops. With `Last-Event-ID` it gets what it missed, as far as the bus still holds it; where items are
/// missing it is told so by an event `gap` {after, next}. A watcher whose queue is full is closed by the server and may
/// resume. A watcher that is no longer allowed is told `error` and closed. Thread-safe; `tick` belongs to one thread.
class stream_hub {
public:
  stream_hub(stream::event_bus& bus, const clock& time, authenticator& people, telemetry::metrics* figures,
             stream_options options = {});
  ~stream_hub();

  /// Answers the exchange with a stream.
  void open(const exchange_ptr& ex, std::shared_ptr<const stream_kind> kind);
  /// Heartbeats, summaries, checks, and removing those that are gone. Called every 100 ms or so.
  void tick();
  /// Says `shutdown` to all and closes them.
  void stop();
  std::size_t open_streams() const;

private:
  struct watcher;
  using watcher_ptr = std::shared_ptr<watcher>;

  void start(const exchange_ptr& ex, std::shared_ptr<const stream_kind> kind, std::vector<stream_message> first);
  bool admit(const exchange_ptr& ex) const;
  void send_to_all(const std::vector<watcher_ptr>& all, const std::string& event, const json& body) const;
  void check_all(const std::vector<watcher_ptr>& all);
  void send_summaries(const std::vector<watcher_ptr>& all);
  std::vector<watcher_ptr> reap();

  stream::event_bus& bus_;
  const clock& time_;
  authenticator& people_;
  telemetry::metrics* const figures_;
  const stream_options options_;
  mutable std::mutex guard_;
  std::list<watcher_ptr> watchers_;
  bool stopped_ = false;
  steady_time beat_at_{}, checked_at_{}, summed_at_{};
};

/// One event of a stream as bytes; `id` 0: without.
std::shared_ptr<const std::string> write_frame(std::uint64_t id, const std::string& event, const std::string& body);

} // namespace tobit::http
