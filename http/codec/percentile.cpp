#include "http/codec/percentile.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace tobit::http {

std::int64_t nearest_rank(const std::vector<std::int64_t>& sorted, double percent) noexcept {
  if (sorted.empty()) return 0;
  const auto rank = std::ceil(percent / 100 * static_cast<double>(sorted.size()));
  const auto index = static_cast<std::size_t>(std::max(1.0, rank)) - 1;
  return sorted[std::min(index, sorted.size() - 1)];
}

} // namespace tobit::http
