#define CAF_SUITE channel_adapters

#include "actors/notify/adapter/answer_verdict.hpp"
#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/signature.hpp"
#include "actors/notify/channel/delivery_plan.hpp"
#include "tests/unit/channel/notice_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::notify;
using status = enum tobit::entity::effect_outcome::status;
using testing::disk_notice;
using testing::holds;

namespace {

constexpr utc_time now = from_micros(1'795'000'060'000'000);

result<std::string> lookup(std::string_view reference) {
  if (reference == "env:GONE") return fail(error_code::configuration_error, "not set");
  return "secret of " + std::string(reference);
}

delivery planned(const std::string& type, json config, channel::send_notice notice = disk_notice()) {
  channel_settings settings;
  settings.name = "Ops";
  settings.type = type;
  settings.config = std::move(config);
  return plan_delivery({"channel", tenant_id{"default"}, "ops"}, settings, notice, {}, nullptr);
}

outbound::http_request request_of(const delivery& what) {
  auto made = find_adapter(what.type)->prepare(what, now, lookup);
  if (!made) CAF_FAIL(made.error().message);
  return std::get<outbound::http_request>(*made);
}

std::string header(const outbound::http_request& request, std::string_view name) {
  for (const auto& [key, value] : request.headers)
    if (key == name) return value;
  return {};
}

outbound::http_response answer(int code, std::string body = {}, std::string retry_after = {}) {
  outbound::http_response out;
  out.status = code;
  out.body = std::move(body);
  if (!retry_after.empty()) out.headers.emplace_back("retry-after", std::move(retry_after));
  return out;
}

entity::effect_outcome judged(const char* type, const outbound::http_response& response) {
  return find_adapter(type)->judge(response, now);
}

} // namespace

CAF_TEST(a bot writes with its token and answers in the thread) {
  auto what = planned("slack", {{"bot_token", "env:T"}, {"channel", "#ops"}, {"api_url", "https://slack.com/api/"}});
  const auto first = request_of(what);
  CAF_CHECK_EQUAL(first.method, "POST");
  CAF_CHECK_EQUAL(first.url, "https://slack.com/api/chat.postMessage");
  CAF_CHECK_EQUAL(header(first, "Authorization"), "Bearer secret of env:T");
  CAF_CHECK_EQUAL(header(first, "Content-Type"), "application/json; charset=utf-8");
  const auto body = json::parse(first.body);
  CAF_CHECK_EQUAL(body["channel"], "#ops");
  CAF_CHECK_EQUAL(body["text"], "[FIRING] Disk of db-1 is full");
  CAF_CHECK_EQUAL(body["blocks"][0]["type"], "header");
  CAF_CHECK_EQUAL(body["blocks"][0]["text"]["type"], "plain_text");
  CAF_CHECK_EQUAL(body["blocks"][1]["text"]["type"], "mrkdwn");
  CAF_CHECK(holds(body["blocks"][1]["text"]["text"], "/var &lt;95%&gt; &amp; rising"));
  CAF_CHECK(!body.contains("thread_ts"));
  what.place = {{"ts", "17.1"}, {"channel", "C1"}};
  const auto second = json::parse(request_of(what).body);
  CAF_CHECK_EQUAL(second["thread_ts"], "17.1");
  CAF_CHECK_EQUAL(second["channel"], "C1");
}

CAF_TEST(an incoming webhook takes the message at its address) {
  const auto request = request_of(planned("slack", {{"webhook_url", "file:/run/secrets/hook"}}));
  CAF_CHECK_EQUAL(request.url, "secret of file:/run/secrets/hook");
  CAF_CHECK_EQUAL(header(request, "Authorization"), "");
  CAF_CHECK(!json::parse(request.body).contains("channel"));
}

CAF_TEST(long texts become several blocks of Slack) {
  auto what = planned("slack", {{"webhook_url", "env:H"}});
  what.text.clear();
  for (int i = 0; i < 400; ++i) what.text += "가나다라마바사 line " + std::to_string(i) + '\n';
  const auto body = json::parse(request_of(what).body);
  CAF_CHECK_EQUAL(body["blocks"].size(), 6u);
  for (std::size_t i = 1; i < 6; ++i) CAF_CHECK(body["blocks"][i]["text"]["text"].get<std::string>().size() <= 3'000u);
}

CAF_TEST(Slack says in the body whether it took the message) {
  const auto fine = judged("slack", answer(200, R"({"ok":true,"channel":"C1","ts":"17.1","message":{}})"));
  CAF_CHECK(fine.status == status::done);
  CAF_CHECK_EQUAL(fine.answer["place"]["ts"], "17.1");
  CAF_CHECK_EQUAL(fine.answer["place"]["channel"], "C1");
  CAF_CHECK(judged("slack", answer(200, "ok")).status == status::done);
  CAF_CHECK(judged("slack", answer(200, R"({"ok":false,"error":"invalid_auth"})")).status == status::failed);
  CAF_CHECK(judged("slack", answer(200, R"({"ok":false,"error":"ratelimited"})")).status == status::retry);
  CAF_CHECK(judged("slack", answer(404, "no_team")).status == status::failed);
  const auto later = judged("slack", answer(429, "", "30"));
  CAF_CHECK(later.status == status::retry);
  CAF_CHECK_EQUAL(later.retry_after.count(), 30'000);
}

CAF_TEST(a webhook gets the document of the contract with a signature) {
  const json config{{"url", "https://example.com/h"},
                    {"headers", {{"X-Team", "ops"}, {"Authorization", "env:A"}}},
                    {"secret", "env:S"},
                    {"recipients", {"ops"}}};
  const auto what = planned("webhook", config);
  const auto request = request_of(what);
  CAF_CHECK_EQUAL(request.url, "https://example.com/h");
  CAF_CHECK_EQUAL(header(request, "X-Team"), "ops");
  CAF_CHECK_EQUAL(header(request, "Authorization"), "secret of env:A");
  CAF_CHECK_EQUAL(header(request, "Idempotency-Key"), what.key);
  CAF_CHECK_EQUAL(header(request, "X-Tobit-Timestamp"), "1795000060");
  CAF_CHECK_EQUAL(header(request, "X-Tobit-Signature"),
                  "sha256=" + hmac_sha256("secret of env:S", "1795000060." + request.body));
  const auto body = json::parse(request.body);
  CAF_CHECK_EQUAL(body["title"], "[FIRING] Disk of db-1 is full");
  CAF_CHECK(holds(body["body"], "/var <95%> & rising"));
  CAF_CHECK(body["recipients"] == json({"ops"}));
  CAF_CHECK_EQUAL(body["timestamp"], "2026-11-18T11:07:40.000000Z");
  CAF_CHECK_EQUAL(body["metadata"]["alerts"][0]["labels"]["host"], "db-1");
  CAF_CHECK_EQUAL(body["metadata"]["policy"]["name"], "Storage team");
  CAF_CHECK_EQUAL(body["metadata"]["status"], "firing");
}

CAF_TEST(the signature is HMAC - SHA256 as RFC 4231 tests it) {
  CAF_CHECK_EQUAL(hmac_sha256("Jefe", "what do ya want for nothing?"),
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CAF_CHECK_EQUAL(base64("AC1:x"), "QUMxOng=");
}

CAF_TEST(a text message is a form with one recipient) {
  auto what = planned("sms", {{"account_sid", "AC1"},
                              {"auth_token", "env:T"},
                              {"from_number", "+15550001111"},
                              {"base_url", "https://api.twilio.com"},
                              {"max_characters", 160}});
  what.recipients = {"+821012345678"};
  what.text = "디스크 & more";
  const auto request = request_of(what);
  CAF_CHECK_EQUAL(request.url, "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json");
  CAF_CHECK_EQUAL(header(request, "Content-Type"), "application/x-www-form-urlencoded");
  CAF_CHECK_EQUAL(header(request, "Authorization"), "Basic " + base64("AC1:secret of env:T"));
  CAF_CHECK_EQUAL(request.body, "Body=%EB%94%94%EC%8A%A4%ED%81%AC%20%26%20more&From=%2B15550001111&To=%2B821012345678");
  CAF_CHECK(judged("sms", answer(201, R"({"sid":"SM1"})")).status == status::done);
  CAF_CHECK(judged("sms", answer(201, R"({"sid":"SM1"})")).answer["sid"] == "SM1");
  CAF_CHECK(judged("sms", answer(400, R"({"code":21211})")).status == status::failed);
  CAF_CHECK(judged("sms", answer(200)).status == status::failed);
}

CAF_TEST(Teams gets an adaptive card that reads no markup) {
  auto what = planned("teams", {{"webhook_url", "env:H"}});
  const auto body = json::parse(request_of(what).body);
  CAF_CHECK_EQUAL(body["type"], "message");
  const auto& attachment = body["attachments"][0];
  CAF_CHECK_EQUAL(attachment["contentType"], "application/vnd.microsoft.card.adaptive");
  CAF_CHECK_EQUAL(attachment["content"]["type"], "AdaptiveCard");
  CAF_CHECK_EQUAL(attachment["content"]["body"][0]["style"], "attention");
  CAF_CHECK_EQUAL(attachment["content"]["body"][1]["type"], "RichTextBlock");
  what.text = std::string(100'000, 'x') + "\n" + std::string(500, '\n');
  CAF_CHECK(request_of(what).body.size() < 28'000);
  CAF_CHECK(judged("teams", answer(202)).status == status::done);
  CAF_CHECK(judged("teams", answer(200, "1")).status == status::done);
  CAF_CHECK(judged("teams", answer(200, "Webhook message delivery failed with error: Microsoft Teams endpoint returned "
                                        "HTTP error 429"))
                .status == status::retry);
}

CAF_TEST(PagerDuty is told to trigger and acknowledge and resolve the same incident) {
  const json config{{"integration_key", "env:K"}, {"base_url", "https://events.pagerduty.com"}, {"source", "tobit"}};
  auto notice = disk_notice();
  const auto trigger = json::parse(request_of(planned("pagerduty", config, notice)).body);
  CAF_CHECK_EQUAL(trigger["routing_key"], "secret of env:K");
  CAF_CHECK_EQUAL(trigger["event_action"], "trigger");
  CAF_CHECK_EQUAL(trigger["dedup_key"], "group-1");
  CAF_CHECK_EQUAL(trigger["payload"]["severity"], "critical");
  CAF_CHECK_EQUAL(trigger["payload"]["source"], "tobit");
  CAF_CHECK_EQUAL(trigger["payload"]["summary"], "[FIRING] Disk of db-1 is full");
  CAF_CHECK_EQUAL(request_of(planned("pagerduty", config, notice)).url, "https://events.pagerduty.com/v2/enqueue");
  for (const auto& [reason, action] : std::vector<std::pair<std::string, std::string>>{
           {"acknowledged", "acknowledge"}, {"resolved", "resolve"}, {"repeat", "trigger"}}) {
    notice.reason = reason;
    const auto event = json::parse(request_of(planned("pagerduty", config, notice)).body);
    CAF_CHECK_EQUAL(event["event_action"], action);
    CAF_CHECK_EQUAL(event["dedup_key"], "group-1");
  }
  notice.severity = "medium";
  CAF_CHECK(json::parse(request_of(planned("pagerduty", config, notice)).body)["payload"]["severity"] == "warning");
  notice.thread = std::string(400, 't');
  CAF_CHECK(json::parse(request_of(planned("pagerduty", config, notice)).body)["dedup_key"].get<std::string>().size() <=
            255u);
  CAF_CHECK(judged("pagerduty", answer(202, R"({"status":"success"})")).status == status::done);
  CAF_CHECK(judged("pagerduty", answer(400)).status == status::failed);
}

CAF_TEST(a mail goes to all recipients and its id follows from the notice) {
  const auto what = planned("email", {{"smtp_host", "mail.example.com"},
                                      {"smtp_port", 587},
                                      {"security", "starttls"},
                                      {"from_email", "Tobit <tobit@example.com>"},
                                      {"password", "env:P"},
                                      {"recipients", {"a@example.com", "김 <b@example.com>"}}});
  auto made = email_adapter().prepare(what, now, lookup);
  CAF_REQUIRE(made.has_value());
  const auto& mail = std::get<outbound::mail_request>(*made);
  CAF_CHECK(mail.security == outbound::mail_security::starttls);
  CAF_CHECK_EQUAL(mail.user, "tobit@example.com");
  CAF_CHECK_EQUAL(mail.password, "secret of env:P");
  CAF_CHECK(mail.to == (std::vector<std::string>{"a@example.com", "b@example.com"}));
  CAF_CHECK(holds(mail.message, "Message-ID: <tobit." + what.key + "@example.com>\r\n"));
  CAF_CHECK(holds(mail.message, "Importance: high\r\n"));
  CAF_CHECK(!holds(mail.message, "secret of"));
}

CAF_TEST(a secret that cannot be read is the error of the attempt) {
  const auto made =
      webhook_adapter().prepare(planned("webhook", {{"url", "https://e.com"}, {"secret", "env:GONE"}}), now, lookup);
  CAF_REQUIRE(!made.has_value());
  CAF_CHECK(made.error().code == error_code::configuration_error);
}

CAF_TEST(only what the contract names is tried again) {
  for (int code : {408, 425, 429, 500, 502, 503, 504, 599})
    for (const char* type : {"slack", "sms", "webhook", "teams", "pagerduty"})
      CAF_CHECK(judged(type, answer(code)).status == status::retry);
  for (int code : {301, 302, 400, 401, 403, 404, 409, 410, 413, 422, 451})
    for (const char* type : {"slack", "sms", "webhook", "teams", "pagerduty"})
      CAF_CHECK(judged(type, answer(code)).status == status::failed);
  CAF_CHECK(!holds(judged("webhook", answer(400, "bad token=abcdef123")).error, "abcdef123"));
}

CAF_TEST(silence after the message may have arrived is not answered by a repetition) {
  const error slow{error_code::deadline_exceeded, "no answer"};
  CAF_CHECK(judge_silence(slow, false, false).status == status::retry);
  CAF_CHECK(judge_silence(slow, true, true).status == status::retry);
  const auto unknown = judge_silence(slow, true, false);
  CAF_CHECK(unknown.status == status::failed);
  CAF_CHECK(unknown.error.starts_with(outcome_unknown_text));
  CAF_CHECK(judge_silence({error_code::address_refused, ""}, false, true).status == status::failed);
}

CAF_TEST(the refusal of a mail server is read by its code) {
  using outbound::mail_failure;
  const error why{error_code::external_service_error, "said no"};
  CAF_CHECK(judge_mail(mail_failure{why, 451, false}).status == status::retry);
  CAF_CHECK(judge_mail(mail_failure{why, 550, false}).status == status::failed);
  CAF_CHECK(judge_mail(mail_failure{{error_code::connection_error, "gone"}, 0, false}).status == status::retry);
  const auto unknown = judge_mail(mail_failure{why, 0, true});
  CAF_CHECK(unknown.status == status::failed);
  CAF_CHECK(unknown.error.starts_with(outcome_unknown_text));
}
