#include "actors/event/batch_tail.hpp"

#include <algorithm>
#include <utility>

namespace tobit::event {

void batch_tail::push(logged_batch_ptr batch) {
  if (!batches_.empty() && batches_.back()->end_offset() != batch->first_offset) {
    batches_.clear();
    bytes_ = 0;
  }
  bytes_ += batch->events.bytes();
  batches_.push_back(std::move(batch));
  while (bytes_ > bytes_max_ && batches_.size() > 1) {
    bytes_ -= batches_.front()->events.bytes();
    batches_.pop_front();
  }
}

logged_batch_ptr batch_tail::find(std::uint64_t offset) const {
  const auto after = std::upper_bound(batches_.begin(), batches_.end(), offset,
                                      [](std::uint64_t o, const logged_batch_ptr& b) { return o < b->first_offset; });
  if (after == batches_.begin()) return nullptr;
  const auto& candidate = *std::prev(after);
  return offset < candidate->end_offset() ? candidate : nullptr;
}

} // namespace tobit::event
