#pragma once

#include <cstdint>

namespace tobit::cluster::simulation {

/// Repeatable randomness: the same seed gives the same run on every machine (SplitMix64; std distributions differ
/// between libraries).
class chance {
public:
  explicit chance(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() noexcept {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// From [low, high].
  std::int64_t between(std::int64_t low, std::int64_t high) noexcept {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool hit(double probability) noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53 < probability; }

private:
  std::uint64_t state_;
};

} // namespace tobit::cluster::simulation
