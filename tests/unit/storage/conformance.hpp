#pragma once

// The meaning of the `database` port. Included once for each adapter, with CAF_SUITE and TOBIT_TESTED_KIND defined.

#include <caf/test/unit_test.hpp>

#include <atomic>
#include <cmath>
#include <future>
#include <limits>
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

statement expecting(std::int64_t count, statement s, error_code mismatch = error_code::conflict) {
  s.expect_rows = count;
  s.mismatch = mismatch;
  return s;
}

unit_of_work unit(std::vector<statement> statements, std::uint64_t lane = 0) { return {std::move(statements), lane}; }

statement put(const std::string& name, const std::string& text) {
  return sql("INSERT INTO cluster_value (name, value) VALUES ($1, $2)", {name, text});
}

statement add_shard(std::int64_t id, std::int64_t epoch) {
  return sql("INSERT INTO shard (id, owner, epoch) VALUES ($1, 'n1', $2)", {id, epoch});
}

struct fixture {
  testing::scratch_database db{TOBIT_TESTED_KIND};

  std::int64_t count(std::string_view query, std::vector<value> params = {}) {
    auto found = db->read_and_wait(sql(query, std::move(params)));
    CAF_REQUIRE(found);
    return as_int((*found)[0][0]);
  }

  error_code code_of(const result<write_outcome>& outcome) { return outcome ? error_code{0} : outcome.error().code; }

  /// Blocks the (only) writing thread of lane 0 until the future it gives is set.
  std::shared_ptr<std::promise<void>> hold_lane() {
    auto release = std::make_shared<std::promise<void>>();
    auto held = std::make_shared<std::promise<void>>();
    db->write(unit({}), [release, held](const result<write_outcome>&) {
      held->set_value();
      release->get_future().wait();
    });
    held->get_future().wait();
    return release;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(conformance_tests, fixture)

CAF_TEST(values come back as they went in) {
  CAF_REQUIRE(db->write_and_wait(
      unit({sql("CREATE TABLE v (id {int} PRIMARY KEY, i {int}, d DOUBLE PRECISION, t TEXT, b {bytes})")})));
  const std::string raw("\x00\xff\x01\\x'\n", 7);
  const std::vector<std::vector<value>> samples{
      {std::int64_t{1}, std::numeric_limits<std::int64_t>::max(), 0.1, std::string("Grüße, 'quoted' \\ $1 {int}"),
       bytes{raw}},
      {std::int64_t{2}, std::numeric_limits<std::int64_t>::min(), -1e300, std::string(), bytes{}},
      {std::int64_t{3}, std::monostate{}, std::monostate{}, std::monostate{}, std::monostate{}},
      {std::int64_t{4}, std::int64_t{0}, std::numeric_limits<double>::infinity(), std::string("1"), bytes{"1"}},
  };
  for (const auto& row : samples)
    CAF_REQUIRE(db->write_and_wait(unit({sql("INSERT INTO v VALUES ($1, $2, $3, $4, $5)", row)})));
  auto found = db->read_and_wait(sql("SELECT id, i, d, t, b FROM v ORDER BY id"));
  CAF_REQUIRE(found);
  CAF_REQUIRE_EQUAL(found->size(), samples.size());
  for (std::size_t i = 0; i < samples.size(); ++i) CAF_CHECK((*found)[i] == samples[i]);
}

CAF_TEST(a NaN becomes nothing in both databases) {
  CAF_REQUIRE(db->write_and_wait(
      unit({sql("CREATE TABLE v (d DOUBLE PRECISION)"), sql("INSERT INTO v VALUES ($1)", {std::nan("")})})));
  auto found = db->read_and_wait(sql("SELECT d FROM v"));
  CAF_REQUIRE(found);
  CAF_CHECK(is_null((*found)[0][0]));
}

CAF_TEST(placeholders go by their number and may repeat) {
  CAF_REQUIRE(db->write_and_wait(
      unit({sql("INSERT INTO cluster_value (value, name) VALUES ($2, $1)", {std::string("a"), std::string("b")})})));
  auto found = db->read_and_wait(sql("SELECT value FROM cluster_value WHERE name = $1 OR (value = $2 AND name = $1)",
                                     {std::string("a"), std::string("b")}));
  CAF_REQUIRE(found);
  CAF_REQUIRE_EQUAL(found->size(), 1u);
  CAF_CHECK_EQUAL(as_text((*found)[0][0]), "b");
}

CAF_TEST(a unit takes effect whole or not at all) {
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(unit({put("a", "1"), put("b", "1"), put("a", "2")}))),
                  error_code::conflict);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 0);
}

