#include "runtime/telemetry/span_ring.hpp"

#include <algorithm>
#include <utility>

namespace tobit::telemetry {

span_ring::span_ring(std::size_t size)
    : size_(std::max<std::size_t>(1, size)), slots_(std::make_unique<slot[]>(size_)) {
  // nop
}

void span_ring::add(span_record span) noexcept {
  const auto number = next_.fetch_add(1, std::memory_order_relaxed);
  auto& place = slots_[number % size_];
  std::unique_lock lock{place.guard};
  if (number < place.number) return; // overtaken by a whole round
  place.number = number;
  std::swap(place.span, span);
  lock.unlock(); // what was there is destroyed outside the lock
}

std::vector<span_record> span_ring::of_trace(const trace_id& trace) const {
  std::vector<std::pair<std::uint64_t, span_record>> found;
  for (std::size_t i = 0; i < size_; ++i) {
    std::lock_guard lock{slots_[i].guard};
    if (slots_[i].number != 0 && slots_[i].span.trace == trace) found.emplace_back(slots_[i].number, slots_[i].span);
  }
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<span_record> spans;
  spans.reserve(found.size());
  for (auto& [number, span] : found) spans.push_back(std::move(span));
  return spans;
}

} // namespace tobit::telemetry
