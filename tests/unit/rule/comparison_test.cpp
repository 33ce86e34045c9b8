#define CAF_SUITE comparison

#include "actors/rule/comparison.hpp"

#include <caf/test/unit_test.hpp>

#include <limits>

using namespace tobit;
using namespace tobit::rule;

namespace {

using outcome = expectation::outcome;

outcome compare(const json& actual, const char* op, const json& expected, bool case_sensitive = true) {
  const expectation e{parse_comparison_op(op).value(), expected, case_sensitive};
  return e.compare(operand::of(&actual));
}

struct row {
  json actual;
  const char* op;
  json expected;
  outcome expect;
};

void check(const std::vector<row>& rows) {
  for (const auto& r : rows)
    if (const auto got = compare(r.actual, r.op, r.expected); got != r.expect)
      CAF_ERROR(r.actual << " " << r.op << " " << r.expected << " gives " << static_cast<int>(got) << ", not "
                         << static_cast<int>(r.expect));
  CAF_CHECK(!rows.empty());
}

constexpr auto yes = outcome::matched, no = outcome::not_matched, cannot = outcome::incomparable;

} // namespace

CAF_TEST(numbers compare by value whatever their type) {
  check({{1, "==", 1.0, yes},
         {1, "<", 1.5, yes},
         {-1, "<", 0, yes},
         {2, ">=", 2, yes},
         {2, "<=", 1, no},
         {0.5, ">", 0, yes},
         {-1.5, "<", -1, yes},
         {-0.0, "==", 0, yes},
         {3, "!=", 4, yes},
         {3, "!=", 3.0, no}});
}

CAF_TEST(large integers keep all their digits) {
  const auto big = std::numeric_limits<std::int64_t>::max();
  const auto huge = std::numeric_limits<std::uint64_t>::max();
  check({{big, "==", 9223372036854775808.0, no},
         {big, "<", 9223372036854775808.0, yes},
         {big, "==", big - 1, no},
         {huge, ">", big, yes},
         {huge, "<", 18446744073709551616.0, yes},
         {9007199254740993, "==", 9007199254740992.0, no},
         {9007199254740993, ">", 9007199254740992.0, yes},
         {std::numeric_limits<std::int64_t>::min(), "==", -9223372036854775808.0, yes},
         {huge, "!=", huge - 1, yes},
         {-1, "<", huge, yes},
         {1e300, ">", huge, yes},
         {-1e300, "<", huge, yes},
         {huge, ">", -0.5, yes}});
}

CAF_TEST(texts that are numbers compare as numbers and others by their bytes) {
  check({{"10", ">", 9, yes},
         {"10", ">", "9", yes},
         {" 1e1 ", "==", 10, yes},
         {"+5", "==", 5, yes},
         {"abc", "<", "abd", yes},
         {"abc", "==", "ABC", no},
         {"10 apples", ">", 9, cannot},
         {"nan", "==", "nan", yes},
         {"inf", ">", 1, cannot},
         {"0x10", "==", 16, no},
         {"", "==", 0, no},
         {"1", "==", "1.0", yes},
         {"abc", "<", "abcd", yes},
         {"b", ">", "abc", yes}});
}

CAF_TEST(values of different types are unequal and have no order) {
  check({{nullptr, "==", nullptr, yes},
         {nullptr, "==", 0, no},
         {nullptr, "!=", 1, yes},
         {nullptr, ">", 1, cannot},
         {true, "==", 1, yes},
         {true, "==", true, yes},
         {false, "==", true, no},
         {"true", "==", true, no},
         {json::array({1}), "==", json::array({1}), yes},
         {json::array({1}), ">", 1, cannot},
         {json{{"a", 1}}, "==", json{{"a", 1}}, yes},
         {json{{"a", 1}}, "!=", json{{"a", 2}}, yes},
         {"text", ">", 5, cannot}});
}

CAF_TEST(lists texts and objects can be searched) {
  check({{"b", "in", {"a", "b"}, yes},
         {2, "in", {"1", "2"}, yes},
         {"c", "not_in", {"a", "b"}, yes},
         {"a", "not_in", {"a"}, no},
         {"a warm day", "contains", "warm", yes},
         {"a warm day", "contains", "cold", no},
         {json::array({"x", 3}), "contains", 3, yes},
         {json::array({"x", 3}), "contains", "y", no},
         {json{{"k", 1}}, "contains", "k", yes},
         {json{{"k", 1}}, "contains", "v", no},
         {12, "contains", 1, cannot},
         {"eth0", "starts_with", "eth", yes},
         {"eth0", "ends_with", "0", yes},
         {"e", "starts_with", "eth", no},
         {5, "starts_with", "5", cannot},
         {json::array(), "contains", 1, no}});
}

CAF_TEST(letters can be compared without regard to case) {
  CAF_CHECK(compare("CRITICAL", "==", "critical", false) == yes);
  CAF_CHECK(compare("CRITICAL", "in", {"x", "Critical"}, false) == yes);
  CAF_CHECK(compare("Disk FULL", "contains", "full", false) == yes);
  CAF_CHECK(compare("Disk FULL", "starts_with", "disk", false) == yes);
  CAF_CHECK(compare("Disk FULL", "ends_with", "Full", false) == yes);
  CAF_CHECK(compare("a", "<", "B", false) == yes);
  CAF_CHECK(compare("É", "==", "é", false) == no); // only ASCII letters
}

CAF_TEST(what is missing never matches) {
  for (auto op : {">", "==", "!=", "in", "not_in", "contains"}) {
    const expectation e{parse_comparison_op(op).value(), json::array({1}), true};
    CAF_CHECK(e.compare(operand{}) == outcome::missing);
  }
}

CAF_TEST(an unknown operator is nothing) {
  for (auto op : {"", "===", "gt", "matches", "=>", "IN"}) CAF_CHECK(!parse_comparison_op(op));
  CAF_CHECK(parse_comparison_op("=") == comparison_op::equal);
}

CAF_TEST(values in references are cut to a bounded length between characters) {
  const auto cut = clip(json(std::string(499, 'x') + "éé")).get<std::string>();
  CAF_CHECK_EQUAL(cut, std::string(499, 'x') + "…");
  CAF_CHECK(clip(json(std::vector<int>(1'000, 7))).is_string());
  CAF_CHECK(clip(json{{"a", 1}}).is_object());
}
