#define CAF_SUITE json

#include "schemas/json.hpp"

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

CAF_TEST(bytes that are no text become replacement characters instead of an exception) {
  CAF_CHECK_EQUAL(to_text(json("a\xff")), "\"a\xEF\xBF\xBD\"");
}

CAF_TEST(pointers are escaped as RFC 6901 says) {
  CAF_CHECK_EQUAL(pointer_append("/a", "b/c~d"), "/a/b~1c~0d");
  CAF_CHECK_EQUAL(pointer_append("", std::size_t{3}), "/3");
}
