#pragma once

#include "runtime/entity/entity_options.hpp"

namespace tobit::entity {

/// What supervision decides about a crash.
struct restart_verdict {
  bool quarantine = false;
  std::chrono::microseconds pause{0}; ///< before the entity is loaded again
};

/// `crashes`: those within the window, the present one included (at least 1). `random`: from [0, 1), spreads the pause.
restart_verdict judge_crash(std::size_t crashes, const restart_options& options, double random) noexcept;

/// An exponential pause: `first` · 2^(times−1), at most `most`, then moved by up to ± `jitter` of itself.
std::chrono::microseconds backed_off(std::size_t times, std::chrono::milliseconds first, std::chrono::milliseconds most,
                                     double jitter, double random) noexcept;

} // namespace tobit::entity
