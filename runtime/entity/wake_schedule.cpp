#include "runtime/entity/wake_schedule.hpp"

#include <algorithm>

namespace tobit::entity {

void wake_schedule::note(const entity_ref& ref, utc_time at) {
  if (horizon_ && at > *horizon_) return drop(ref);
  hold(ref, at);
  fit();
}

void wake_schedule::found(const entity_ref& ref, utc_time at) {
  if (auto held = at_.find(ref); held != at_.end() && held->second <= at) return;
  hold(ref, at);
}

void wake_schedule::read_until(std::optional<utc_time> until) {
  // Of those that share the last time only some may have been read.
  horizon_ = until ? std::optional(*until - std::chrono::microseconds{1}) : std::nullopt;
  fit();
}

std::optional<entity_ref> wake_schedule::take_due(utc_time now) {
  if (order_.empty() || order_.begin()->first > now) return std::nullopt;
  auto ref = order_.begin()->second;
  order_.erase(order_.begin());
  at_.erase(ref);
  return ref;
}

std::optional<utc_time> wake_schedule::next() const {
  return order_.empty() ? std::nullopt : std::optional(order_.begin()->first);
}

void wake_schedule::hold(const entity_ref& ref, utc_time at) {
  drop(ref);
  at_.emplace(ref, at);
  order_.emplace(at, ref);
}

void wake_schedule::drop(const entity_ref& ref) {
  auto held = at_.find(ref);
  if (held == at_.end()) return;
  order_.erase({held->second, ref});
  at_.erase(held);
}

void wake_schedule::fit() {
  while (at_.size() > capacity_) {
    auto last = std::prev(order_.end());
    const auto beyond = last->first - std::chrono::microseconds{1};
    horizon_ = horizon_ ? std::min(*horizon_, beyond) : beyond;
    at_.erase(last->second);
    order_.erase(last);
  }
}

} // namespace tobit::entity
