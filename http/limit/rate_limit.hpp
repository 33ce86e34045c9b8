#pragma once

#include "schemas/time.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

namespace tobit::http {

/// How often something may happen.
struct rate {
  double per_second = 0; ///< in the long run; 0: no limit
  double burst = 1;      ///< at once, after a rest
};

/// One token bucket per key, in a table of bounded size (the longest unused key is forgotten first). Thread-safe; one
/// call costs well below 1 µs. The algorithm is GCRA: a bucket is the one moment at which it would be full again
/// (ITU-T I.371, annex A).
class rate_limit {
public:
  explicit rate_limit(rate allowed, std::size_t keys_max = 50'000);

  /// Zero if the key may go on now (and takes a token), else how long it has to wait.
  std::chrono::microseconds take(std::string_view key, steady_time now);
  /// Whether `take` would let it go on; takes nothing.
  std::chrono::microseconds peek(std::string_view key, steady_time now) const;
  void forget(std::string_view key);

private:
  struct bucket {
    std::string key;
    steady_time full_at;
  };
  struct shard {
    mutable std::mutex guard;
    std::list<bucket> by_use; ///< latest first
    std::unordered_map<std::string_view, std::list<bucket>::iterator> by_key;
  };
  static constexpr std::size_t shard_count = 16;

  shard& shard_of(std::string_view key) const;
  std::chrono::microseconds wait_of(steady_time full_at, steady_time now) const;

  const bool unlimited_;
  const std::chrono::microseconds interval_, tolerance_;
  const std::size_t keys_per_shard_;
  mutable std::array<shard, shard_count> shards_;
};

} // namespace tobit::http
