#pragma once

#include "schemas/time.hpp"

#include <chrono>

namespace tobit::cluster {

inline steady_time steady_now() noexcept {
  return std::chrono::time_point_cast<steady_time::duration>(std::chrono::steady_clock::now());
}

} // namespace tobit::cluster
