#define CAF_SUITE alert_command

#include "fake_node.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

CAF_TEST(live alerts are listed as a table and an empty list says so) {
  fake_shell shell;
  json alert{{"alert_id", "a1"},
             {"status", "firing"},
             {"severity", "high"},
             {"flapping", true},
             {"started_at", "2026-11-20T09:00:00.000000Z"},
             {"silenced_by", "s1"},
             {"summary", "cpu\x1b[31m is hot"}};
  shell.node = [&](const auto&) { return success({{"alerts", json::array({alert})}}); };
  CAF_CHECK_EQUAL(shell.run({"alert", "list", "--label", "host=db-1"}), 0);
  CAF_CHECK(contains(shell.requests.back().url, "status=live&label=host%3Ddb-1"));
  CAF_CHECK(contains(shell.out, "firing ~"));
  CAF_CHECK(contains(shell.out, "silenced"));
  CAF_CHECK(!contains(shell.out, "\x1b"));
  shell.node = [](const auto&) { return success({{"alerts", json::array()}}); };
  CAF_CHECK_EQUAL(shell.run({"alert", "list"}), 0);
  CAF_CHECK(contains(shell.err, "No live alerts"));
  CAF_CHECK(shell.run({"alert", "list", "--status", "loud"}) != 0);
}

CAF_TEST(each alert is acknowledged and an unknown one fails the command) {
  fake_shell shell;
  shell.node = [](const auto& request) -> result<outbound::http_response> {
    if (contains(request.url, "/a2/")) return refusal(404, "NOT_FOUND", "There is no live alert with this id.");
    return success({{"alert", {{"alert_id", "a1"}, {"summary", "hot"}}}, {"changed", true}});
  };
  CAF_CHECK_EQUAL(shell.run({"alert", "ack", "a1", "a2", "--comment", "on it"}), 1);
  CAF_CHECK_EQUAL(shell.requests.size(), 2u);
  CAF_CHECK_EQUAL(parsed(shell.requests.front().body).at("comment"), "on it");
  CAF_CHECK(contains(shell.out, "acknowledged  hot  a1"));
  CAF_CHECK(contains(shell.err, "no live alert"));
}

CAF_TEST(a silence needs a time that can be read) {
  fake_shell shell;
  shell.node = [](const auto&) {
    return success({{"silence", {{"silence_id", "s1"}, {"ends_at", "2026-11-20T11:00:00.000000Z"}}}, {"affected", 3}});
  };
  CAF_CHECK_EQUAL(shell.run({"alert", "silence", "host=db-1", "rule_name=~cpu.*", "--for", "2h"}), 0);
  const auto sent = parsed(shell.requests.back().body);
  CAF_CHECK(sent.at("duration_seconds") == 7'200);
  CAF_CHECK(sent.at("matchers") == json::array({"host=db-1", "rule_name=~cpu.*"}));
  CAF_CHECK(contains(shell.out, "it fits 3 live alerts"));
  for (auto lasts : {"ever", "h", "-1h", "12", "99999999999d"})
    CAF_CHECK(shell.run({"alert", "silence", "a=b", std::string("--for=") + lasts}) != 0);
}
