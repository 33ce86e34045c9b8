#pragma once

#include "schemas/entity/interest_spec.hpp"
#include "schemas/error.hpp"
#include "schemas/json.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace tobit::poll {

/// What a source answered, shared by all who asked for the same.
using metric_document = std::shared_ptr<const json>;

/// Something whose figures can be read. Thread-safe.
class metric_source {
public:
  virtual ~metric_source() = default;
  /// Reads once; `done` is called exactly once, from any thread, and must not block. Must not block itself. An error's
  /// text is for the rule's author: it says what came instead of a metric, bounded, without secrets.
  virtual void read(const entity::poll_interest& what, std::function<void(result<metric_document>)> done) = 0;
};

} // namespace tobit::poll
