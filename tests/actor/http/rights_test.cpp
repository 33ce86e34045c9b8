#define CAF_SUITE rights

#include "tests/actor/http/edge_fixture.hpp"
#include "tests/actor/http/fake_entities.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace std::chrono_literals;
using testing::edge_fixture;

namespace {

struct rights_fixture : edge_fixture {
  testing::fake_entities entities{store.get()};

  rights_fixture() {
    deps.entities = &entities;
    start();
    sign_in();
  }
  ~rights_fixture() { edge->stop(), edge->finish(), store.close(); }

  std::string add_user(const std::string& name, const std::string& rank) {
    const auto made = ask("POST", "/admin/users", json{{"username", name}, {"password", "password1"}, {"role", rank}});
    if (made.status() != 201) throw std::runtime_error(made.answer.body);
    return made.at("/data/user/user_id");
  }
  std::string add_key(const json& scope, const json& expires_at = nullptr) {
    const auto made = ask("POST", "/api-keys", json{{"name", "k"}, {"scope", scope}, {"expires_at", expires_at}});
    if (made.status() != 201) throw std::runtime_error(made.answer.body);
    return made.at("/data/key");
  }
  int status(const std::string& method, const std::string& path, const std::string& key) {
    return ask(method, path, std::string("{}"), {{"authorization", "Bearer " + key}}).status();
  }
};

} // namespace

CAF_TEST(a role decides what is answered) {
  rights_fixture f;
  for (auto rank : {"viewer", "developer", "manager"}) f.add_user(rank, rank);
  const auto status = [&](const std::string& who, const std::string& method, const std::string& path) {
    f.sign_in(who, "password1");
    return f.ask(method, path, std::string("{}")).status();
  };
  CAF_CHECK_EQUAL(status("viewer", "GET", "/cep/rules"), 200);
  CAF_CHECK_EQUAL(status("viewer", "POST", "/cep/rules"), 403);
  CAF_CHECK_EQUAL(status("viewer", "GET", "/audit-log"), 403);
  CAF_CHECK_EQUAL(status("developer", "POST", "/cep/rules"), 400); // allowed, but an empty rule
  CAF_CHECK_EQUAL(status("developer", "DELETE", "/cep/rules/x"), 403);
  CAF_CHECK_EQUAL(status("developer", "POST", "/actors/rule/x/stop"), 403);
  CAF_CHECK_EQUAL(status("manager", "POST", "/actors/rule/x/stop"), 200);
  CAF_CHECK_EQUAL(status("manager", "GET", "/audit-log"), 200);
  CAF_CHECK_EQUAL(status("manager", "DELETE", "/cep/rules/x"), 403);
  CAF_CHECK_EQUAL(status("manager", "GET", "/admin/users"), 403);
  CAF_CHECK_EQUAL(status("manager", "POST", "/permissions/grant"), 403);
}

CAF_TEST(an override opens one resource until it ends or is revoked) {
  rights_fixture f;
  const auto id = f.add_user("vera", "viewer");
  const auto admin = f.token;
  const auto grant = "/permissions/grant?user_id=" + id + "&permission=cep:delete&resource_type=rule&resource_id=r1";
  CAF_CHECK_EQUAL(f.ask("POST", grant + "&expires_at=" + to_rfc3339(f.time.now() + 1h)).status(), 201);
  CAF_CHECK_EQUAL(
      f.ask("POST", "/permissions/check?user_id=" + id + "&permission=cep:delete&resource_type=rule&resource_id=r1")
          .at("/data/granted"),
      true);
  f.sign_in("vera", "password1");
  CAF_CHECK_EQUAL(f.ask("DELETE", "/cep/rules/r1").status(), 404); // allowed, but there is none
  CAF_CHECK_EQUAL(f.ask("DELETE", "/cep/rules/r2").status(), 403);
  CAF_CHECK_EQUAL(f.get("/permissions/me").at("/data/overrides/0/resource_id"), "r1");
  const auto vera = std::exchange(f.token, admin);
  CAF_CHECK_EQUAL(
      f.ask("DELETE", "/permissions/revoke?user_id=" + id + "&permission=cep:delete&resource_type=rule&resource_id=r1")
          .status(),
      200);
  CAF_CHECK_EQUAL(
      f.ask("DELETE", "/permissions/revoke?user_id=" + id + "&permission=cep:delete&resource_type=rule&resource_id=r1")
          .status(),
      404);
  f.token = vera;
  CAF_CHECK_EQUAL(f.ask("DELETE", "/cep/rules/r1").status(), 403);
  f.token = admin;
  CAF_CHECK_EQUAL(f.ask("POST", "/permissions/grant?user_id=" + id + "&permission=cep:fly&resource_type=rule").status(),
                  400);
  CAF_CHECK_EQUAL(f.ask("POST", "/permissions/grant?user_id=nobody&permission=cep:read&resource_type=rule").status(),
                  404);
}

