#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace tobit::poll {

/// One series of Prometheus's data model with its latest value.
struct series {
  std::string name;                                        ///< of the metric; may be empty in the result of a query
  std::vector<std::pair<std::string, std::string>> labels; ///< without `__name__`, as written
  double value = 0;                                        ///< may be NaN or infinite
};

/// Most series that one reading takes.
inline constexpr std::size_t series_max = 10'000;
/// Most labels of one series.
inline constexpr std::size_t series_labels_max = 100;

} // namespace tobit::poll
