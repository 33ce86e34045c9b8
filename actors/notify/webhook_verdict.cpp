#include "actors/notify/webhook_verdict.hpp"

#include "runtime/outbound/retry_after.hpp"

#include <string>

namespace tobit::notify {

namespace {

using outcome = entity::effect_outcome;

/// Cuts at a character's start, so that UTF-8 stays UTF-8.
std::string beginning_of(const std::string& text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  return text.substr(0, bytes_max);
}

bool may_succeed_later(int status) noexcept { return status >= 500 || status == 408 || status == 425 || status == 429; }

outcome unanswered(const error& problem) {
  const auto is_final = problem.code == error_code::address_refused || problem.code == error_code::validation_error;
  outcome verdict;
  verdict.status = is_final ? outcome::status::failed : outcome::status::retry;
  verdict.error = problem.text();
  verdict.code = problem.code;
  verdict.answer = {{"error", describe(problem.code).name}};
  return verdict;
}

std::string redirect_error(const outbound::http_response& response) {
  return "The endpoint redirects (status " + std::to_string(response.status) + ") to '" +
         beginning_of(std::string(response.header("location")), 300) +
         "'; redirects are not followed. Use the final address as endpoint.";
}

} // namespace

entity::effect_outcome webhook_verdict(const result<outbound::http_response>& response, utc_time now) {
  if (!response) return unanswered(response.error());
  outcome verdict;
  verdict.answer = {{"status", response->status},
                    {"body", beginning_of(response->body, answer_bytes_max)},
                    {"took_ms", response->took.count() / 1'000}};
  if (response->status / 100 == 2) return verdict;
  const auto again = may_succeed_later(response->status);
  verdict.status = again ? outcome::status::retry : outcome::status::failed;
  if (again) verdict.retry_after = outbound::retry_after(*response, now);
  verdict.error = response->status / 100 == 3
                      ? redirect_error(*response)
                      : "The endpoint answered with status " + std::to_string(response->status) + '.';
  return verdict;
}

} // namespace tobit::notify
