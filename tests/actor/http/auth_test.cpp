#define CAF_SUITE auth

#include "tests/actor/http/edge_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace std::chrono_literals;
using testing::edge_fixture;

CAF_TEST(signing in gives tokens that say who one is) {
  edge_fixture f;
  f.start();
  f.sign_in();
  const auto me = f.get("/auth/me");
  CAF_CHECK_EQUAL(me.status(), 200);
  CAF_CHECK_EQUAL(me.at("/data/user/username"), "admin");
  CAF_CHECK_EQUAL(me.at("/data/user/role"), "admin");
  CAF_CHECK_EQUAL(me.at("/code"), 0);
  CAF_CHECK(!me.at("/data/user").contains("password_hash"));
}

CAF_TEST(a wrong password and an unknown user look the same) {
  edge_fixture f;
  f.start();
  const auto wrong = f.ask("POST", "/auth/login", json{{"email", "admin"}, {"password", "wrong"}});
  const auto unknown = f.ask("POST", "/auth/login", json{{"email", "nobody"}, {"password", "wrong"}});
  CAF_CHECK_EQUAL(wrong.status(), 401);
  CAF_CHECK_EQUAL(unknown.status(), 401);
  CAF_CHECK_EQUAL(wrong.at("/message"), unknown.at("/message"));
  CAF_CHECK_EQUAL(wrong.error(), "UNAUTHENTICATED");
}

CAF_TEST(a refused sign in is on record with its address and without the password) {
  edge_fixture f;
  f.start();
  f.ask("POST", "/auth/login", json{{"email", "nobody"}, {"password", "my secret"}});
  f.sign_in();
  const auto rows = f.get("/audit-log?resource_type=session&resource_id=nobody");
  CAF_REQUIRE_EQUAL(rows.at("/data/audit_logs").size(), 1u);
  CAF_CHECK_EQUAL(rows.at("/data/audit_logs/0/action"), "login_failed");
  CAF_CHECK_EQUAL(rows.at("/data/audit_logs/0/metadata/error"), "UNAUTHENTICATED");
  CAF_CHECK(to_text(rows.at("/data")).find("my secret") == std::string::npos);
}

CAF_TEST(guessing passwords is slowed down per user and address and says for how long) {
  edge_fixture f;
  f.options.login_attempts_per_minute = 3;
  f.start();
  for (int i = 0; i < 3; ++i)
    CAF_CHECK_EQUAL(f.ask("POST", "/auth/login", json{{"email", "admin"}, {"password", "x"}}).status(), 401);
  const auto limited = f.ask("POST", "/auth/login", json{{"email", "admin"}, {"password", "correct horse"}});
  CAF_CHECK_EQUAL(limited.status(), 429);
  CAF_CHECK_EQUAL(limited.header("Retry-After"), "20");
  f.time.advance(21s);
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/login", json{{"email", "admin"}, {"password", "correct horse"}}).status(), 200);
}

CAF_TEST(an access token ends after half an hour) {
  edge_fixture f;
  f.start();
  f.sign_in();
  f.time.advance(29min);
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 200);
  f.time.advance(1min);
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 401);
}

CAF_TEST(a refresh token works once and using it again ends the session) {
  edge_fixture f;
  f.start();
  const auto first = f.sign_in();
  const auto token = f.token;
  f.token.clear();
  f.time.advance(1s);
  const auto second = f.ask("POST", "/auth/refresh", json{{"refresh_token", first}});
  CAF_CHECK_EQUAL(second.status(), 200);
  f.time.advance(1s);
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/refresh", json{{"refresh_token", first}}).status(), 401);
  // The thief's and the owner's tokens are both gone.
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/refresh", json{{"refresh_token", second.at("/data/refresh_token")}}).status(),
                  401);
  f.token = token;
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 401);
  f.token = second.at("/data/access_token");
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 401);
}

