#define CAF_SUITE webhook_verdict

#include "actors/notify/webhook_verdict.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::notify;
using namespace std::chrono_literals;
using status = enum entity::effect_outcome::status;

namespace {

const auto now = parse_rfc3339("2026-11-20T08:49:00Z").value();

entity::effect_outcome verdict_on(int code, std::vector<std::pair<std::string, std::string>> headers = {},
                                  std::string body = {}) {
  outbound::http_response response;
  response.status = code;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return webhook_verdict(response, now);
}

entity::effect_outcome verdict_on(error_code code) { return webhook_verdict(fail(code), now); }

std::chrono::milliseconds pause_for(std::string retry_after) {
  return verdict_on(429, {{"retry-after", std::move(retry_after)}}).retry_after;
}

} // namespace

CAF_TEST(every 2xx is done and keeps the beginning of the answer) {
  for (const int code : {200, 201, 202, 204, 299}) CAF_CHECK(verdict_on(code).status == status::done);
  const auto verdict = verdict_on(200, {}, std::string(1'023, 'a') + "ü" + std::string(5'000, 'b'));
  CAF_CHECK_EQUAL(verdict.answer["status"], 200);
  CAF_CHECK_EQUAL(verdict.answer["body"], std::string(1'023, 'a'));
}

CAF_TEST(what may pass later is tried again) {
  for (const int code : {408, 425, 429, 500, 502, 503, 504, 599}) CAF_CHECK(verdict_on(code).status == status::retry);
  for (const auto code : {error_code::connection_error, error_code::deadline_exceeded,
                          error_code::external_service_error, error_code::overloaded, error_code::unavailable})
    CAF_CHECK(verdict_on(code).status == status::retry);
}

CAF_TEST(what cannot pass later is final) {
  for (const int code : {400, 401, 403, 404, 409, 410, 422, 451}) CAF_CHECK(verdict_on(code).status == status::failed);
  CAF_CHECK(verdict_on(error_code::address_refused).status == status::failed);
  CAF_CHECK(verdict_on(error_code::address_refused).code == error_code::address_refused);
  CAF_CHECK(verdict_on(error_code::validation_error).status == status::failed);
}

CAF_TEST(a redirect is final and says what to do) {
  const auto verdict = verdict_on(301, {{"location", "https://new.example/hook"}});
  CAF_CHECK(verdict.status == status::failed);
  CAF_CHECK(verdict.error.find("https://new.example/hook") != std::string::npos);
}

CAF_TEST(the pause that the receiver asks for is respected within reason) {
  CAF_CHECK_EQUAL(pause_for("7").count(), 7'000);
  CAF_CHECK_EQUAL(pause_for("Fri, 20 Nov 2026 08:49:37 GMT").count(), 37'000);
  CAF_CHECK_EQUAL(pause_for("Friday, 20-Nov-26 08:49:37 GMT").count(), 37'000);
  CAF_CHECK_EQUAL(pause_for("Fri, 20 Nov 2026 08:00:00 GMT").count(), 0);
  CAF_CHECK_EQUAL(pause_for("99999999999999999999999").count(), 3'600'000);
  CAF_CHECK_EQUAL(pause_for("Fri, 20 Nov 2037 08:49:37 GMT").count(), 3'600'000);
  for (auto text : {"", "soon", "-5", "7.5s"}) CAF_CHECK_EQUAL(pause_for(text).count(), 0);
  CAF_CHECK_EQUAL(verdict_on(404, {{"retry-after", "7"}}).retry_after.count(), 0);
}
