#pragma once

#include "schemas/ids.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tobit::entity {

/// What an entity in memory looks like from outside, without asking it.
struct residency {
  std::string status; ///< active, quarantined, restarting, activating, disabled, …
  std::uint32_t unanswered = 0;
  std::uint64_t handled = 0, failed = 0;
  std::int64_t time_total_us = 0, time_longest_us = 0;
  std::string node{}; ///< empty: this one
};

/// Which entities are in memory on this node. Thread-safe.
class entity_residency {
public:
  virtual ~entity_residency() = default;
  virtual std::optional<residency> resident(const entity_ref& ref) const = 0;
  virtual std::vector<entity_ref> residents() const = 0;
};

} // namespace tobit::entity
