#pragma once

#include "schemas/call_context.hpp"
#include "schemas/error.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <functional>
#include <string>

namespace tobit::notice {

/// What came of a test message.
struct channel_test_outcome {
  bool success = false;
  std::string message; ///< for people: who took it, or why nobody did; no secrets
};

/// Sends a test message through a channel that may not be saved yet. Thread-safe.
class channel_tester {
public:
  virtual ~channel_tester() = default;
  /// Checks `definition` as if it were saved under the name of `channel` and makes one attempt, now. Limits, fallback
  /// and dead letters play no part. `done` is called once, perhaps before this returns; it must not block. Errors
  /// (nothing was sent): validation_error, address_refused, payload_too_large.
  virtual void test(const entity_ref& channel, const json& definition, const call_context& context,
                    std::function<void(result<channel_test_outcome>)> done) = 0;
};

} // namespace tobit::notice