CAF_TEST(a disabled user is out at once and a changed role counts at once) {
  rights_fixture f;
  const auto id = f.add_user("dan", "developer");
  const auto admin = f.token;
  f.sign_in("dan", "password1");
  const auto dan = std::exchange(f.token, admin);
  CAF_CHECK_EQUAL(f.ask("PATCH", "/admin/users/" + id + "/role", json{{"role", "manager"}}).status(), 200);
  f.token = dan;
  CAF_CHECK_EQUAL(f.get("/audit-log").status(), 200);
  f.token = admin;
  CAF_CHECK_EQUAL(f.ask("PATCH", "/admin/users/" + id + "/status", json{{"is_active", false}}).status(), 200);
  f.token = dan;
  CAF_CHECK_EQUAL(f.get("/auth/me").error(), "ACCOUNT_DISABLED");
  f.token.clear();
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/login", json{{"email", "dan"}, {"password", "password1"}}).status(), 403);
  CAF_CHECK_EQUAL(f.ask("POST", "/auth/login", json{{"email", "dan"}, {"password", "password2"}}).status(), 401);
}

CAF_TEST(a change of rights on another node counts within seconds) {
  rights_fixture f;
  const auto id = f.add_user("dan", "developer");
  f.sign_in("dan", "password1");
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 200);
  CAF_REQUIRE(f.store->write_and_wait({{{"UPDATE app_user SET is_active = 0 WHERE id = $1", {id}}}}).has_value());
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 200);
  f.time.advance(3s);
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 403);
}

CAF_TEST(an api key acts within its scopes and never as a person) {
  rights_fixture f;
  const auto reader = f.add_key({"cep:read"}), writer = f.add_key({"cep:write"}), all = f.add_key({"*"});
  f.token.clear();
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", reader), 200);
  CAF_CHECK_EQUAL(f.ask("GET", "/cep/rules", std::string{}, {{"x-api-key", reader}}).status(), 200);
  CAF_CHECK_EQUAL(f.status("POST", "/cep/rules", reader), 403);
  CAF_CHECK_EQUAL(f.status("POST", "/cep/rules", writer), 400);
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", writer), 403);
  CAF_CHECK_EQUAL(f.status("POST", "/actors/rule/x/stop", reader), 403);
  CAF_CHECK_EQUAL(f.status("POST", "/actors/rule/x/stop", all), 200);
  CAF_CHECK_EQUAL(f.status("GET", "/api-keys", all), 403);
  CAF_CHECK_EQUAL(f.status("POST", "/auth/logout", all), 403);
  CAF_CHECK_EQUAL(f.status("GET", "/auth/me", reader), 200);
  CAF_CHECK_EQUAL(f.status("GET", "/auth/me", "sk_00000000000000000000000000000000"), 401);
  CAF_CHECK_EQUAL(f.status("GET", "/auth/me", "sk_"), 401);
}

CAF_TEST(an api key ends when it expires is revoked or its owner is disabled) {
  rights_fixture f;
  const auto id = f.add_user("kim", "developer");
  const auto admin = f.token;
  f.sign_in("kim", "password1");
  const auto brief = f.add_key({"cep:read"}, to_rfc3339(f.time.now() + 1min)), lasting = f.add_key({"cep:read"});
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", brief), 200);
  f.time.advance(1min);
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", brief), 401);
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", lasting), 200);
  const auto listed = f.get("/api-keys");
  CAF_CHECK_EQUAL(listed.at("/data/total"), 2);
  CAF_CHECK(listed.answer.body.find(lasting) == std::string::npos);
  CAF_CHECK(listed.answer.body.find("key_hash") == std::string::npos);
  f.token = admin;
  CAF_CHECK_EQUAL(f.ask("PATCH", "/admin/users/" + id + "/status", json{{"is_active", false}}).status(), 200);
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", lasting), 403);
}

