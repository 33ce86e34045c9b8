#pragma once

#include <caf/actor.hpp>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

namespace tobit::cluster {

/// Counts of one peer, over all links to it.
struct link_counts {
  std::atomic<std::uint64_t> sent{0}, received{0};
};

/// What a frame costs of `queue_max`: its bytes and what carries it.
constexpr std::size_t frame_cost(std::size_t bytes) noexcept { return bytes + 64; }

/// The sending end of one link. What was sent counts against `queue_max` until the other side's actor has handled it,
/// so the bound covers the queues of both nodes and of both kernels. Thread-safe.
class link_outlet {
public:
  link_outlet(std::size_t frame_max, std::size_t queue_max, std::shared_ptr<link_counts> counts);

  /// From now on frames go from `self` to `remote`.
  void open(caf::actor self, caf::actor remote);
  void close();
  /// False: closed, the frame is too long, or too much waits.
  bool send(std::string frame);
  /// The other side has handled so many bytes of cost since the link began. False: more than were sent.
  bool acknowledged(std::uint64_t total);
  std::size_t queued() const;
  void count_received() noexcept { counts_->received.fetch_add(1, std::memory_order_relaxed); }
  /// After how many bytes of cost the other side shall acknowledge.
  std::size_t acknowledge_every() const noexcept { return acknowledge_every_; }

private:
  const std::size_t frame_max_, queue_max_, acknowledge_every_;
  const std::shared_ptr<link_counts> counts_;
  mutable std::mutex mutex_; ///< also keeps the pieces of a frame together
  caf::actor self_, remote_;
  std::uint64_t sent_ = 0, acknowledged_ = 0;
};

} // namespace tobit::cluster
