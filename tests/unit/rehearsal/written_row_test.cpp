#define CAF_SUITE written_row

#include "actors/rehearsal/written_row.hpp"
#include "actors/rule/execution_log.hpp"

#include <caf/test/dsl.hpp>

using namespace tobit;
using namespace tobit::rehearsal;

CAF_TEST(the row of an execution reads as the rule wrote it) {
  rule::execution e{"x-1", tenant_id{"t"}, "r-1", 3, from_micros(42), "success", "event", "", {{"trigger", 1}}, {}};
  const auto statement = rule::insert_execution(e);
  const auto row = written_row::of(statement);
  CAF_REQUIRE(row.has_value());
  CAF_CHECK_EQUAL(row->table(), "rule_execution");
  CAF_CHECK_EQUAL(row->text("exec_id"), "x-1");
  CAF_CHECK_EQUAL(row->whole("triggered_at"), 42);
  CAF_CHECK_EQUAL(row->text("status"), "success");
  CAF_CHECK(storage::is_null((*row)["error_message"]));
  CAF_CHECK(storage::is_null((*row)["duration_ms"])); // a literal
  CAF_CHECK(storage::is_null((*row)["nothing of that name"]));
}

CAF_TEST(other statements are no rows) {
  CAF_CHECK(!written_row::of({"UPDATE a SET b = $1", {std::int64_t{1}}}).has_value());
  CAF_CHECK(!written_row::of({"INSERT INTO a (b, c) SELECT d, e FROM f", {}}).has_value());
  CAF_CHECK(!written_row::of({"INSERT INTO a (b, c) VALUES ($1)", {std::int64_t{1}}}).has_value());
  CAF_CHECK(!written_row::of({"", {}}).has_value());
}

CAF_TEST(calls and conflicts in a statement do not confuse it) {
  const storage::statement s{"INSERT INTO a (b, c) VALUES (coalesce($1, 0), $2) ON CONFLICT (b) DO NOTHING",
                             {std::int64_t{1}, std::string{"x"}}};
  const auto row = written_row::of(s);
  CAF_REQUIRE(row.has_value());
  CAF_CHECK_EQUAL(row->text("c"), "x");
}
