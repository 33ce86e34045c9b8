#define CAF_SUITE json

#include "schemas/json.hpp"
#include "schemas/json_text.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;

CAF_TEST(nesting up to the limit is read and deeper nesting is refused before it can hurt) {
  const auto nested = [](int levels) {
    return std::string(std::size_t(levels), '[') + std::string(std::size_t(levels), ']');
  };
  CAF_CHECK(parse_json(nested(json_depth_max)).has_value());
  CAF_CHECK(parse_json(nested(json_depth_max + 1)).error().code == error_code::malformed_json);
  CAF_CHECK(parse_json(nested(1'000'000)).error().code == error_code::malformed_json);
  CAF_CHECK(parse_json(std::string(1'000'000, '[')).error().code == error_code::malformed_json);
}

CAF_TEST(what is not JSON is refused with the place) {
  for (auto text :
       {"", "{", "nul", "[1,]", "{'a':1}", "NaN", "Infinity", "1e999999", "\"\xff\"", "{\"a\":1}x", "\x01"}) {
    const auto parsed = parse_json(text);
    CAF_MESSAGE(text);
    CAF_CHECK(!parsed && parsed.error().code == error_code::malformed_json);
  }
  CAF_CHECK(parse_json("[1, 2").error().message.find("byte") != std::string::npos);
}

CAF_TEST(numbers that are none get the way out) {
  for (const std::string text : {R"({"v": NaN})", R"({"v":-Infinity})", R"([1,nan])", "NaN"})
    CAF_CHECK(parse_json(text).error().message.find("send null") != std::string::npos);
  CAF_CHECK(parse_json(R"({"v": 1)").error().message.find("null") == std::string::npos);
}

CAF_TEST(bytes that are no text become replacement characters instead of an exception) {
  CAF_CHECK_EQUAL(to_text(json("a\xff")), "\"a\xEF\xBF\xBD\"");
}

CAF_TEST(pointers are escaped as RFC 6901 says) {
  CAF_CHECK_EQUAL(pointer_append("/a", "b/c~d"), "/a/b~1c~0d");
  CAF_CHECK_EQUAL(pointer_append("", std::size_t{3}), "/3");
}

CAF_TEST(text that is written straight away is the text that the library writes of the same tree) {
  std::string odd;
  for (int c = 0; c < 256; ++c) odd += static_cast<char>(c);
  const json all{{"null", nullptr},
                 {"truth", {true, false}},
                 {"whole", {0, -1, std::int64_t{-9'223'372'036'854'775'807}, 18'446'744'073'709'551'615u}},
                 {"fractions", {0.1, -0.0, 1e300, 5e-324, 1.0}},
                 {"texts", {"", "plain", "\"quoted\"", "back\\slash", "line\n", "\x7f", "경보", odd}},
                 {"경보", {{"empty", json::object()}, {"none", json::array()}}},
                 {"\"", 1}};
  CAF_CHECK_EQUAL(to_text(all), all.dump(-1, ' ', false, json::error_handler_t::replace));
  std::string out = "before ";
  object_text object{out};
  object.flag("flag", true).number("number", -5).text("text", "a\"b").texts("texts", {"x", "\n"});
  object.value("value", {{"a", 1}}).written("written", "[]");
  append_array(object.begin("z"), std::vector<std::int64_t>{1, 2}, append_number);
  object.end();
  CAF_CHECK_EQUAL(out, "before {\"flag\":true,\"number\":-5,\"text\":\"a\\\"b\",\"texts\":[\"x\",\"\\n\"],"
                       "\"value\":{\"a\":1},\"written\":[],\"z\":[1,2]}");
}
