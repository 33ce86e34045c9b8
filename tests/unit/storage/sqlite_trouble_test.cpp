#define CAF_SUITE sqlite_trouble

#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>
#include <sqlite3.h>

#include <fstream>
#include <sys/stat.h>

using namespace tobit;
using namespace tobit::storage;

namespace {

struct fixture {
  testing::scratch_database db;

  static statement sql(std::string_view text, std::vector<value> params = {}) {
    statement s;
    s.sql = text;
    s.params = std::move(params);
    return s;
  }
  static unit_of_work put(const std::string& name, std::string text = "x") {
    return {{sql("INSERT INTO cluster_value (name, value) VALUES ($1, $2)", {name, std::move(text)})}, 0};
  }
  static bool says(const error& e, std::string_view words) { return e.text().find(words) != std::string_view::npos; }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(sqlite_trouble_tests, fixture)

CAF_TEST(a second node on the same folder is refused with a sentence) {
  auto second = open_sqlite(db.url());
  CAF_REQUIRE(!second);
  CAF_CHECK_EQUAL(second.error().code, error_code::configuration_error);
  CAF_CHECK(says(second.error(), "Another node already uses this data folder"));
  db.close();
  CAF_CHECK(open_sqlite(db.url()).has_value());
}

CAF_TEST(a full disk is told as such and forgotten once there is space) {
  auto pages = db->write_and_wait({{sql("PRAGMA page_count")}, 0});
  CAF_REQUIRE(pages);
  CAF_REQUIRE(db->write_and_wait({{sql("PRAGMA max_page_count = 60")}, 0}));
  error last;
  for (int i = 0; i < 60 && last.message.empty() && last.code != error_code::storage_full; ++i) {
    auto outcome = db->write_and_wait(put("k" + std::to_string(i), std::string(16'000, 'x')));
    if (!outcome) last = outcome.error();
  }
  CAF_CHECK_EQUAL(last.code, error_code::storage_full);
  CAF_CHECK(!db->status().usable);
  CAF_CHECK(!db->status().last_error.empty());
  CAF_CHECK(db->read_and_wait(sql("SELECT count(*) FROM cluster_value")));
  CAF_REQUIRE(db->write_and_wait({{sql("PRAGMA max_page_count = 100000")}, 0}));
  CAF_CHECK(db->write_and_wait(put("after", std::string(100'000, 'x'))));
  CAF_CHECK(db->status().usable);
}

CAF_TEST(a lock held by another program fails with a sentence and passes) {
  db.close();
  database_options options;
  options.busy_timeout = std::chrono::milliseconds{20};
  auto opened = open_sqlite(db.url(), options);
  CAF_REQUIRE(opened);
  sqlite3* other = nullptr;
  CAF_REQUIRE_EQUAL(sqlite3_open(db.url().c_str(), &other), SQLITE_OK);
  CAF_REQUIRE_EQUAL(sqlite3_exec(other, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr), SQLITE_OK);
  auto refused = (*opened)->write_and_wait(put("a"));
  CAF_REQUIRE(!refused);
  CAF_CHECK_EQUAL(refused.error().code, error_code::database_error);
  CAF_CHECK(says(refused.error(), "Another program holds the lock"));
  CAF_CHECK((*opened)->read_and_wait(sql("SELECT count(*) FROM cluster_value")));
  sqlite3_exec(other, "COMMIT", nullptr, nullptr, nullptr);
  CAF_CHECK((*opened)->write_and_wait(put("a")));
  sqlite3_close(other);
}

CAF_TEST(a file that is no database is refused with a sentence and left as it is) {
  const auto path = (db.folder() / "notes.txt").string();
  const std::string text = "These are my notes, not a database. " + std::string(5'000, 'x');
  std::ofstream{path} << text;
  auto opened = open_sqlite(path);
  CAF_REQUIRE(!opened);
  CAF_CHECK_EQUAL(opened.error().code, error_code::configuration_error);
  CAF_CHECK(says(opened.error(), "is not an SQLite database"));
  std::ifstream again{path};
  CAF_CHECK_EQUAL(std::string(std::istreambuf_iterator<char>{again}, {}), text);
}

CAF_TEST(a damaged database is an error with a sentence and not the end of the process) {
  for (int i = 0; i < 50; ++i) CAF_REQUIRE(db->write_and_wait(put("k" + std::to_string(i), std::string(4'000, 'x'))));
  db.close();
  {
    std::fstream file{db.url(), std::ios::in | std::ios::out | std::ios::binary};
    for (int page = 1; page < 40; ++page) file.seekp(page * 4'096), file << std::string(512, '\xee');
  }
  auto opened = open_sqlite(db.url());
  if (!opened) {
    CAF_CHECK_EQUAL(opened.error().code, error_code::configuration_error);
    CAF_CHECK(says(opened.error(), "restore"));
    return;
  }
  auto found = (*opened)->read_and_wait(sql("SELECT name, value FROM cluster_value"));
  CAF_REQUIRE(!found);
  CAF_CHECK_EQUAL(found.error().code, error_code::database_error);
  CAF_CHECK(says(found.error(), "damaged"));
}

CAF_TEST(a folder that does not exist is refused with a sentence) {
  auto opened = open_sqlite((db.folder() / "nowhere" / "tobit.db").string());
  CAF_REQUIRE(!opened);
  CAF_CHECK_EQUAL(opened.error().code, error_code::configuration_error);
  CAF_CHECK(says(opened.error(), "check that the folder exists"));
}

CAF_TEST(a statement that takes too long is ended) {
  db.close();
  database_options options;
  options.statement_timeout = std::chrono::milliseconds{30};
  auto opened = open_sqlite(db.url(), options);
  CAF_REQUIRE(opened);
  auto endless = (*opened)->read_and_wait(
      sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"));
  CAF_REQUIRE(!endless);
  CAF_CHECK_EQUAL(endless.error().code, error_code::deadline_exceeded);
  CAF_CHECK((*opened)->read_and_wait(sql("SELECT 1")));
}

CAF_TEST(the reserved log does not disturb what is in it) {
  db.close();
  database_options options;
  options.wal_reserve_bytes = 1u << 20;
  for (int round = 0; round < 3; ++round) {
    auto opened = open_sqlite(db.url(), options);
    CAF_REQUIRE(opened);
    CAF_CHECK((*opened)->write_and_wait(put("k" + std::to_string(round))));
    auto found = (*opened)->read_and_wait(sql("SELECT count(*) FROM cluster_value"));
    CAF_REQUIRE(found);
    CAF_CHECK_EQUAL(as_int((*found)[0][0]), round + 1);
    struct stat log {};
    CAF_REQUIRE_EQUAL(::stat((db.url() + "-wal").c_str(), &log), 0);
    CAF_CHECK(log.st_size >= 1 << 20);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