CAF_TEST(expect_rows rolls the unit back with the statements own mismatch) {
  auto outcome = db->write_and_wait(
      unit({put("a", "1"),
            expecting(1, sql("UPDATE cluster_value SET value = 'x' WHERE name = 'nobody'"), error_code::fenced)}));
  CAF_CHECK_EQUAL(code_of(outcome), error_code::fenced);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 0);
  CAF_CHECK(db->write_and_wait(
      unit({put("a", "1"), expecting(1, sql("UPDATE cluster_value SET value = 'x' WHERE name = 'a'"))})));
}

CAF_TEST(expect_rows counts the rows that a select finds) {
  CAF_REQUIRE(db->write_and_wait(unit({add_shard(1, 7)})));
  const auto guarded = [](std::int64_t epoch, const char* name) {
    return unit(
        {expecting(1, sql("SELECT id FROM shard WHERE id = $1 AND epoch = $2 {for_share}", {std::int64_t{1}, epoch}),
                   error_code::fenced),
         put(name, "written")});
  };
  CAF_CHECK(db->write_and_wait(guarded(7, "good")));
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(guarded(6, "stale"))), error_code::fenced);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 1);
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(unit({expecting(0, sql("SELECT id FROM shard"))}))), error_code::conflict);
}

CAF_TEST(affected rows and returned rows are told statement by statement) {
  auto outcome = db->write_and_wait(unit({
      put("a", "1"),
      put("b", "1"),
      sql("UPDATE cluster_value SET value = '2' WHERE name > ''"),
      sql("INSERT INTO cluster_value (name, value) VALUES ('c', '3') ON CONFLICT (name) DO NOTHING RETURNING name, "
          "value"),
      sql("INSERT INTO cluster_value (name, value) VALUES ('c', '4') ON CONFLICT (name) DO NOTHING RETURNING name, "
          "value"),
      sql("SELECT name FROM cluster_value ORDER BY name"),
      sql("DELETE FROM cluster_value WHERE name = 'nobody'"),
  }));
  CAF_REQUIRE(outcome);
  CAF_CHECK((outcome->affected == std::vector<std::int64_t>{1, 1, 2, 1, 0, 3, 0}));
  CAF_REQUIRE_EQUAL(outcome->returned.size(), 7u);
  CAF_REQUIRE_EQUAL(outcome->returned[3].size(), 1u);
  CAF_CHECK_EQUAL(as_text(outcome->returned[3][0][1]), "3");
  CAF_CHECK(outcome->returned[4].empty());
  CAF_CHECK(outcome->returned[2].empty());
}

CAF_TEST(a bad unit does not disturb the others of its group) {
  auto release = hold_lane();
  std::vector<std::future<error_code>> answers;
  const auto send = [&](unit_of_work u) {
    auto told = std::make_shared<std::promise<error_code>>();
    answers.push_back(told->get_future());
    db->write(std::move(u), [told, this](const result<write_outcome>& outcome) { told->set_value(code_of(outcome)); });
  };
  for (int i = 0; i < 20; ++i) send(unit({put("k" + std::to_string(i % 17), "x"), add_shard(i, 1)}));
  send(unit({sql("THIS IS NOT SQL")}));
  send(unit({put("last", "x")}));
  release->set_value();
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto code = answers[i].get();
    if (i < 17 || i == 21)
      CAF_CHECK_EQUAL(code, error_code{0});
    else if (i == 20)
      CAF_CHECK_EQUAL(code, error_code::internal_server_error);
    else
      CAF_CHECK_EQUAL(code, error_code::conflict);
  }
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM shard"), 17);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 18);
}

CAF_TEST(a lane keeps the order in which units were handed in) {
  CAF_REQUIRE(db->write_and_wait(unit({add_shard(1, 0)})));
  std::vector<std::future<bool>> answers;
  for (std::int64_t i = 0; i < 500; ++i) {
    auto told = std::make_shared<std::promise<bool>>();
    answers.push_back(told->get_future());
    db->write(unit({expecting(1, sql("UPDATE shard SET epoch = $2 WHERE id = 1 AND epoch = $1", {i, i + 1}))}, 42),
              [told](const result<write_outcome>& outcome) { told->set_value(outcome.has_value()); });
  }
  for (auto& answer : answers) CAF_CHECK(answer.get());
  CAF_CHECK_EQUAL(count("SELECT epoch FROM shard WHERE id = 1"), 500);
}

