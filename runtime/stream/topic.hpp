#pragma once

#include "runtime/stream/event_bus.hpp"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tobit::stream {

/// One topic of one tenant: its watchers and its latest items.
///
/// Items are delivered while the lock is held. That is what makes the order of ids hold for every watcher, and what a
/// handle's destructor waits for. The lock is recursive because a watcher may end its own subscription or publish
/// again.
class topic : public std::enable_shared_from_this<topic> {
public:
  topic(const event_bus_options& options, std::uint64_t first_id) : options_(options), next_id_(first_id) {}

  /// False if the topic was retired meanwhile: look it up again.
  bool publish(const std::string& event, const std::shared_ptr<const std::string>& data);

  /// Null if the topic was retired meanwhile: look it up again.
  std::shared_ptr<void> subscribe(std::uint64_t after_id, const event_bus::watcher& watch);

  /// Closes the topic if nobody watches or uses it at this moment. Afterwards it takes nothing any more.
  bool try_retire();

  /// The id that follows the latest. Only meaningful once retired.
  std::uint64_t next_id() const noexcept { return next_id_; }

  std::uint64_t used_at = 0; ///< order of use among all topics; belongs to the bus

private:
  struct subscription {
    event_bus::watcher watch;
    std::uint64_t seen = 0; ///< id of the latest item it got
    bool ended = false;
  };
  using subscriptions = std::vector<std::shared_ptr<subscription>>;

  void deliver_pending();
  void end(const std::shared_ptr<subscription>& gone);
  static void call(subscription& s, const stream_item& item) noexcept;

  const event_bus_options options_;
  std::recursive_mutex lock_;
  std::uint64_t next_id_;
  bool retired_ = false;
  bool delivering_ = false;
  std::deque<stream_item> kept_;
  std::size_t kept_bytes_ = 0;
  std::deque<stream_item> pending_; ///< published and not yet delivered: more than one only by publishing in a watcher
  std::shared_ptr<const subscriptions> watchers_ = std::make_shared<const subscriptions>();
};

} // namespace tobit::stream
