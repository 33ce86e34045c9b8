#define CAF_SUITE channel_definition

#include "actors/notify/channel/channel_definition.hpp"
#include "schemas/channel/channel_fields.hpp"
#include "tests/unit/channel/notice_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::notify;
using testing::holds;

namespace {

const channel_rules rules{{{"127.0.0.1"}}, {{"TOBIT_SECRET_"}, {"/run/secrets"}}};
const entity_ref ref{"channel", tenant_id{"default"}, "ops"};

json slack() {
  return {
      {"name", "Ops"}, {"type", "slack"}, {"config", {{"bot_token", "env:TOBIT_SECRET_SLACK"}, {"channel", "#ops"}}}};
}
json email() {
  return {{"name", "Mail"},
          {"type", "email"},
          {"config",
           {{"smtp_host", "mail.example.com"},
            {"from_email", "Tobit <tobit@example.com>"},
            {"password", "file:/run/secrets/mail"},
            {"recipients", {"a@example.com", "김 <b@example.com>"}}}}};
}
json sms() {
  return {{"name", "SMS"},
          {"type", "sms"},
          {"config",
           {{"account_sid", "AC1"},
            {"auth_token", "env:TOBIT_SECRET_T"},
            {"from_number", "+15550001111"},
            {"recipients", {"+821012345678"}}}}};
}
json with(json channel, const char* field, json value) {
  channel["config"][field] = std::move(value);
  return channel;
}
result<json> read(const json& body, const json* before = nullptr) {
  return normalise_channel(ref, body, before, rules);
}

struct complaint {
  std::string pointer, text;
};
complaint wrong(const json& body) {
  const auto read_one = read(body);
  if (read_one) return {};
  return {read_one.error().pointer, read_one.error().message};
}

} // namespace

CAF_TEST(defaults are filled in and normalising again changes nothing) {
  for (const auto& body : {slack(), email(), sms()}) {
    const auto once = read(body);
    CAF_REQUIRE(once.has_value());
    CAF_CHECK((*once)["language"] == "en");
    CAF_CHECK((*once)["attempts_max"] == 6);
    const auto twice = read(*once);
    CAF_REQUIRE(twice.has_value());
    CAF_CHECK_EQUAL(*twice, *once);
  }
  CAF_CHECK(read(slack())->at("rate_limit").at("max_per_minute") == 60);
  CAF_CHECK(read(sms())->at("rate_limit").at("max_per_hour") == 100);
  CAF_CHECK(read(email())->at("config").at("security") == "starttls");
}

CAF_TEST(a literal secret is refused where it stands and never repeated) {
  for (const auto& [body, pointer] :
       std::vector<std::pair<json, std::string>>{{with(slack(), "bot_token", "xoxb-very-secret"), "/config/bot_token"},
                                                 {with(email(), "password", "xoxb-very-secret"), "/config/password"},
                                                 {with(sms(), "auth_token", "xoxb-very-secret"), "/config/auth_token"},
                                                 {with(sms(), "auth_token", "env:HOME"), "/config/auth_token"}}) {
    const auto why = wrong(body);
    CAF_CHECK_EQUAL(why.pointer, pointer);
    CAF_CHECK(!holds(why.text, "very-secret"));
  }
  CAF_CHECK(holds(wrong(with(slack(), "bot_token", "x")).text, "env:NAME"));
}

CAF_TEST(an address that is a password in itself is a reference) {
  const auto hook = [](const char* url) {
    return json{{"name", "n"}, {"type", "slack"}, {"config", {{"webhook_url", url}}}};
  };
  CAF_CHECK(read(hook("env:TOBIT_SECRET_HOOK")).has_value());
  CAF_CHECK(read(hook("http://127.0.0.1:9/relay")).has_value());
  CAF_CHECK(holds(wrong(hook("https://hooks.slack.com/services/T0/B0/xyz")).text, "password in itself"));
  CAF_CHECK(!holds(wrong(hook("https://hooks.slack.com/services/T0/B0/xyz")).text, "xyz"));
  CAF_CHECK(is_secret_address("https://prod-1.westus.logic.azure.com:443/workflows/x?sig=abc"));
  CAF_CHECK(is_secret_address("https://example.com/hook?a=1&token=abc"));
  CAF_CHECK(!is_secret_address("https://example.com/hook?a=1"));
  CAF_CHECK(!is_secret_address("https://nothooks.slack.com.example.com/"));
}

