#pragma once

// What is left after `kill -9`. Included once for each adapter, with CAF_SUITE and TOBIT_TESTED_KIND defined.

#include "tests/support/killed_process.hpp"

#include <caf/test/unit_test.hpp>

#include <set>
#include <sstream>
#include <thread>

using namespace tobit;
using namespace tobit::storage;

namespace {

statement sql(std::string_view text, std::vector<value> params = {}) {
  statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

/// Writes pairs of rows as fast as it can and reports each name after its acknowledgement.
void write_pairs(const std::string& url, const std::string& prefix, int report_to) {
  auto opened = open_database(url);
  if (!opened) return;
  for (std::uint64_t n = 0; n < 1'000'000; ++n) {
    const auto name = prefix + std::to_string(n);
    unit_of_work pair;
    pair.lane = n;
    pair.statements.push_back(sql("INSERT INTO cluster_value (name, value) VALUES ($1, 'a')", {name + ".a"}));
    pair.statements.push_back(sql("INSERT INTO cluster_value (name, value) VALUES ($1, 'b')", {name + ".b"}));
    (*opened)->write(std::move(pair), [name, report_to](const result<write_outcome>& outcome) {
      const auto line = name + "\n";
      if (outcome && ::write(report_to, line.data(), line.size()) < 0) ::_exit(1);
    });
    while ((*opened)->status().writes_queued > 500) std::this_thread::yield();
  }
}

} // namespace

CAF_TEST(everything acknowledged is there after kill 9 and nothing is there by half) {
  testing::scratch_database db{TOBIT_TESTED_KIND};
  db.close();
  std::size_t acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    const auto prefix = "r" + std::to_string(round) + ".";
    const auto report = testing::run_and_kill(300u + 177u * static_cast<unsigned>(round),
                                              [&](int report_to) { write_pairs(db.url(), prefix, report_to); });
    db.reopen();
    auto found = db->read_and_wait(sql("SELECT name FROM cluster_value"));
    CAF_REQUIRE(found);
    std::set<std::string> names;
    for (const auto& row : found->values) names.insert(as_text(row[0]));
    std::size_t missing = 0, halves = 0;
    std::istringstream lines{report};
    for (std::string name; std::getline(lines, name);) {
      ++acknowledged;
      missing += names.contains(name + ".a") && names.contains(name + ".b") ? 0 : 1;
    }
    for (const auto& name : names) {
      const auto stem = name.substr(0, name.size() - 1);
      halves += names.contains(stem + "a") && names.contains(stem + "b") ? 0 : 1;
    }
    CAF_CHECK_EQUAL(missing, 0u);
    CAF_CHECK_EQUAL(halves, 0u);
    db.close();
  }
  CAF_CHECK(acknowledged >= 1'500u);
}
