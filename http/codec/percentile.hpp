#pragma once

#include <cstdint>
#include <vector>

namespace tobit::http {

/// The nearest-rank percentile of sorted values; 0 if there are none. `percent`: 0 to 100.
std::int64_t nearest_rank(const std::vector<std::int64_t>& sorted, double percent) noexcept;

} // namespace tobit::http
