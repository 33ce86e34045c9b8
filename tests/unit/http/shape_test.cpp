#define CAF_SUITE shape

#include "http/codec/cursor.hpp"
#include "http/codec/shape.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::http;

namespace {

const shape sample =
    object({required("name", text(1, 5)), optional("size", whole(0, 10)), optional("kind", choice({"a", "b"})),
            optional("tags", list_of(text(), 2)), optional("at", time_text()),
            optional("deep", object({required("on", flag())})), optional("limit", whole(1, 9).or_else(3))});

void refused(json value, const std::string& pointer) {
  const auto verdict = check(value, sample);
  CAF_CHECK(!verdict.has_value());
  if (!verdict) CAF_CHECK_EQUAL(verdict.error().pointer, pointer);
}

} // namespace

CAF_TEST(what fits passes and gets its defaults) {
  json value{{"name", "abc"}, {"tags", {"x"}}, {"deep", {{"on", true}}}, {"at", "2026-11-20T08:30:00Z"}};
  CAF_CHECK(check(value, sample).has_value());
  CAF_CHECK_EQUAL(value["limit"], 3);
}

CAF_TEST(what does not fit is refused with the pointer of the field) {
  refused(json::array(), "");
  refused(nullptr, "");
  refused({{"size", 1}}, "/name");
  refused({{"name", ""}}, "/name");
  refused({{"name", "abcdef"}}, "/name");
  refused({{"name", "a"}, {"size", 11}}, "/size");
  refused({{"name", "a"}, {"size", 1.5}}, "/size");
  refused({{"name", "a"}, {"size", "1"}}, "/size");
  refused({{"name", "a"}, {"size", 18446744073709551615u}}, "/size");
  refused({{"name", "a"}, {"kind", "c"}}, "/kind");
  refused({{"name", "a"}, {"tags", {"x", 2}}}, "/tags/1");
  refused({{"name", "a"}, {"tags", {"x", "y", "z"}}}, "/tags");
  refused({{"name", "a"}, {"at", "yesterday"}}, "/at");
  refused({{"name", "a"}, {"deep", {{"on", 1}}}}, "/deep/on");
  refused({{"name", "a"}, {"deep", {{"on", true}, {"off/ice", 1}}}}, "/deep/off~1ice");
  refused({{"name", "a"}, {"other", 1}}, "/other");
}

CAF_TEST(parameters are read by their type) {
  CAF_CHECK(read_parameter("limit", "7", whole(1, 9)) == json(7));
  CAF_CHECK(read_parameter("acked", "false", flag()) == json(false));
  for (auto bad : {"", "7x", "0", "10", " 7", "99999999999999999999"})
    CAF_CHECK(!read_parameter("limit", bad, whole(1, 9)));
  CAF_CHECK(!read_parameter("acked", "maybe", flag()));
  CAF_CHECK(!read_parameter("share", "nan", number()));
}

CAF_TEST(a cursor comes back and a made up one does not ) {
  const json place{"name", 17};
  CAF_CHECK(read_cursor(write_cursor(place), 2) == place);
  CAF_CHECK(!read_cursor(write_cursor(place), 3));
  for (auto bad : {"", "x", "!!!!", "bnVsbA", "eyJhIjoxfQ"}) CAF_CHECK(!read_cursor(bad, 2));
  CAF_CHECK(!read_cursor(std::string(100'000, 'A'), 2));
}