CAF_TEST(a key belongs to its owner) {
  rights_fixture f;
  f.add_user("kim", "developer");
  f.add_user("lee", "developer");
  const auto admin = f.token;
  f.sign_in("kim", "password1");
  const auto kim = f.token;
  const auto key = f.add_key({"cep:read"});
  const std::string id = f.get("/api-keys").at("/data/api_keys/0/id");
  f.sign_in("lee", "password1");
  CAF_CHECK_EQUAL(f.get("/api-keys/" + id).status(), 403);
  CAF_CHECK_EQUAL(f.ask("DELETE", "/api-keys/" + id).status(), 403);
  CAF_CHECK_EQUAL(f.get("/api-keys/unknown").status(), 404);
  f.token = kim;
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", key), 200);
  CAF_CHECK_EQUAL(f.ask("DELETE", "/api-keys/" + id).at("/data/api_key/is_active"), false);
  CAF_CHECK_EQUAL(f.status("GET", "/cep/rules", key), 401);
  CAF_CHECK_EQUAL(f.get("/api-keys").at("/data/total"), 0);
  CAF_CHECK_EQUAL(f.get("/api-keys?include_inactive=true").at("/data/total"), 1);
  CAF_CHECK_EQUAL(f.ask("POST", "/api-keys", json{{"name", "k"}, {"scope", {"cep:read", "moon:walk"}}}).pointer(),
                  "/scope/1");
  CAF_CHECK_EQUAL(f.ask("POST", "/api-keys", json{{"name", "k"}, {"expires_at", "2001-01-01T00:00:00Z"}}).pointer(),
                  "/expires_at");
}

CAF_TEST(every change leaves an audit row with its trace) {
  rights_fixture f;
  const auto made = f.ask("POST", "/admin/users", json{{"username", "amy"}, {"password", "password1"}},
                          {{"x-parent-trace-id", "0af7651916cd43dd8448eb211c80319c"}});
  const auto by_trace = f.get("/audit-log/by-trace/" + made.header("X-Trace-ID"));
  CAF_CHECK_EQUAL(by_trace.at("/data/count"), 1);
  CAF_CHECK_EQUAL(by_trace.at("/data/audit_logs/0/action"), "create");
  CAF_CHECK_EQUAL(by_trace.at("/data/audit_logs/0/actor_name"), "admin");
  CAF_CHECK_EQUAL(by_trace.at("/data/audit_logs/0/new_values/username"), "amy");
  CAF_CHECK(by_trace.answer.body.find("password1") == std::string::npos);
  CAF_CHECK_EQUAL(f.get("/audit-log/by-parent-trace/0af7651916cd43dd8448eb211c80319c").at("/data/count"), 1);
  CAF_CHECK_EQUAL(f.get("/audit-log/by-trace/4bf92f3577b34da6a3ce929d0e0e4736").status(), 404);
  const auto page = f.get("/audit-log?limit=1");
  CAF_CHECK_EQUAL(page.at("/data/paging/returned"), 1);
  const std::string cursor = page.at("/metadata/next_cursor");
  const auto next = f.get("/audit-log?limit=1&cursor=" + cursor);
  CAF_CHECK(next.at("/data/audit_logs/0/audit_id") != page.at("/data/audit_logs/0/audit_id"));
  CAF_CHECK_EQUAL(f.get("/audit-log?resource_type=user&limit=500").at("/data/audit_logs").size(),
                  2u); // she and the first one
}

CAF_TEST(users are administered by administrators of their tenant) {
  rights_fixture f;
  const auto id = f.add_user("amy", "viewer");
  CAF_CHECK_EQUAL(f.ask("POST", "/admin/users", json{{"username", "amy"}, {"password", "password1"}}).error(),
                  "CONFLICT");
  CAF_CHECK_EQUAL(f.ask("POST", "/admin/users", json{{"username", "b"}, {"password", "short"}}).pointer(), "/password");
  CAF_CHECK_EQUAL(
      f.ask("POST", "/admin/users", json{{"username", "b"}, {"password", "password1"}, {"role", "system"}}).pointer(),
      "/role");
  CAF_CHECK_EQUAL(
      f.ask("POST", "/admin/users", json{{"username", "b"}, {"password", "password1"}, {"tenant_id", "A B"}}).pointer(),
      "/tenant_id");
  CAF_CHECK_EQUAL(f.get("/admin/users?search=AM").at("/data/users/0/user_id"), id);
  CAF_CHECK_EQUAL(f.get("/admin/users").at("/data/total"), 2);
  const std::string self = f.get("/auth/me").at("/data/user/id");
  CAF_CHECK_EQUAL(f.ask("PATCH", "/admin/users/" + self + "/status", json{{"is_active", false}}).status(), 422);
  CAF_CHECK_EQUAL(f.ask("PATCH", "/admin/users/" + self + "/role", json{{"role", "viewer"}}).status(), 422);
}

CAF_TEST(a limit per identity holds for each one by itself) {
  edge_fixture f;
  f.options.rate_per_identity = 2;
  f.options.rate_burst = 1s;
  f.start();
  f.sign_in();
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 200);
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 200);
  CAF_CHECK_EQUAL(f.get("/auth/me").status(), 429);
  CAF_CHECK_EQUAL(f.get("/hello").status(), 200);
}
