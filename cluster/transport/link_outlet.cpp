#include "cluster/transport/link_outlet.hpp"

#include "cluster/transport/peer_frame.hpp"

#include <algorithm>
#include <utility>

namespace tobit::cluster {

namespace {

constexpr std::size_t acknowledge_most = 64u << 10; ///< one small message back for that many bytes costs nothing

void put(const caf::actor& from, const caf::actor& to, frame_kind kind, std::string bytes) {
  caf::send_as(from, to, peer_frame{1, static_cast<std::uint8_t>(kind), std::move(bytes)});
}

} // namespace

link_outlet::link_outlet(std::size_t frame_max, std::size_t queue_max, std::shared_ptr<link_counts> counts)
    : frame_max_(frame_max)
    , queue_max_(queue_max)
    , acknowledge_every_(std::clamp<std::size_t>(queue_max / 4, 1, acknowledge_most))
    , counts_(std::move(counts)) {}

void link_outlet::open(caf::actor self, caf::actor remote) {
  const std::lock_guard lock(mutex_);
  self_ = std::move(self);
  remote_ = std::move(remote);
}

void link_outlet::close() {
  caf::actor self, remote; // released without the lock
  const std::lock_guard lock(mutex_);
  self.swap(self_);
  remote.swap(remote_);
}

bool link_outlet::send(std::string frame) {
  const auto cost = frame_cost(frame.size());
  if (frame.size() > frame_max_) return false;
  const std::lock_guard lock(mutex_);
  if (!remote_) return false;
  // The other side may owe an acknowledgement of less than a step; it must not keep a full-sized frame out for ever.
  if (sent_ - acknowledged_ + cost > queue_max_ + acknowledge_every_) return false;
  sent_ += cost;
  counts_->sent.fetch_add(1, std::memory_order_relaxed);
  if (frame.size() <= piece_max) {
    put(self_, remote_, frame_kind::whole, std::move(frame));
    return true;
  }
  for (std::size_t at = 0; at < frame.size(); at += piece_max)
    put(self_, remote_, at + piece_max < frame.size() ? frame_kind::piece : frame_kind::last_piece,
        frame.substr(at, piece_max));
  return true;
}

bool link_outlet::acknowledged(std::uint64_t total) {
  const std::lock_guard lock(mutex_);
  if (total > sent_) return false;
  acknowledged_ = std::max(acknowledged_, total);
  return true;
}

std::size_t link_outlet::queued() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(sent_ - acknowledged_);
}

} // namespace tobit::cluster