CAF_TEST(many threads on many lanes count right) {
  CAF_REQUIRE(db->write_and_wait(unit({add_shard(1, 0), add_shard(2, 0)})));
  std::atomic<int> failed{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 8; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 5; ++i) {
        // Rows are taken in opposite order on every other lane: PostgreSQL will find deadlocks, which must not show.
        const std::int64_t first = 1 + static_cast<std::int64_t>(t % 2), second = 3 - first;
        auto outcome = db->write_and_wait(unit({sql("UPDATE shard SET epoch = epoch + 1 WHERE id = $1", {first}),
                                                sql("UPDATE shard SET epoch = epoch + 1 WHERE id = $1", {second})},
                                               t),
                                          std::chrono::seconds{30});
        if (!outcome) ++failed;
      }
    });
  for (auto& thread : threads) thread.join();
  CAF_CHECK_EQUAL(failed.load(), 0);
  CAF_CHECK_EQUAL(count("SELECT sum(epoch) FROM shard"), 80);
}

CAF_TEST(a read sees what was acknowledged before) {
  for (int i = 1; i <= 50; ++i) {
    CAF_REQUIRE(db->write_and_wait(unit({put("k" + std::to_string(i), "x")}, static_cast<std::uint64_t>(i))));
    CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), i);
  }
}

CAF_TEST(a read checks expect_rows and cannot write) {
  auto missing = db->read_and_wait(expecting(1, sql("SELECT id FROM shard WHERE id = 1"), error_code::not_found));
  CAF_REQUIRE(!missing);
  CAF_CHECK_EQUAL(missing.error().code, error_code::not_found);
  CAF_CHECK(!db->read_and_wait(put("a", "1")));
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 0);
}

CAF_TEST(a group behaves the same when its statements are known) {
  for (int round = 0; round < 3; ++round) {
    const auto name = "k" + std::to_string(round);
    auto outcome =
        db->write_and_wait(unit({put(name, "it's \\ quoted"),
                                 sql("UPDATE cluster_value SET value = value WHERE name = $1 RETURNING value", {name}),
                                 expecting(1, sql("SELECT name FROM cluster_value WHERE name = $1", {name}))}));
    CAF_REQUIRE(outcome);
    CAF_CHECK((outcome->affected == std::vector<std::int64_t>{1, 1, 1}));
    CAF_CHECK_EQUAL(as_text(outcome->returned[1][0][0]), "it's \\ quoted");
    CAF_CHECK_EQUAL(code_of(db->write_and_wait(unit({put(name, "again")}))), error_code::conflict);
    auto unmet = unit({put("x" + name, "1"),
                       expecting(1, sql("SELECT name FROM cluster_value WHERE name = $1", {std::string("nobody")}),
                                 error_code::fenced)});
    CAF_CHECK_EQUAL(code_of(db->write_and_wait(std::move(unmet))), error_code::fenced);
  }
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 3);
}

CAF_TEST(text that is not UTF 8 or holds a zero is refused) {
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(unit({put("a", "\xff\xfe")}))), error_code::validation_error);
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(unit({put(std::string("a\0b", 3), "x")}))), error_code::validation_error);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 0);
}

CAF_TEST(a wrong statement is an error and no more) {
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(unit({sql("INSERT INTO nowhere VALUES (1)")}))),
                  error_code::internal_server_error);
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(
                      unit({sql("INSERT INTO cluster_value (name, value) VALUES ($1, $2)", {std::string("a")})}))),
                  error_code::internal_server_error);
  CAF_CHECK_EQUAL(code_of(db->write_and_wait(unit({sql("INSERT INTO cluster_value (name) VALUES ('a')")}))),
                  error_code::internal_server_error);
  CAF_CHECK(!db->read_and_wait(sql("SELECT nothing FROM shard")));
  CAF_CHECK(db->write_and_wait(unit({put("a", "1")})));
  CAF_CHECK(db->status().usable);
}

CAF_TEST(closing finishes what was accepted and reopening finds it) {
  std::atomic<int> done{0};
  for (int i = 0; i < 300; ++i)
    db->write(unit({put("k" + std::to_string(i), "x")}, static_cast<std::uint64_t>(i)),
              [&](const result<write_outcome>& outcome) { done += outcome ? 1 : 0; });
  db.reopen();
  CAF_CHECK_EQUAL(done.load(), 300);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM cluster_value"), 300);
}

CAF_TEST(a database of a newer release is refused) {
  CAF_REQUIRE(db->write_and_wait(unit({sql("INSERT INTO migration (name, applied_at) VALUES ('9999_future', 1)")})));
  db.close();
  auto opened = TOBIT_OPEN(db.url(), database_options{});
  CAF_REQUIRE(!opened);
  CAF_CHECK_EQUAL(opened.error().code, error_code::configuration_error);
  CAF_CHECK(opened.error().message.find("newer release") != std::string::npos);
}

