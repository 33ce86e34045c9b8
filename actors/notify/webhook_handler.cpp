#include "actors/notify/webhook_handler.hpp"

#include "actors/notify/adapter/signature.hpp"
#include "actors/notify/webhook_request.hpp"
#include "actors/notify/webhook_verdict.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <string_view>
#include <utility>

namespace tobit::notify {

namespace {

constexpr std::size_t error_bytes_max = 1'000;

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

constexpr std::string_view mark_failed =
    "UPDATE rule_execution SET status = 'fail', error_message = COALESCE(error_message, $2), duration_ms = $3 "
    "WHERE exec_id = $1";

// Two statements on purpose: the first takes the row's lock, so that of two effects settled at the same time on
// PostgreSQL the second waits here, and its second statement then sees that the first is settled.
constexpr std::string_view note_duration = "UPDATE rule_execution SET duration_ms = $2 WHERE exec_id = $1";
constexpr std::string_view mark_succeeded =
    "UPDATE rule_execution SET status = 'success' WHERE exec_id = $1 AND status = 'pending' AND NOT EXISTS "
    "(SELECT 1 FROM outbox WHERE correlation = $1 AND correlation <> '' AND status = 'pending' AND id <> $2)";

/// Signs what will be sent. Errors: those of `resolve_secret`.
result<void> sign(outbound::http_request& request, const json& body, const secret_access& allowed, utc_time now) {
  const auto reference = body.find("secret");
  if (reference == body.end() || !reference->is_string()) return {};
  auto secret = resolve_secret(reference->get_ref<const std::string&>(), allowed);
  if (!secret) return fail(std::move(secret.error()));
  // The time is signed, too: a receiver may refuse what is old, and with it what was recorded and sent again.
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  const auto timestamp = std::to_string(seconds);
  std::erase_if(request.headers, [](const auto& header) {
    return same_name(header.first, "x-tobit-timestamp") || same_name(header.first, "x-tobit-signature");
  });
  request.headers.emplace_back("X-Tobit-Timestamp", timestamp);
  request.headers.emplace_back("X-Tobit-Signature", "sha256=" + hmac_sha256(*secret, timestamp + '.' + request.body));
  return {};
}

} // namespace

webhook_handler::webhook_handler(outbound::http_client& out, const clock& time, webhook_options options)
    : out_(out), time_(time), options_(std::move(options)) {
  // nop
}

void webhook_handler::attempt(const entity::outgoing_effect& effect, std::function<void(entity::effect_outcome)> done) {
  auto request = webhook_request(effect, options_.own_url());
  if (!request) return done(webhook_verdict(fail(std::move(request.error())), time_.now()));
  if (auto signed_now = sign(*request, effect.body, options_.secrets, time_.now()); !signed_now)
    return done(webhook_verdict(fail(std::move(signed_now.error())), time_.now()));
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
