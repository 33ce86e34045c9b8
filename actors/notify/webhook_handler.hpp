#pragma once

#include "actors/notify/secret_reference.hpp"
#include "runtime/entity/effect_handler.hpp"
#include "runtime/outbound/http_client.hpp"
#include "runtime/time/clock.hpp"

#include <chrono>
#include <functional>
#include <string>

namespace tobit::notify {

struct webhook_options {
  /// Base URL of this node's own HTTP edge ("http://127.0.0.1:8080", no slash at the end), for endpoints that are a
  /// path. Asked on every attempt, on any thread; empty while it is not known.
  std::function<std::string()> own_url = [] { return std::string{}; };
  std::chrono::milliseconds timeout{5'000}; ///< one attempt
  std::size_t response_max = 1u << 20;      ///< bytes of an answer; more is a failed attempt
  int attempts_max = 8;
  secret_access secrets{}; ///< what the secrets of webhooks may refer to
};

/// Carries out the effects of type "webhook": one HTTP request per attempt, as `webhook_request` says; what the answer
/// means is said by `webhook_verdict`. At least once, with the same `Idempotency-Key` on every attempt. Thread-safe.
///
/// A webhook with a `secret` (a reference, see secret_reference.hpp) is signed: `X-Tobit-Timestamp` holds the seconds
/// since 1970 of the attempt, `X-Tobit-Signature` is `sha256=` and the HMAC-SHA256 of timestamp, a dot and the body in
/// hexadecimal digits. The secret is read at each attempt and kept nowhere.
///
/// When an effect is settled, the row of `rule_execution` whose `exec_id` is the effect's correlation gets its status:
/// `fail` with the error as soon as one effect of the execution failed for good, `success` when the last is done.
/// Not so for an effect that asked for a report: then its entity keeps the account.
class webhook_handler final : public entity::effect_handler {
public:
  /// `out` and `time` outlive the handler.
  webhook_handler(outbound::http_client& out, const clock& time, webhook_options options);

  std::string_view type() const noexcept override { return "webhook"; }
  void attempt(const entity::outgoing_effect& effect, std::function<void(entity::effect_outcome)> done) override;
  std::vector<storage::statement> settle(const entity::outgoing_effect& effect, const entity::effect_outcome& outcome,
                                         utc_time now) override;
  int attempts_max() const noexcept override { return options_.attempts_max; }

private:
  outbound::http_client& out_;
  const clock& time_;
  const webhook_options options_;
};

} // namespace tobit::notify
