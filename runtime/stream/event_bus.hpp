#pragma once

#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace tobit::stream {

/// One item of a live stream.
struct stream_item {
  std::uint64_t id = 0;                    ///< rises by one per topic and tenant on this node; the SSE `id:`
  std::string event;                       ///< the SSE `event:` name
  std::shared_ptr<const std::string> data; ///< one line of JSON, shared by all watchers
};

/// Fans live items out to whoever watches (event streams of the HTTP edge, the console). Best effort: bounded, never
/// waits for a watcher; durable facts are rows, not stream items. Thread-safe.
class event_bus {
public:
  virtual ~event_bus() = default;
  /// `topic`: e.g. "cep.events", "actors". The latest items of a topic and tenant are kept for resuming. If there are
  /// as many topics as the bus may hold, the one unused for longest is forgotten first; ids rise all the same.
  virtual void publish(const tenant_id& tenant, const std::string& topic, const std::string& event,
                       const json& body) = 0;

  using watcher = std::function<void(const stream_item&)>;
  /// Calls `watch` for each later item, in the order of ids, on the publisher's thread: it must only enqueue. First
  /// replays (on this thread) what is kept after `after_id`; 0: nothing; an id from the future (the node was
  /// restarted): everything that is kept.
  ///
  /// Destroying the handle ends the subscription: `watch` is not called once the destructor has returned, and a call
  /// under way on another thread is waited for. So never destroy a handle while holding a lock that `watch` takes.
  /// Inside `watch` everything is allowed, also destroying its own handle. A handle may outlive the bus.
  virtual std::shared_ptr<void> subscribe(const tenant_id& tenant, const std::string& topic, std::uint64_t after_id,
                                          watcher watch) = 0;
};

struct event_bus_options {
  std::size_t replay_max = 1'000;          ///< items kept per topic and tenant
  std::size_t replay_bytes_max = 4u << 20; ///< bytes of JSON kept per topic and tenant
  std::size_t topics_max = 1'000;          ///< topics (times tenants) remembered; watched ones are never forgotten
  std::uint64_t first_id = 1;              ///< e.g. start time in microseconds, so that ids also rise over restarts
};

/// The in-process bus of one node.
std::unique_ptr<event_bus> make_event_bus(const event_bus_options& options);
std::unique_ptr<event_bus> make_event_bus(std::size_t replay_max = 1'000);

} // namespace tobit::stream
