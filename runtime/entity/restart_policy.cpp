#include "runtime/entity/restart_policy.hpp"

#include <algorithm>

namespace tobit::entity {

std::chrono::microseconds backed_off(std::size_t times, std::chrono::milliseconds first, std::chrono::milliseconds most,
                                     double jitter, double random) noexcept {
  auto pause = static_cast<double>(std::chrono::microseconds(first).count());
  const auto limit = static_cast<double>(std::chrono::microseconds(most).count());
  for (std::size_t i = 1; i < times && pause < limit; ++i) pause *= 2;
  pause = std::min(pause, limit) * (1 + jitter * (2 * random - 1));
  return std::chrono::microseconds{static_cast<std::int64_t>(pause)};
}

restart_verdict judge_crash(std::size_t crashes, const restart_options& options, double random) noexcept {
  if (crashes > options.restarts_max) return {true, std::chrono::microseconds{0}};
  return {false, backed_off(crashes, options.pause_first, options.pause_max, options.jitter, random)};
}

} // namespace tobit::entity
