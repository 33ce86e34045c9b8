#pragma once

#include "runtime/storage/statement.hpp"
#include "schemas/call_context.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"
#include "schemas/message.hpp"

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace tobit::entity {

/// One effect on its way out.
struct outgoing_effect {
  std::string id; ///< idempotency key: the same on every attempt
  entity_ref source;
  std::string type;
  json body;
  std::string correlation;
  call_context context; ///< a child of the decision's span
  int attempt = 1;      ///< 1 for the first
  utc_time created_at;
  bool report = false;     ///< the source wants `effect_settled`
  bool report_done = true; ///< false: only if it failed for good
  message said;            ///< of a fresh effect of the type "message", to whom it goes beside it; then `body` is null
  std::string to_kind, to_key;
};

/// How an attempt ended.
struct effect_outcome {
  enum class status { done, retry, failed } status = status::done;
  std::string error; ///< for retry and failed: what happened, for the operator
  error_code code = error_code::external_service_error;
  std::chrono::milliseconds retry_after{0}; ///< the receiver asked for at least this pause (Retry-After); 0: none
  json answer;                              ///< what the receiver said, for logs (bounded)
};

/// Carries out one type of effect. Thread-safe.
class effect_handler {
public:
  virtual ~effect_handler() = default;
  virtual std::string_view type() const noexcept = 0;
  /// Starts one attempt; `done` is called exactly once, from any thread. Must not block.
  virtual void attempt(const outgoing_effect& effect, std::function<void(effect_outcome)> done) = 0;
  /// Rows to write together with the final outcome (done, or failed for good).
  virtual std::vector<storage::statement> settle(const outgoing_effect& effect, const effect_outcome& outcome,
                                                 utc_time now) {
    (void)effect, (void)outcome, (void)now;
    return {};
  }
  /// Attempts before an effect is given up. The pause doubles from 1 s to 300 s with ±10 % jitter.
  virtual int attempts_max() const noexcept { return 8; }
};

} // namespace tobit::entity
