#define CAF_SUITE error

#include "schemas/error.hpp"

#include <caf/test/unit_test.hpp>

#include <set>

using namespace tobit;

CAF_TEST(every row of the table has its own value and name and a sentence that helps) {
  std::set<int> values;
  std::set<std::string_view> names;
  for (const auto& row : error_table()) {
    CAF_MESSAGE(std::string(row.name));
    CAF_CHECK(values.insert(static_cast<int>(row.code)).second);
    CAF_CHECK(names.insert(row.name).second);
    CAF_CHECK(row.http_status >= 400 && row.http_status < 600);
    CAF_CHECK(row.sentence.size() > 20 && row.sentence.ends_with("."));
    CAF_CHECK(describe(row.code).name == row.name);
  }
}

CAF_TEST(an unknown value is an internal error rather than undefined behaviour) {
  CAF_CHECK(describe(static_cast<error_code>(65'000)).code == error_code::internal_server_error);
}

CAF_TEST(an error without words of its own speaks with the words of the table) {
  const error plain{error_code::not_found}, told{error_code::not_found, "No rule r1."};
  CAF_CHECK_EQUAL(plain.text(), describe(error_code::not_found).sentence);
  CAF_CHECK_EQUAL(told.text(), "No rule r1.");
}
