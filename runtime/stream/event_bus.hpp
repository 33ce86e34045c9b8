#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "schemas/ids.hpp"
#include "schemas/json.hpp"

namespace tobit::stream {

/// One item of a live stream.
struct stream_item {
  std::uint64_t id = 0; ///< rises by one per topic and tenant on this node; the SSE `id:`
  std::string event;    ///< the SSE `event:` name
  std::shared_ptr<const std::string> data; ///< one line of JSON, shared by all watchers
};

/// Fans live items out to whoever watches (event streams of the HTTP edge, the console). Best effort: bounded, never
/// blocks the publisher; durable facts are rows, not stream items. Thread-safe.
class event_bus {
public:
  virtual ~event_bus() = default;
  /// `topic`: e.g. "cep.events", "actors". Items are kept (the latest `replay_max` per topic and tenant) for resuming.
  virtual void publish(const tenant_id& tenant, const std::string& topic, const std::string& event, const json& body) = 0;

  using watcher = std::function<void(const stream_item&)>;
  /// Calls `watch` for each later item, on the publisher's thread: it must only enqueue. First replays what is kept after
  /// `after_id` (0: nothing). The returned handle ends the subscription when destroyed.
  virtual std::shared_ptr<void> subscribe(const tenant_id& tenant, const std::string& topic, std::uint64_t after_id,
                                          watcher watch) = 0;
};

/// The in-process bus of one node.
std::unique_ptr<event_bus> make_event_bus(std::size_t replay_max = 1'000);

} // namespace tobit::stream
