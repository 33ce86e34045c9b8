#pragma once

#include "runtime/telemetry/span.hpp"

#include <chrono>
#include <functional>
#include <vector>

namespace tobit::telemetry {

/// Where sampled spans are sent in batches. `send` is called by one thread at a time and not again before `done` was
/// called; it must not block. `done` comes exactly once, from any thread.
class span_outlet {
public:
  enum class verdict { taken, lost, again };
  /// `again`: the same batch may be sent once more after the pause.
  using answer = std::function<void(verdict, std::chrono::milliseconds pause)>;

  virtual ~span_outlet() = default;
  /// `batch` stays valid until `done` is called.
  virtual void send(const std::vector<span_record>& batch, answer done) = 0;
};

} // namespace tobit::telemetry
