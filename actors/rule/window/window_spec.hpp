#pragma once

#include "actors/rule/comparison.hpp"
#include "actors/rule/window/aggregate.hpp"

#include <cstddef>
#include <cstdint>

namespace tobit::rule::window {

/// Panes of one window: parts that are summed up once and joined for each window that they lie in.
inline constexpr std::int64_t panes_max = 366;
/// Inputs of a window that is counted.
inline constexpr std::int64_t count_max = 100'000;
/// What the windows of one rule may hold; beyond it the keys that were quiet for longest are dropped.
inline constexpr std::size_t state_bytes_max = 64u << 20;
/// How far an event's time may be ahead of its arrival.
inline constexpr std::int64_t ahead_max_us = 3'600'000'000;

enum class window_type : std::uint8_t { tumbling, sliding, session };

/// A normalised `window_config` with its `aggregation`. Times in microseconds.
struct window_spec {
  window_type type = window_type::tumbling;
  bool counted = false;    ///< by number of inputs instead of time
  bool by_arrival = false; ///< not by the time that an event carries
  bool on_update = false;  ///< verdicts at each input instead of at the end of windows
  bool all_verdicts = false;
  std::int64_t pane = 0;  ///< length of a pane, or inputs in one
  std::int64_t panes = 1; ///< in one window
  std::int64_t gap = 0, longest = 0;
  std::int64_t lateness = 0, idle = 0;
  aggregate_kind kind = aggregate_kind::count;
  double q = 0; ///< percentile, 0 to 1
  bool has_threshold = false;
  comparison_op op = comparison_op::greater;
  double threshold = 0;
  std::size_t keys_max = 10'000;

  /// Seconds of one window, for rates.
  double seconds() const noexcept { return static_cast<double>(pane) * static_cast<double>(panes) / 1e6; }
  bool holds(double value) const noexcept;

  /// Precondition: normalised by `read_window`. Throws json::exception if not.
  static window_spec of(const json& trigger_spec, bool all_verdicts);
};

} // namespace tobit::rule::window
