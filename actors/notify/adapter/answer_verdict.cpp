#include "actors/notify/adapter/answer_verdict.hpp"

#include "actors/notify/template/notice_values.hpp"
#include "runtime/outbound/retry_after.hpp"
#include "schemas/redaction.hpp"

#include <algorithm>

namespace tobit::notify {

namespace {

using outcome = entity::effect_outcome;

constexpr std::size_t answer_kept_max = 300;

bool may_succeed_later(int status) noexcept { return status >= 500 || status == 408 || status == 425 || status == 429; }

outcome ended(enum outcome::status how, error_code code, std::string why) {
  outcome out;
  out.status = how;
  out.code = code;
  out.error = std::move(why);
  return out;
}

} // namespace

outcome judge_status(const outbound::http_response& response, std::initializer_list<int> accepted,
                     const std::string& who, utc_time now) {
  outcome out;
  out.answer = {{"status", response.status}, {"took_ms", response.took.count() / 1'000}};
  if (std::find(accepted.begin(), accepted.end(), response.status) != accepted.end()) return out;
  const bool again = may_succeed_later(response.status);
  out.status = again ? outcome::status::retry : outcome::status::failed;
  if (again) out.retry_after = outbound::retry_after(response, now);
  // A service may quote the request, and with it what should stay secret.
  const auto said = redact_secrets(one_line(response.body, answer_kept_max));
  out.error = who + " answered with status " + std::to_string(response.status) + (said.empty() ? "." : ": " + said);
  return out;
}

outcome judge_silence(const error& problem, bool departed, bool may_repeat) {
  const auto never = problem.code == error_code::address_refused || problem.code == error_code::validation_error ||
                     problem.code == error_code::configuration_error;
  if (never) return ended(outcome::status::failed, problem.code, std::string(problem.text()));
  if (departed && !may_repeat) return unknown_outcome(std::string(problem.text()));
  return ended(outcome::status::retry, problem.code, std::string(problem.text()));
}

outcome judge_mail(const outbound::mail_failure& failure) {
  const auto& why = failure.why;
  const auto text = redact_secrets(one_line(why.text(), 2 * answer_kept_max));
  if (failure.outcome_unknown) return unknown_outcome(text);
  const auto never = failure.reply_code >= 500 || why.code == error_code::address_refused ||
                     why.code == error_code::validation_error ||
                     (why.code == error_code::configuration_error && failure.reply_code / 100 != 4);
  return ended(never ? outcome::status::failed : outcome::status::retry, why.code, text);
}

outcome unknown_outcome(std::string why) {
  return ended(outcome::status::failed, error_code::external_service_error,
               std::string(outcome_unknown_text) + std::move(why) + " It is not sent again by itself.");
}

} // namespace tobit::notify
