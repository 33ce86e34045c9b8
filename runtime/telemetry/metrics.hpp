#pragma once

#include <cstddef>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::telemetry {

/// The metrics of `metrics.def`.
enum class metric {
#define X(identifier, type, name, help, labels) identifier,
#include "runtime/telemetry/metrics.def"
#undef X
};

struct metric_description {
  metric id;
  std::string_view type, name, help, labels;
};
const std::vector<metric_description>& metric_table();

/// The page of the documentation that lists all metrics (Markdown).
std::string metrics_reference();

/// Most different label values that are kept apart per metric; what comes later is counted under "other".
inline constexpr std::size_t series_max = 1'000;

/// Counts and times of one node, exposed in Prometheus' text format. Thread-safe; one increment costs well below 1 µs
/// for label values seen before. Label values must be from a small fixed set. A missing label value is empty, a call
/// that does not fit the metric's type does nothing.
class metrics {
public:
  using labels = std::initializer_list<std::string_view>; ///< values in the order of the table's label names

  metrics();
  ~metrics();
  metrics(const metrics&) = delete;
  metrics& operator=(const metrics&) = delete;

  /// Adds to a counter (never a negative amount) or a gauge.
  void count(metric id, labels values = {}, double by = 1) noexcept;
  void set(metric id, double value, labels values = {}) noexcept;
  void observe(metric id, double seconds, labels values = {}) noexcept;

  /// The page for Prometheus (text format 0.0.4).
  std::string expose() const;
  /// The sum over all label values of a counter or gauge, for tests and the health page.
  double total(metric id) const;

private:
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace tobit::telemetry
