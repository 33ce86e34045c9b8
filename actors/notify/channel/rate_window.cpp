#include "actors/notify/channel/rate_window.hpp"

#include <algorithm>

namespace tobit::notify {

std::int64_t rate_window::count(utc_time now) const noexcept {
  const auto current = to_micros(now) / slice_us_;
  std::int64_t sum = 0;
  for (const auto& [slice, number] : counts_)
    if (slice > current - slices - 1) sum += number;
  return sum;
}

void rate_window::add(utc_time now) {
  auto current = to_micros(now) / slice_us_;
  if (!counts_.empty()) current = std::max(current, counts_.back().first);
  if (counts_.empty() || counts_.back().first != current) counts_.emplace_back(current, 0);
  ++counts_.back().second;
  while (counts_.front().first <= current - slices - 1) counts_.pop_front();
}

json rate_window::to_json() const {
  auto out = json::array();
  for (const auto& [slice, number] : counts_) out.push_back({slice, number});
  return out;
}

void rate_window::restore(const json& pairs) {
  counts_.clear();
  for (const auto& pair : pairs) counts_.emplace_back(pair.at(0).get<std::int64_t>(), pair.at(1).get<std::int64_t>());
}

} // namespace tobit::notify