CAF_TEST(logging out ends access tokens too and a later sign in works) {
  edge_fixture f;
  f.start();
  const auto refresh = f.sign_in();
  f.time.advance(1s);
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/logout").status(), 200);
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 401);
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/refresh", json{{"refresh_token", refresh}}).status(), 401);
  f.time.advance(1s);
  f.sign_in();
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 200);
}

CAF_TEST(a new password ends all sessions and the old one no longer works) {
  edge_fixture f;
  f.start();
  f.sign_in();
  f.time.advance(1s);
  const auto wrong =
      f.ask("POST", "/auth/password", json{{"current_password", "nope"}, {"new_password", "battery staple"}});
  CAF_CHECK_EQUAL(wrong.status(), 403);
  CAF_CHECK_EQUAL(wrong.pointer(), "/current_password");
  const auto changed =
      f.ask("POST", "/auth/password", json{{"current_password", "correct horse"}, {"new_password", "battery staple"}});
  CAF_CHECK_EQUAL(changed.status(), 200);
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 401);
  f.time.advance(1s);
  f.token.clear();
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/login", json{{"email", "admin"}, {"password", "correct horse"}}).status(), 401);
  f.sign_in("admin", "battery staple");
}

CAF_TEST(nothing but a bearer token or a key says who one is) {
  edge_fixture f;
  f.start();
  f.sign_in();
  const auto token = std::exchange(f.token, "");
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 401);
  CAF_CHECK_EQUAL(f.get("/auth/me", {{"cookie", "access_token=" + token}}).status(), 401);
  CAF_CHECK_EQUAL(f.get("/auth/me?access_token=" + token).status(), 401);
  CAF_CHECK_EQUAL(f.get("/auth/me", {{"authorization", "Basic YWRtaW46YWRtaW4="}}).status(), 401);
  CAF_CHECK_EQUAL(
      f.get("/auth/me", {{"authorization", "bearer " + token}, {"x-tenant-id", "other"}}).at("/data/user/tenant_id"),
      "default");
}

CAF_TEST(the first administrator is created once and only in an empty database) {
  edge_fixture f;
  auto again = http::bootstrap_admin(f.store.get(), f.time, "", f.options.cost);
  CAF_REQUIRE(again.has_value());
  CAF_CHECK(!again->created);
  testing::scratch_database empty;
  auto generated = http::bootstrap_admin(empty.get(), f.time, "", f.options.cost);
  CAF_REQUIRE(generated.has_value());
  CAF_CHECK(generated->created);
  CAF_CHECK_EQUAL(generated->generated_password.size(), 20u);
}

CAF_TEST(an API key is taken as the password of Basic authentication and nothing else is) {
  edge_fixture f;
  f.start();
  f.sign_in();
  const auto made = f.ask("POST", "/api-keys", json{{"name", "alertmanager"}, {"scope", {"cep:read"}}});
  CAF_REQUIRE_EQUAL(made.status(), 201);
  const auto secret = made.data()["key"].get<std::string>();
  const auto basic = [](const std::string& pair) {
    static const char* digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    for (std::size_t i = 0; i < pair.size(); i += 3) {
      std::uint32_t group = 0;
      for (std::size_t k = 0; k < 3; ++k)
        group = group << 8 | (i + k < pair.size() ? static_cast<unsigned char>(pair[i + k]) : 0u);
      for (std::size_t k = 0; k < 4; ++k)
        out.push_back(i + k <= pair.size() ? digits[group >> (18 - 6 * k) & 63u] : '=');
    }
    return edge_fixture::headers{{"authorization", "Basic " + out}};
  };
  CAF_CHECK_EQUAL(f.get("/cep/events", basic("anybody:" + secret)).status(), 200);
  CAF_CHECK_EQUAL(f.get("/cep/events", basic("admin:correct horse")).status(), 401);
  CAF_CHECK_EQUAL(f.get("/cep/events", basic(secret)).status(), 401);
  CAF_CHECK_EQUAL(f.get("/cep/events", {{"authorization", "Basic ###"}}).status(), 401);
  CAF_CHECK_EQUAL(f.get("/cep/events", basic("anybody:sk_" + std::string(32, '0'))).status(), 401);
}
