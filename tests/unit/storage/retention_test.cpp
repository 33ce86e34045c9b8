#define CAF_SUITE retention

#include "runtime/storage/retention.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::storage;

namespace {

std::int64_t number(database& from, std::string_view pragma) {
  auto read = from.read_and_wait({pragma, {}});
  return read ? as_int((*read)[0][0]) : -1;
}

} // namespace

CAF_TEST(space that deleted rows left is given back) {
  testing::scratch_database db;
  for (int i = 0; i < 40; ++i) {
    unit_of_work unit;
    for (int k = 0; k < 25; ++k) {
      statement put;
      put.sql = "INSERT INTO cluster_value (name, value) VALUES ($1, $2)";
      put.params = {"k" + std::to_string(i) + "-" + std::to_string(k), std::string(16'000, 'x')};
      unit.statements.push_back(std::move(put));
    }
    CAF_REQUIRE(db->write_and_wait(std::move(unit)).has_value());
  }
  const auto before = number(db.get(), "PRAGMA page_count");
  CAF_CHECK(before > 3'500);
  CAF_CHECK_EQUAL(give_back_space(db.get()), 0); // nothing is free yet
  unit_of_work unit;
  unit.statements.push_back({"DELETE FROM cluster_value WHERE name LIKE 'k%'", {}, std::nullopt, error_code::conflict});
  CAF_REQUIRE(db->write_and_wait(std::move(unit)).has_value());
  CAF_CHECK(give_back_space(db.get()) > 0);
  CAF_CHECK(number(db.get(), "PRAGMA page_count") < before / 2);
  CAF_CHECK(number(db.get(), "PRAGMA freelist_count") < vacuum_slack + vacuum_piece);
}