CAF_TEST(a database of an earlier release gets the steps that it lacks and keeps its rows) {
  // As it was before the second step.
  for (const auto* undo :
       {"DROP INDEX entity_wake", "ALTER TABLE entity DROP COLUMN wake_at", "DROP INDEX outbox_report",
        "ALTER TABLE outbox DROP COLUMN report", "ALTER TABLE outbox DROP COLUMN report_at",
        "ALTER TABLE outbox DROP COLUMN report_attempts", "ALTER TABLE outbox DROP COLUMN report_error",
        "ALTER TABLE outbox DROP COLUMN outcome", "DELETE FROM migration WHERE name = '0002_entity_wake'",
        "INSERT INTO entity (kind, tenant, entity_key, shard, version, created_at, created_by, updated_at)"
        " VALUES ('rule', 'default', 'a', 0, 7, 1, 'ann', 1)"})
    CAF_REQUIRE(db->write_and_wait(unit({sql(undo)})));
  db.reopen();
  CAF_CHECK_EQUAL(count("SELECT version FROM entity WHERE wake_at IS NULL"), 7);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM outbox WHERE report = 0"), 0);
  CAF_CHECK_EQUAL(count("SELECT count(*) FROM migration WHERE name = '0002_entity_wake'"), 1);
}

CAF_TEST(the states of entities leave the rows that every decision changes and stay what they are) {
  // As it was before the ninth step.
  for (const auto* undo :
       {"DROP TABLE entity_snapshot", "DELETE FROM migration WHERE name = '0009_entity_snapshot'",
        "INSERT INTO entity (kind, tenant, entity_key, shard, version, created_at, created_by, updated_at)"
        " VALUES ('rule', 'default', 'young', 0, 1, 1, 'ann', 1)"})
    CAF_REQUIRE(db->write_and_wait(unit({sql(undo)})));
  CAF_REQUIRE(db->write_and_wait(unit({sql("ALTER TABLE entity ADD COLUMN snapshot {bytes}")})));
  CAF_REQUIRE(db->write_and_wait(unit(
      {sql("INSERT INTO entity (kind, tenant, entity_key, shard, version, created_at, created_by, updated_at, snapshot)"
           " VALUES ('rule', 'default', 'a', 0, 7, 1, 'ann', 1, $1)",
           {bytes{std::string("state\0\xff", 7)}})})));
  db.reopen();
  const auto kept = db->read_and_wait(sql("SELECT entity_key, state FROM entity_snapshot"));
  CAF_REQUIRE(kept);
  CAF_REQUIRE_EQUAL(kept->size(), 1u);
  CAF_CHECK_EQUAL(as_text((*kept)[0][0]), "a");
  CAF_CHECK_EQUAL(as_text((*kept)[0][1]), std::string("state\0\xff", 7));
  CAF_CHECK(!db->read_and_wait(sql("SELECT snapshot FROM entity")));
}

CAF_TEST(status counts units and transactions) {
  const auto before = db->status();
  auto release = hold_lane();
  auto last = std::make_shared<std::promise<void>>();
  for (int i = 0; i < 10; ++i)
    db->write(unit({put("k" + std::to_string(i), "x")}), [](const result<write_outcome>&) {});
  db->write(unit({put("last", "x")}), [last](const result<write_outcome>&) { last->set_value(); });
  const auto held = db->status();
  CAF_CHECK_EQUAL(held.writes_queued, 11u);
  release->set_value();
  last->get_future().wait();
  const auto after = db->status();
  CAF_CHECK_EQUAL(after.units_committed - before.units_committed, 12u);
  CAF_CHECK_EQUAL(after.transactions - before.transactions, 2u);
}

CAF_TEST_FIXTURE_SCOPE_END()

CAF_TEST(a full queue refuses at once) {
  database_options options;
  options.write_queue_max = 8;
  options.writers = 1;
  testing::scratch_database db{TOBIT_TESTED_KIND, options};
  std::promise<void> held, release;
  db->write(unit({}), [&](const result<write_outcome>&) {
    held.set_value();
    release.get_future().wait();
  });
  held.get_future().wait();
  std::atomic<int> overloaded{0}, written{0};
  for (int i = 0; i < 20; ++i)
    db->write(unit({put("k" + std::to_string(i), "x")}), [&](const result<write_outcome>& outcome) {
      if (outcome)
        ++written;
      else if (outcome.error().code == error_code::overloaded)
        ++overloaded;
    });
  CAF_CHECK_EQUAL(overloaded.load(), 12);
  release.set_value();
  db.close();
  CAF_CHECK_EQUAL(written.load(), 8);
}
