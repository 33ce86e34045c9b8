#define CAF_SUITE redaction

#include "schemas/redaction.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;

CAF_TEST(a password in an address disappears and the rest stays) {
  CAF_CHECK_EQUAL(redact_secrets("postgresql://tobit:p@ss:w0rd@db:5432/ops?sslmode=require"),
                  "postgresql://tobit:***@db:5432/ops?sslmode=require");
  CAF_CHECK_EQUAL(redact_secrets("postgresql://tobit@db/ops"), "postgresql://tobit@db/ops");
  CAF_CHECK_EQUAL(redact_secrets("see http://host:80/a@b"), "see http://host:80/a@b");
  CAF_CHECK_EQUAL(redact_secrets("postgresql://db/ops?user=a&password=s3cret&x=1"),
                  "postgresql://db/ops?user=a&password=***&x=1");
}

CAF_TEST(tokens and keys disappear wherever they stand) {
  CAF_CHECK_EQUAL(redact_secrets("Authorization: Bearer abcdefghijkl.mnop"), "Authorization: Bearer ***");
  CAF_CHECK_EQUAL(redact_secrets("sent Basic dXNlcjpwYXNz, refused"), "sent Basic ***, refused");
  CAF_CHECK_EQUAL(redact_secrets("key sk_0123456789abcdef0123456789abcdef used"), "key sk_*** used");
  CAF_CHECK_EQUAL(redact_secrets(R"({"user":"a","api_key": "zzz","n":1})"), R"({"user":"a","api_key": "***","n":1})");
  CAF_CHECK_EQUAL(redact_secrets(R"({\"refresh_token\":\"zzz\"})"), R"({\"refresh_token\":\"***\"})");
}

CAF_TEST(ordinary text stays as it is) {
  for (auto text : {"", "the basic idea", "a token expired", "rule cpu-high fired at 12:30", "x=1 y=2", "secret",
                    "password:", "://", "a://@", "it's 5 o'clock"})
    CAF_CHECK_EQUAL(redact_secrets(text), text);
}

CAF_TEST(secret names are known in every spelling) {
  for (auto name : {"password", "adminPassword", "X-Api-Key", "api_key", "apiKey", "Authorization", "Set-Cookie",
                    "refresh_token", "client-secret", "PRIVATE_KEY"})
    CAF_CHECK(is_secret_name(name));
  for (auto name : {"", "user", "key", "rule", "path", "author"}) CAF_CHECK(!is_secret_name(name));
}

CAF_TEST(a document is shown without its secrets) {
  const json document{
      {"name", "x"},
      {"password", "s3cret"},
      {"actions", {{{"headers", {{"X-Key", "s3cret"}, {"Accept", "text/plain"}}}, {"api_key", "s3cret"}}}}};
  const auto shown = redact_document(document);
  CAF_CHECK(to_text(shown).find("s3cret") == std::string::npos);
  CAF_CHECK_EQUAL(shown["name"], "x");
  CAF_CHECK_EQUAL(shown["actions"][0]["headers"]["Accept"], "text/plain");
  for (const auto& plain : {json(), json("text"), json(5), json::array({1, "a"})})
    CAF_CHECK(redact_document(plain) == plain);
}
