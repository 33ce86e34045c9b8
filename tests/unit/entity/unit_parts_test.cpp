#define CAF_SUITE unit_parts

#include "runtime/entity/unit_parts.hpp"
#include "tests/support/counter/counter_protocol.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::entity;

namespace {
const entity_ref someone{"counter", tenant_id{"default"}, "a"};
}

CAF_TEST(a fenced unit names shard and owner and epoch and runs in the lane of its shard) {
  const auto unit = fenced_unit({7, "n1", 3});
  CAF_CHECK_EQUAL(unit.lane, 7u);
  CAF_REQUIRE_EQUAL(unit.statements.size(), 1u);
  CAF_CHECK(unit.statements[0].expect_rows == 1);
  CAF_CHECK(unit.statements[0].mismatch == error_code::fenced);
  CAF_CHECK_EQUAL(storage::as_int(unit.statements[0].params[2]), 3);
}

CAF_TEST(effects get ids and contexts of their decision) {
  const auto context = new_call(system_identity(tenant_id{"default"}), steady_time{});
  const auto out = outgoing(someone, {{"webhook", 1, "c"}, {"store", 2, ""}}, {utc_time{}, context, "id"});
  CAF_REQUIRE_EQUAL(out.size(), 2u);
  CAF_CHECK_EQUAL(out[0].id, "id-0");
  CAF_CHECK_EQUAL(out[1].id, "id-1");
  CAF_CHECK(out[0].context.parent == context.span);
  CAF_CHECK(out[0].context.trace == context.trace);
  CAF_CHECK(out[0].context.deadline == steady_time::max());
}

CAF_TEST(stored text is short and valid and free of NUL) {
  CAF_CHECK_EQUAL(storable("abc", 10), "abc");
  CAF_CHECK_EQUAL(storable("abcdef", 3), "abc");
  CAF_CHECK_EQUAL(storable("가나다", 4), "가");
  CAF_CHECK_EQUAL(storable(std::string("a\0b", 3), 10), "a b");
  CAF_CHECK_EQUAL(storable("a\xff", 10), "a\xEF\xBF\xBD");
}

CAF_TEST(an audit row names the fields that changed) {
  const auto context = new_call(system_identity(tenant_id{"default"}));
  const auto row = audit_row(
      {someone, "update", context, utc_time{}, {{"a", 1}, {"b", 2}, {"c", 3}}, {{"a", 1}, {"b", 9}, {"d", 4}}});
  CAF_CHECK_EQUAL(storage::as_text(row.params[7]), R"({"fields":["b","d","c"]})");
}
