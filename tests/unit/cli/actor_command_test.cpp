#define CAF_SUITE actor_command

#include "fake_node.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

CAF_TEST(the list passes filters on and prints a table) {
  fake_shell shell;
  shell.node = [](const auto&) {
    return success(
        {{"actors",
          json::array(
              {{{"kind", "rule"}, {"key", "k1"}, {"name", "cpu"}, {"status", "quarantined"}, {"restarts", 6}}})}},
        {{"next_cursor", "abc"}});
  };
  CAF_CHECK_EQUAL(shell.run({"actors", "list", "--kind", "rule", "--status", "quarantined", "--search", "a b"}), 0);
  CAF_CHECK(contains(shell.requests.back().url, "/actors?limit=100&kind=rule&status=quarantined&"));
  CAF_CHECK(contains(shell.requests.back().url, "=a%20b"));
  CAF_CHECK(contains(shell.out, "rule  k1   quarantined"));
  CAF_CHECK(contains(shell.err, "There are more"));
}

CAF_TEST(one actor is shown as an outline that cannot drive the terminal) {
  fake_shell shell;
  shell.node = [](const auto&) {
    const json actor{
        {"kind", "rule"}, {"key", "a/b"}, {"last_error", "bad\x1b[31m\nline"}, {"state", {{"window", {1, 2}}}}};
    return success({{"actor", actor}, {"restart_history", json::array({{{"error", "it broke"}}})}});
  };
  CAF_CHECK_EQUAL(shell.run({"actors", "inspect", "rule", "a/b"}), 0);
  CAF_CHECK(contains(shell.requests.back().url, "/actors/rule/a%2Fb"));
  CAF_CHECK(contains(shell.out, "state:\n  window:\n    - 1\n    - 2\n"));
  CAF_CHECK(contains(shell.out, "restart_history:\n  -\n    error: it broke\n"));
  CAF_CHECK(contains(shell.out, "last_error: bad [31m line\n"));
}

CAF_TEST(orders are posted with their reason) {
  fake_shell shell;
  shell.node = [](const auto&) { return success(nullptr); };
  for (auto action : {"restart", "stop", "revive", "reload", "quarantine"}) {
    CAF_CHECK_EQUAL(shell.run({"actors", action, "rule", "k1", "--reason", "hangs"}), 0);
    CAF_CHECK_EQUAL(shell.requests.back().method, "POST");
    CAF_CHECK(contains(shell.requests.back().url, std::string("/actors/rule/k1/") + action));
    CAF_CHECK_EQUAL(parsed(shell.requests.back().body).at("reason"), "hangs");
  }
  shell.node = [](const auto&) { return refusal(404, "NOT_FOUND", "No such entity."); };
  CAF_CHECK_EQUAL(shell.run({"actors", "revive", "rule", "k1"}), 1);
}
