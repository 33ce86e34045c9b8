#include "http/limit/rate_limit.hpp"

#include <algorithm>
#include <functional>

namespace tobit::http {

using std::chrono::microseconds;

rate_limit::rate_limit(rate allowed, std::size_t keys_max)
    : unlimited_(allowed.per_second <= 0)
    , interval_(unlimited_ ? 0 : std::max<std::int64_t>(1, static_cast<std::int64_t>(1e6 / allowed.per_second)))
    , tolerance_(static_cast<std::int64_t>(static_cast<double>(interval_.count()) * std::max(0.0, allowed.burst - 1)))
    , keys_per_shard_(std::max<std::size_t>(1, keys_max / shard_count)) {
  // nop
}

rate_limit::shard& rate_limit::shard_of(std::string_view key) const {
  return shards_[std::hash<std::string_view>{}(key) % shard_count];
}

microseconds rate_limit::wait_of(steady_time full_at, steady_time now) const {
  const auto allowed_at = full_at - tolerance_;
  return allowed_at <= now ? microseconds{0} : allowed_at - now;
}

microseconds rate_limit::take(std::string_view key, steady_time now) {
  if (unlimited_) return microseconds{0};
  auto& part = shard_of(key);
  std::lock_guard lock{part.guard};
  if (auto found = part.by_key.find(key); found != part.by_key.end()) {
    auto entry = found->second;
    part.by_use.splice(part.by_use.begin(), part.by_use, entry);
    if (const auto wait = wait_of(entry->full_at, now); wait.count() > 0) return wait;
    entry->full_at = std::max(entry->full_at, now) + interval_;
    return microseconds{0};
  }
  if (part.by_use.size() >= keys_per_shard_) {
    part.by_key.erase(part.by_use.back().key);
    part.by_use.pop_back();
  }
  part.by_use.push_front({std::string(key), now + interval_});
  part.by_key.emplace(part.by_use.front().key, part.by_use.begin());
  return microseconds{0};
}

microseconds rate_limit::peek(std::string_view key, steady_time now) const {
  if (unlimited_) return microseconds{0};
  auto& part = shard_of(key);
  std::lock_guard lock{part.guard};
  const auto found = part.by_key.find(key);
  return found == part.by_key.end() ? microseconds{0} : wait_of(found->second->full_at, now);
}

void rate_limit::forget(std::string_view key) {
  auto& part = shard_of(key);
  std::lock_guard lock{part.guard};
  const auto found = part.by_key.find(key);
  if (found == part.by_key.end()) return;
  const auto entry = found->second;
  part.by_key.erase(found);
  part.by_use.erase(entry);
}

} // namespace tobit::http
