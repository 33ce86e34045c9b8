#define CAF_SUITE kept_rows_postgres

#include "node/kept_rows.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using testing::database_kind;
using testing::scratch_database;

namespace {

constexpr utc_time now = from_micros(1'800'000'000'000'000);

void add_span(storage::database& to, int number, utc_time at) {
  storage::unit_of_work unit;
  unit.statements.push_back({"INSERT INTO span (trace_id, span_id, parent_span_id, tenant, name, node, started_at, "
                             "duration_us, status, attributes) VALUES ($1, $2, '', 't', 'n', 'n', $3, 0, 'ok', '{}')",
                             {std::string("trace"), std::to_string(number), to_micros(at)},
                             std::nullopt,
                             error_code::conflict});
  CAF_REQUIRE(to.write_and_wait(std::move(unit)).has_value());
}

std::int64_t spans(storage::database& in) {
  return storage::as_int(
      in.read_and_wait({"SELECT count(*) FROM span", {}, std::nullopt, error_code::conflict}).value()[0][0]);
}

void check(database_kind kind) {
  scratch_database db{kind};
  const config::settings defaults;
  const auto keep = defaults.duration<std::chrono::microseconds>(config::setting::retention_spans);
  add_span(*db, 1, now - keep - std::chrono::seconds{1});
  add_span(*db, 2, now - keep + std::chrono::seconds{1});
  const auto rules = node::kept_rows(defaults);
  const auto outcomes = storage::remove_old_rows(*db, rules, now);
  CAF_CHECK_EQUAL(outcomes.size(), rules.size());
  for (const auto& outcome : outcomes) {
    CAF_MESSAGE(std::string(outcome.name));
    CAF_CHECK(!outcome.failure);
    CAF_CHECK_EQUAL(outcome.removed, outcome.name == "spans" ? 1 : 0);
  }
  CAF_CHECK_EQUAL(spans(*db), 1);
}

} // namespace

CAF_TEST(only rows older than their time are removed from SQLite) { check(database_kind::sqlite); }

CAF_TEST(only rows older than their time are removed from PostgreSQL) { check(database_kind::postgresql); }
