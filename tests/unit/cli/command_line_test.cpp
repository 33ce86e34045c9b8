#define CAF_SUITE command_line

#include "fake_node.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>

using namespace tobit;
using config::setting;

namespace {

bool contains(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

} // namespace

CAF_TEST(help reads well and ends with 0) {
  fake_shell shell;
  CAF_CHECK_EQUAL(shell.run({"--help"}), 0);
  for (auto word : {"serve", "config", "rule", "event", "actors", "Examples:", "Exit codes:"})
    CAF_CHECK(contains(shell.out, word));
  for (const auto& command : std::vector<std::vector<std::string>>{{"serve"},
                                                                   {"config"},
                                                                   {"config", "list"},
                                                                   {"config", "check"},
                                                                   {"rule"},
                                                                   {"rule", "list"},
                                                                   {"rule", "get"},
                                                                   {"rule", "apply"},
                                                                   {"rule", "delete"},
                                                                   {"event", "send"},
                                                                   {"actors", "list"},
                                                                   {"actors", "inspect"},
                                                                   {"actors", "revive"},
                                                                   {"login"}}) {
    auto arguments = command;
    arguments.push_back("--help");
    CAF_CHECK_EQUAL(shell.run(arguments), 0);
    CAF_CHECK(contains(shell.out, "Usage: tobit " + command.front()));
  }
  CAF_CHECK_EQUAL(shell.run({"--version"}), 0);
  CAF_CHECK(contains(shell.out, "tobit 0."));
  CAF_CHECK(shell.requests.empty());
}

CAF_TEST(a typo is answered with what was probably meant) {
  fake_shell shell;
  CAF_CHECK_EQUAL(shell.run({"rul", "list"}), 2);
  CAF_CHECK(contains(shell.err, "'rul' is not known to `tobit`. Did you mean 'rule'?"));
  CAF_CHECK_EQUAL(shell.run({"rule", "aply"}), 2);
  CAF_CHECK(contains(shell.err, "Did you mean 'apply'?"));
  CAF_CHECK_EQUAL(shell.run({"serve", "--http-adress", "x"}), 2);
  CAF_CHECK(contains(shell.err, "Did you mean '--http-address'?"));
  CAF_CHECK_EQUAL(shell.run({}), 2);
  CAF_CHECK_EQUAL(shell.run({"rule", "get"}), 2);
  CAF_CHECK(contains(shell.err, "tobit rule get --help"));
}

CAF_TEST(serve hands the settings of flags and environment on) {
  fake_shell shell;
  shell.environment.emplace_back("TOBIT_LOG_LEVEL", "debug");
  CAF_CHECK_EQUAL(shell.run({"serve", "--data-dir", "/d", "--http-address=0.0.0.0:0", "--load-examples", "true",
                             "--outbound-allow", "10.0.0.0/8", "--outbound-allow", "a.example,b.example"}),
                  0);
  CAF_REQUIRE_EQUAL(shell.served.size(), 1u);
  const auto& s = shell.served.front();
  CAF_CHECK_EQUAL(s.text(setting::data_dir), "/d");
  CAF_CHECK_EQUAL(s.text(setting::http_address), "0.0.0.0:0");
  CAF_CHECK(s.boolean(setting::load_examples));
  CAF_CHECK_EQUAL(s.list(setting::outbound_allow).size(), 3u);
  CAF_CHECK_EQUAL(s.text(setting::log_level), "debug");
}

CAF_TEST(a wrong configuration ends with 2 before anything starts) {
  fake_shell shell;
  CAF_CHECK_EQUAL(shell.run({"serve", "--http-address", "nowhere", "--log-level", "loud"}), 2);
  CAF_CHECK(contains(shell.err, "2 problems"));
  CAF_CHECK(contains(shell.err, "--http-address: http.address: 'nowhere'"));
  CAF_CHECK(contains(shell.err, "debug, info, warning or error"));
  CAF_CHECK_EQUAL(shell.run({"serve", "--config", "/does/not/exist"}), 2);
  CAF_CHECK(contains(shell.err, "/does/not/exist: cannot be read"));
  CAF_CHECK(shell.served.empty());
}

CAF_TEST(config list shows values with their source and masks secrets) {
  fake_shell shell;
  shell.environment.emplace_back("TOBIT_ADMIN_PASSWORD", "hunter2");
  CAF_CHECK_EQUAL(shell.run({"config", "list", "--log-level", "error"}), 0);
  CAF_CHECK(contains(shell.out, "TOBIT_LOG_LEVEL"));
  CAF_CHECK(!contains(shell.out, "hunter2"));
  CAF_CHECK_EQUAL(shell.run({"config", "list", "--json", "--log-level", "error"}), 0);
  const auto rows = json::parse(shell.out).at("settings");
  for (const auto& row : rows) {
    if (row.at("key") == "log.level") CAF_CHECK(row.at("value") == "error" && row.at("source") == "flag");
    if (row.at("key") == "admin.password") CAF_CHECK(row.at("value") == "***" && row.at("source") == "env");
  }
}

CAF_TEST(config check finds every mistake of a file) {
  fake_shell shell;
  const auto file = shell.home + "/t.yaml";
  std::ofstream(file) << "http:\n  adress: x\n  workers: 0\n";
  CAF_CHECK_EQUAL(shell.run({"config", "check", file}), 2);
  CAF_CHECK(contains(shell.err, file + ":2:3"));
  CAF_CHECK(contains(shell.err, file + ":3:12"));
  CAF_CHECK_EQUAL(shell.run({"config", "check", "--json", file}), 2);
  CAF_CHECK_EQUAL(parsed(shell.err).at("problems").size(), 2u);
  std::ofstream(file) << "http:\n  workers: 2\n";
  CAF_CHECK_EQUAL(shell.run({"config", "check", file}), 0);
  CAF_CHECK(contains(shell.out, "fine, 1 setting"));
}

CAF_TEST(config reference prints the page) {
  fake_shell shell;
  CAF_CHECK_EQUAL(shell.run({"config", "reference"}), 0);
  CAF_CHECK(contains(shell.out, "### `http.address`"));
}
