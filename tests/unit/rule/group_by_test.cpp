#define CAF_SUITE group_by

#include "actors/rule/group_by.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;

namespace {

std::string read(const group_by& groups, const json& data) {
  std::string out;
  groups.read(subject::of(data), out);
  return out;
}

} // namespace

CAF_TEST(equal values give equal keys and others different ones) {
  const group_by one{{"v"}};
  const std::vector<json> different{
      nullptr, true, false, 1, "1", 1.5, "", "true", "null", json::array(), json{{"a", 1}}, 18446744073709551615u};
  for (std::size_t i = 0; i < different.size(); ++i)
    for (std::size_t j = 0; j < different.size(); ++j)
      if ((read(one, {{"v", different[i]}}) == read(one, {{"v", different[j]}})) != (i == j))
        CAF_ERROR(different[i] << " and " << different[j]);
  CAF_CHECK(read(one, {{"v", 1}}) == read(one, {{"v", 1.0}}));
  CAF_CHECK(read(one, {{"v", nullptr}}) == read(one, json::object()));
  const group_by two{{"a", "b"}};
  CAF_CHECK(read(two, {{"a", "x"}, {"b", "yz"}}) != read(two, {{"a", "xy"}, {"b", "z"}}));
}

CAF_TEST(a key reads as text and as labels and finds its way back) {
  const group_by groups{{"host", "disk.id"}};
  const auto key = read(groups, {{"host", "db-1"}, {"disk", {{"id", 7}}}});
  CAF_CHECK_EQUAL(groups.text_of(key), R"(["db-1",7])");
  CAF_CHECK_EQUAL(groups.labels_of(key), (json{{"host", "db-1"}, {"disk.id", 7}}));
  CAF_CHECK(groups.key_of(R"(["db-1", 7])") == key);
  CAF_CHECK(!groups.key_of(R"(["db-1"])") && !groups.key_of("db-1"));
  CAF_CHECK_EQUAL(group_by{}.text_of(""), "");
  CAF_CHECK(group_by{}.labels_of("").is_null());
}

CAF_TEST(a long value is cut and still told from others) {
  const group_by one{{"v"}};
  const std::string lengthy(5'000, 'x');
  const auto a = read(one, {{"v", lengthy + "a"}}), b = read(one, {{"v", lengthy + "b"}});
  CAF_CHECK(a != b);
  CAF_CHECK(a.size() <= group_value_bytes_max + 5);
  CAF_CHECK(one.text_of(a).size() < 300u);
}
