#define CAF_SUITE promotion

#include "runtime/storage/migration.hpp"
#include "runtime/storage/postgres_session.hpp"
#include "runtime/storage/promotion.hpp"
#include "tests/support/killed_process.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

#include <fstream>
#include <limits>
#include <sstream>

using namespace tobit;
using namespace tobit::storage;
using testing::database_kind;
using testing::scratch_database;

namespace {

statement sql(std::string_view text, std::vector<value> params = {}) {
  statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

void write(database& to, std::vector<statement> statements) {
  auto done = to.write_and_wait({std::move(statements), 0}, std::chrono::seconds{60});
  if (!done) CAF_FAIL("the test's own rows were refused");
}

constexpr std::int64_t smallest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t largest = std::numeric_limits<std::int64_t>::max();

std::string all_bytes(std::size_t count) {
  std::string raw;
  for (std::size_t i = 0; i < count; ++i) raw.push_back(static_cast<char>(i * 7));
  return raw;
}

/// A store with `count` spans and one of everything that could go wrong.
void fill(database& to, std::int64_t count) {
  std::vector<statement> unit;
  for (std::int64_t i = 0; i < count; ++i) {
    unit.push_back(
        sql("INSERT INTO span (trace_id, span_id, parent_span_id, tenant, name, node, started_at, duration_us,"
            " status, attributes) VALUES ($1, $2, '', 'default', '규칙 ''a''', 'local', $3, $4, 'ok', '{}')",
            {"t" + std::to_string(i / 7), "s" + std::to_string(i), i, i % 2 == 0 ? largest : smallest}));
    if (unit.size() == 500) write(to, std::exchange(unit, {}));
  }
  for (std::int64_t i = 0; i < 20; ++i)
    unit.push_back(
        sql("INSERT INTO event_batch (log_partition, first_offset, count, tenant, received_at, body, id_hashes,"
            " context) VALUES (0, $1, 1, 'default', 1, $2, $3, '')",
            {i, bytes{all_bytes(static_cast<std::size_t>(i) * 60'000)}, bytes{""}}));
  for (const auto* key : {"", "line\nbreak\ttab", "\\x00 \\ %s", "日本語 😀"})
    unit.push_back(
        sql("INSERT INTO entity (kind, tenant, entity_key, shard, version, created_at, created_by, updated_at,"
            " last_error) VALUES ('rule', 'default', $1, 3, 1, 1, 'x', 1, $2)",
            {std::string{key}, value{}}));
  unit.push_back(sql("UPDATE entity SET last_error = '' WHERE entity_key = ''"));
  unit.push_back(sql("INSERT INTO entity_snapshot (kind, tenant, entity_key, state) VALUES ('rule', 'default', '', $1)",
                     {bytes{all_bytes(600)}}));
  unit.push_back(sql("INSERT INTO restart_history (kind, tenant, entity_key, at, outcome, error, message_name,"
                     " message_body, trace_id) VALUES ('a', 'b', 'c', 1, 'x', 'y', 'z', '{}', '')"));
  unit.push_back(unit.back()); // a table without a key: the same row twice
  unit.push_back(sql("INSERT INTO shard (id, owner, epoch) VALUES (7, 'local', 12)"));
  unit.push_back(sql("INSERT INTO cluster_value (name, value) VALUES ('shard_count', '256')"));
  unit.push_back(sql("UPDATE cluster_state SET version = 99"));
  write(to, std::move(unit));
}

struct stores {
  scratch_database from{database_kind::sqlite}, to{database_kind::postgresql};

  explicit stores(std::int64_t rows) {
    fill(*from, rows);
    from.close();
    to.close();
  }
  result<promotion_report> run() {
    return promote(from.url(), to.url(), [](const auto&) {});
  }
  std::int64_t count(std::string_view text) {
    auto found = to->read_and_wait(sql(text));
    CAF_REQUIRE(found.has_value());
    return as_int((*found)[0][0]);
  }
};

std::string contents(const std::string& file) {
  std::ostringstream all;
  all << std::ifstream{file, std::ios::binary}.rdbuf();
  return all.str();
}

bool says(const result<promotion_report>& refused, std::string_view part) {
  CAF_REQUIRE(!refused.has_value());
  CAF_MESSAGE(std::string{refused.error().text()});
  return refused.error().code == error_code::configuration_error &&
         refused.error().text().find(part) != std::string::npos;
}

} // namespace

CAF_TEST(a store moves to PostgreSQL with every row and value and stays as it was) {
  stores both{6'000};
  const auto before = contents(both.from.url());
  std::size_t copied = 0, total = 0, compared = 0;
  const auto done = promote(both.from.url(), both.to.url(), [&](const promotion_progress& now) {
    auto& at = now.now == promotion_progress::phase::copying ? copied : compared;
    CAF_CHECK(now.done >= at && now.done <= now.total);
    at = now.done;
    total = now.total;
  });
  if (!done) CAF_MESSAGE(std::string{done.error().text()});
  CAF_REQUIRE(done.has_value());
  CAF_CHECK_EQUAL(compared, total);
  CAF_CHECK_EQUAL(copied, total);
  CAF_CHECK_EQUAL(done->rows, copied);
  CAF_CHECK_EQUAL(done->rows_before, 0u);
  CAF_CHECK(contents(both.from.url()) == before);
  both.to.reopen(); // a node would start there
  CAF_CHECK_EQUAL(both.count("SELECT count(*) FROM span WHERE duration_us IN (9223372036854775807,"
                             " -9223372036854775808)"),
                  6'000);
  CAF_CHECK_EQUAL(both.count("SELECT count(*) FROM entity WHERE last_error IS NULL"), 3);
  CAF_CHECK_EQUAL(both.count("SELECT count(*) FROM restart_history"), 2);
  CAF_CHECK_EQUAL(both.count("SELECT version FROM cluster_state"), 99);
  auto batch = both.to->read_and_wait(sql("SELECT body FROM event_batch WHERE first_offset = 19"));
  CAF_REQUIRE(batch.has_value());
  CAF_CHECK(std::get<bytes>((*batch)[0][0]).data == all_bytes(19 * 60'000));
  CAF_CHECK(says(both.run(), "is not empty"));
}

CAF_TEST(a promotion that is killed goes on where it stopped and no node starts in between) {
  stores both{5'000};
  for (std::size_t lines : {4u, 4u, 4u}) {
    const auto reported = testing::run_and_kill(lines, [&](int report_to) {
      (void)promote(both.from.url(), both.to.url(), [&](const promotion_progress&) {
        if (::write(report_to, "batch\n", 6) < 0) ::_exit(1);
        ::usleep(20'000);
      });
    });
    CAF_CHECK(reported.size() >= 6 * lines);
    const auto node = open_database(both.to.url());
    CAF_REQUIRE(!node.has_value());
    CAF_CHECK(node.error().text().find("tobit promote") != std::string::npos);
  }
  const auto done = both.run();
  CAF_REQUIRE(done.has_value());
  CAF_CHECK(done->rows_before > 1'000u);
  CAF_MESSAGE(done->rows_before << " of " << done->rows << " rows were there");
  both.to.reopen();
  CAF_CHECK_EQUAL(both.count("SELECT count(*) FROM span"), 5'000);
}

CAF_TEST(a copy that is not like its source is noticed) {
  stores both{100};
  both.to.reopen();
  // What a faulty disk or a foreign program might do between copying and comparing.
  write(*both.to, {sql("CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS"
                       " 'BEGIN NEW.duration_us := 1; RETURN NEW; END'"),
                   sql("CREATE TRIGGER spoil BEFORE INSERT ON span FOR EACH ROW WHEN (NEW.span_id = 's42')"
                       " EXECUTE FUNCTION spoil()")});
  both.to.close();
  const auto done = both.run();
  CAF_REQUIRE(!done.has_value());
  CAF_CHECK(done.error().code == error_code::conflict);
  CAF_CHECK(done.error().text().find("the table span is not like the source") != std::string::npos);
  CAF_CHECK(!open_database(both.to.url()).has_value());
}

CAF_TEST(a promotion refuses what would go wrong and says what to do) {
  stores both{10};
  CAF_CHECK(says(promote(both.from.url() + ".gone", both.to.url(), [](const auto&) {}), "There is no SQLite store"));
  CAF_CHECK(says(promote(both.from.url(), "postgresql://tobit:secret@127.0.0.1:1/none", [](const auto&) {}),
                 "check that the server runs"));
  both.from.reopen();
  CAF_CHECK(says(both.run(), "Another node already uses this data folder"));
  write(*both.from, {sql("DELETE FROM migration WHERE name = '0008_cluster'")});
  both.from.close();
  CAF_CHECK(says(both.run(), "another release"));
  stores other{10};
  other.to.reopen();
  write(*other.to, {sql("INSERT INTO cluster_value (name, value) VALUES ('cluster_id', 'c-1')")});
  other.to.close();
  CAF_CHECK(says(other.run(), "cluster_value has rows"));
}

CAF_TEST(a copy that was begun from one store is not finished from another) {
  stores one{2'000}, two{10};
  testing::run_and_kill(1, [&](int report_to) {
    (void)promote(one.from.url(), one.to.url(), [&](const promotion_progress&) {
      if (::write(report_to, "batch\n", 6) < 0) ::_exit(1);
      ::usleep(50'000);
    });
  });
  CAF_CHECK(says(promote(two.from.url(), one.to.url(), [](const auto&) {}), "A copy from"));
}