CAF_TEST(headers that hold secrets are references and others are not ) {
  const auto hook = [](json headers) {
    return json{{"name", "n"},
                {"type", "webhook"},
                {"config", {{"url", "https://example.com/h"}, {"headers", std::move(headers)}}}};
  };
  CAF_CHECK(read(hook({{"X-Team", "ops"}, {"Authorization", "env:TOBIT_SECRET_A"}})).has_value());
  CAF_CHECK_EQUAL(wrong(hook({{"Authorization", "Bearer abc"}})).pointer, "/config/headers/Authorization");
  CAF_CHECK_EQUAL(wrong(hook({{"X Y", "a"}})).pointer, "/config/headers/X Y");
  CAF_CHECK(!wrong(hook({{"X-A", "a\r\nX-B: c"}})).text.empty());
}

CAF_TEST(fields that contradict each other are named) {
  CAF_CHECK_EQUAL(wrong(with(slack(), "webhook_url", "http://127.0.0.1/x")).pointer, "/config/webhook_url");
  auto nowhere = slack();
  nowhere["config"].erase("channel");
  CAF_CHECK_EQUAL(wrong(nowhere).pointer, "/config/channel");
  CAF_CHECK_EQUAL(wrong(with(email(), "security", "none")).pointer, "/config/password");
  CAF_CHECK_EQUAL(wrong(with(email(), "use_tls", false)).pointer, "/config/password");
  CAF_CHECK(read(with(email(), "security", "tls"))->at("config").at("smtp_port") == 465);
  CAF_CHECK(read(with(email(), "use_tls", true))->at("config").at("security") == "starttls");
}

CAF_TEST(what is malformed is refused with its place) {
  CAF_CHECK_EQUAL(wrong(with(email(), "recipients", {"a@example.com", "nobody"})).pointer, "/config/recipients/1");
  CAF_CHECK_EQUAL(wrong(with(email(), "recipients", json::array())).pointer, "/config/recipients");
  CAF_CHECK_EQUAL(wrong(with(email(), "from_email", "a@example.com\r\nBcc: b@example.com")).pointer,
                  "/config/from_email");
  CAF_CHECK_EQUAL(wrong(with(email(), "smtp_host", "mail.example.com:25")).pointer, "/config/smtp_host");
  CAF_CHECK_EQUAL(wrong(with(email(), "smtp_host", "10.0.0.1")).pointer, "/config/smtp_host");
  CAF_CHECK_EQUAL(wrong(with(sms(), "recipients", {"01012345678"})).pointer, "/config/recipients/0");
  CAF_CHECK_EQUAL(wrong(with(sms(), "account_sid", "AC/../x")).pointer, "/config/account_sid");
  CAF_CHECK_EQUAL(wrong(with(sms(), "base_url", "http://192.168.0.1")).pointer, "/config/base_url");
  CAF_CHECK_EQUAL(wrong(with(slack(), "chanel", "x")).pointer, "/config/chanel");
  auto body = slack();
  body["type"] = "slak";
  CAF_CHECK(holds(wrong(body).text, "slack"));
  body = slack();
  body["fallback"] = "ops";
  CAF_CHECK_EQUAL(wrong(body).pointer, "/fallback");
  body = slack();
  body["templates"] = {{"text", "{{#alerts}}"}};
  CAF_CHECK_EQUAL(wrong(body).pointer, "/templates/text");
  body["templates"] = {{"html", "x"}};
  CAF_CHECK_EQUAL(wrong(body).pointer, "/templates/html");
  CAF_CHECK_EQUAL(wrong(json::array()).pointer, "");
  for (const char* key : {"types", "a b", "ö", ""})
    CAF_CHECK(!normalise_channel({"channel", tenant_id{"default"}, key}, slack(), nullptr, rules).has_value());
}

CAF_TEST(a partial change keeps the rest and another type drops what it does not know) {
  const auto before = read(slack()).value();
  const auto paused = read({{"is_active", false}}, &before);
  CAF_REQUIRE(paused.has_value());
  CAF_CHECK_EQUAL(paused->at("config"), before.at("config"));
  CAF_CHECK_EQUAL(paused->at("is_active"), false);
  CAF_CHECK(!read({{"type", "teams"}}, &before).has_value());
  CAF_CHECK(read({{"type", "teams"}, {"config", {{"webhook_url", "env:TOBIT_SECRET_TEAMS"}}}}, &before).has_value());
}

CAF_TEST(every type says which fields it has) {
  const auto types = channel::describe_channel_types();
  CAF_REQUIRE_EQUAL(types.size(), 6u);
  for (const auto& type : types) {
    CAF_CHECK(!type["description"].get<std::string>().empty());
    for (const auto& field : type["fields"]) CAF_CHECK(!field["description"].get<std::string>().empty());
  }
}
