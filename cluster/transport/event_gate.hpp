#pragma once

#include "cluster/transport/peer_links.hpp"

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <utility>

namespace tobit::cluster {

/// Lets events through until it is shut; once `shut` has returned, none is told any more. Must not be shut by whoever
/// is being told.
class event_gate {
public:
  explicit event_gate(link_events events) : events_(std::move(events)) {}

  template <class Tell>
  void tell(Tell&& tell) {
    if (shut_.load(std::memory_order_acquire)) return; // so that a stream of events cannot hold up `shut`
    const std::shared_lock lock(mutex_);
    if (!shut_.load(std::memory_order_acquire)) tell(events_);
  }
  void shut() {
    shut_.store(true, std::memory_order_release);
    const std::unique_lock lock(mutex_);
  }
  bool is_shut() const noexcept { return shut_.load(std::memory_order_acquire); }

private:
  link_events events_;
  std::shared_mutex mutex_;
  std::atomic<bool> shut_{false};
};

} // namespace tobit::cluster
