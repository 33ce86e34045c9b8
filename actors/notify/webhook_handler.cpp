#include "actors/notify/webhook_handler.hpp"

#include "actors/notify/webhook_request.hpp"
#include "actors/notify/webhook_verdict.hpp"

#include <algorithm>
#include <utility>

namespace tobit::notify {

namespace {

constexpr std::size_t error_bytes_max = 1'000;

constexpr std::string_view mark_failed =
    "UPDATE rule_execution SET status = 'fail', error_message = COALESCE(error_message, $2), duration_ms = $3 "
    "WHERE exec_id = $1";

// Two statements on purpose: the first takes the row's lock, so that of two effects settled at the same time on
// PostgreSQL the second waits here, and its second statement then sees that the first is settled.
constexpr std::string_view note_duration = "UPDATE rule_execution SET duration_ms = $2 WHERE exec_id = $1";
constexpr std::string_view mark_succeeded =
    "UPDATE rule_execution SET status = 'success' WHERE exec_id = $1 AND status = 'pending' AND NOT EXISTS "
    "(SELECT 1 FROM outbox WHERE correlation = $1 AND correlation <> '' AND status = 'pending' AND id <> $2)";

} // namespace

webhook_handler::webhook_handler(outbound::http_client& out, const clock& time, webhook_options options)
    : out_(out), time_(time), options_(std::move(options)) {
  // nop
}

void webhook_handler::attempt(const entity::outgoing_effect& effect, std::function<void(entity::effect_outcome)> done) {
  auto request = webhook_request(effect, options_.own_url());
  if (!request) return done(webhook_verdict(fail(std::move(request.error())), time_.now()));
  request->timeout = options_.timeout;
  request->response_max = options_.response_max;
  out_.send(std::move(*request),
            [&time = time_, done = std::move(done)](const result<outbound::http_response>& response) {
              done(webhook_verdict(response, time.now()));
            });
}

std::vector<storage::statement> webhook_handler::settle(const entity::outgoing_effect& effect,
                                                        const entity::effect_outcome& outcome, utc_time now) {
  if (effect.correlation.empty() || effect.report) return {}; // who gets the report keeps the account
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(now - effect.created_at).count();
  const std::int64_t took_ms = std::max<std::int64_t>(0, took); // the calendar may have been set back
  if (outcome.status != entity::effect_outcome::status::done)
    return {{mark_failed, {effect.correlation, outcome.error.substr(0, error_bytes_max), took_ms}, {}}};
  return {{note_duration, {effect.correlation, took_ms}, {}}, {mark_succeeded, {effect.correlation, effect.id}, {}}};
}

} // namespace tobit::notify
