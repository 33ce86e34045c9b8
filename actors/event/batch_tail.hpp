#pragma once

#include "actors/event/event_batch.hpp"

#include <cstdint>
#include <deque>

namespace tobit::event {

/// The latest batches of the log in memory, without gaps, bounded in bytes; the oldest leave first.
class batch_tail {
public:
  explicit batch_tail(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  void push(logged_batch_ptr batch);
  /// The batch that holds `offset`; null if it is not in memory.
  logged_batch_ptr find(std::uint64_t offset) const;
  std::size_t bytes() const noexcept { return bytes_; }

private:
  std::size_t bytes_max_, bytes_ = 0;
  std::deque<logged_batch_ptr> batches_;
};

} // namespace tobit::event
