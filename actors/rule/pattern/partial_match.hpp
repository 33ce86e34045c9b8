#pragma once

#include "actors/rule/pattern/sighting.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tobit::rule::pattern {

/// Events of one step that a match remembers: the first ones and the latest.
inline constexpr std::uint32_t taken_per_step_max = 8;

/// An event that a match took.
struct taken {
  std::uint8_t element = 0;
  std::uint32_t ordinal = 0; ///< 1 for the step's first event, …
  capture_ptr what;
};

/// A match under way, or the memory that what must be quiet before a match has been heard.
struct partial_match {
  std::uint64_t sequence = 0; ///< in the order of their beginnings
  std::int64_t started_us = 0;
  std::int64_t deadline_us = 0; ///< over when time has passed it
  std::uint32_t count = 0;      ///< events of the current step
  bits members = 0;             ///< elements of the current step that have come
  std::uint8_t step = 0;
  bool noise = false; ///< `quiet_before` was heard until here; no match
  std::vector<taken> events;
};

/// A match that is complete.
struct complete_match {
  std::string key; ///< as `rule::group_by` makes them
  std::int64_t started_us = 0, ended_us = 0;
  std::vector<taken> events;
};

} // namespace tobit::rule::pattern
