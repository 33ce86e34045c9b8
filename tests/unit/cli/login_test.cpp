#define CAF_SUITE login

#include "fake_node.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <sys/stat.h>

using namespace tobit;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

/// A node that knows admin/right and accepts the token `fresh`.
result<outbound::http_response> guarded_node(const outbound::http_request& request) {
  if (contains(request.url, "/auth/login")) {
    if (json::parse(request.body).at("password") != "right")
      return refusal(401, "UNAUTHENTICATED", "Wrong name or password.");
    return success({{"access_token", "fresh"}, {"refresh_token", "again"}, {"token_type", "bearer"}});
  }
  if (contains(request.url, "/auth/refresh")) {
    if (json::parse(request.body).at("refresh_token") != "again")
      return refusal(401, "UNAUTHENTICATED", "Sign in again.");
    return success({{"access_token", "fresh"}, {"refresh_token", "again2"}});
  }
  const auto header = sent_header(request, "Authorization");
  if (header != "Bearer fresh" && sent_header(request, "X-API-Key") != "sk_good")
    return refusal(401, "UNAUTHENTICATED", "Sign in.");
  return success({{"rules", json::array()}});
}

} // namespace

CAF_TEST(a login is remembered for this address in a file for oneself only) {
  fake_shell shell;
  shell.node = guarded_node;
  shell.password = "right";
  CAF_CHECK_EQUAL(shell.run({"login", "--user", "admin", "--url", "http://10.0.0.1:8000/"}), 0);
  CAF_CHECK_EQUAL(shell.allowed.at(0), "10.0.0.1:8000");
  struct stat facts {};
  CAF_REQUIRE_EQUAL(::stat((shell.home + "/tokens.json").c_str(), &facts), 0);
  CAF_CHECK_EQUAL(facts.st_mode & 0777, 0600u);
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--url", "http://10.0.0.1:8000"}), 0);
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--url", "http://10.0.0.2:8000"}), 1);
  CAF_CHECK_EQUAL(sent_header(shell.requests.back(), "Authorization"), "");
  CAF_CHECK(contains(shell.err, "tobit login"));
  CAF_CHECK_EQUAL(shell.run({"logout", "--url", "http://10.0.0.1:8000"}), 0);
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--url", "http://10.0.0.1:8000"}), 1);
}

CAF_TEST(a login that ran out is renewed once) {
  fake_shell shell;
  shell.node = guarded_node;
  std::ofstream(shell.home + "/tokens.json")
      << R"({"http://127.0.0.1:8000":{"user":"admin","access_token":"stale","refresh_token":"again"}})";
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 0);
  CAF_CHECK_EQUAL(shell.requests.size(), 3u);
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 0);
  CAF_CHECK_EQUAL(shell.requests.size(), 4u);
}

CAF_TEST(user and password sign in by themselves and a wrong one is refused) {
  fake_shell shell;
  shell.node = guarded_node;
  shell.environment.emplace_back("TOBIT_USER", "admin");
  shell.environment.emplace_back("TOBIT_PASSWORD", "right");
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 0);
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--user", "kim", "--password", "wrong"}), 1);
  CAF_CHECK(contains(shell.err, "Wrong name or password."));
  shell.environment.pop_back();
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--user", "kim"}), 2);
  CAF_CHECK(contains(shell.err, "password of kim is missing"));
}

CAF_TEST(flags go before variables and keys travel in their own header) {
  fake_shell shell;
  shell.node = guarded_node;
  shell.environment.emplace_back("TOBIT_TOKEN", "stale");
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 1);
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--api-key", "sk_good"}), 0);
  CAF_CHECK_EQUAL(sent_header(shell.requests.back(), "X-API-Key"), "sk_good");
  CAF_CHECK_EQUAL(sent_header(shell.requests.back(), "Authorization"), "");
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--token", "fresh"}), 0);
}

CAF_TEST(the node on this machine is found by its ready file) {
  fake_shell shell;
  shell.node = [](const auto&) { return success({{"rules", json::array()}}); };
  std::ofstream(shell.home + "/ready") << "ready http://127.0.0.1:43211\n";
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 0);
  CAF_CHECK_EQUAL(shell.requests.back().url.substr(0, 32), "http://127.0.0.1:43211/cep/rules");
  shell.environment.emplace_back("TOBIT_URL", "https://ops.example");
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 0);
  CAF_CHECK_EQUAL(shell.allowed.at(0), "ops.example:443");
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--url", "ftp://x"}), 2);
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--timeout", "soon"}), 2);
}

CAF_TEST(no connection and no node are told apart from a refusal) {
  fake_shell shell;
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 3);
  CAF_CHECK(contains(shell.err, "No answer from http://127.0.0.1:8000"));
  shell.node = [](const auto&) {
    outbound::http_response page;
    page.status = 200;
    page.body = "<html>It works!</html>";
    return page;
  };
  CAF_CHECK_EQUAL(shell.run({"rule", "list"}), 3);
  CAF_CHECK(contains(shell.err, "not as a Tobit node does"));
  shell.node = [](const auto&) { return refusal(403, "AUTHORIZATION_ERROR", "Your role does not permit this."); };
  CAF_CHECK_EQUAL(shell.run({"rule", "list", "--json"}), 1);
  CAF_CHECK_EQUAL(parsed(shell.err).at("error"), "AUTHORIZATION_ERROR");
}
