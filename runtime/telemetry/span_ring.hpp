#pragma once

#include "runtime/telemetry/span.hpp"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

namespace tobit::telemetry {

/// The latest spans of a node. Each slot has a lock of its own, so that threads that record meet only if one is a whole
/// round behind. Thread-safe.
class span_ring {
public:
  /// `size`: spans kept, at least 1.
  explicit span_ring(std::size_t size);

  void add(span_record span) noexcept;
  /// Oldest first. Looks at every slot: for inspection, not for hot paths.
  std::vector<span_record> of_trace(const trace_id& trace) const;

private:
  struct slot {
    mutable std::mutex guard;
    std::uint64_t number = 0; ///< of the span in it; 0: none
    span_record span;
  };

  const std::size_t size_;
  const std::unique_ptr<slot[]> slots_;
  std::atomic<std::uint64_t> next_{1};
};

} // namespace tobit::telemetry
