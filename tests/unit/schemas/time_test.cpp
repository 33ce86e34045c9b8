#define CAF_SUITE time

#include "schemas/time.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;

CAF_TEST(a timestamp survives the way to text and back) {
  const auto t = from_micros(1'763'627'400'123'456);
  CAF_CHECK_EQUAL(to_rfc3339(t), "2025-11-20T08:30:00.123456Z");
  CAF_CHECK_EQUAL(to_micros(parse_rfc3339(to_rfc3339(t)).value()), to_micros(t));
}

CAF_TEST(an offset is taken into account) {
  CAF_CHECK_EQUAL(to_micros(parse_rfc3339("2025-11-20T17:30:00+09:00").value()), 1'763'627'400'000'000);
  CAF_CHECK_EQUAL(to_micros(parse_rfc3339("2025-11-20T08:30:00.5Z").value()), 1'763'627'400'500'000);
}

CAF_TEST(what is not a timestamp is refused) {
  for (auto text :
       {"", "yesterday", "2025-11-20", "2025-02-30T00:00:00Z", "2025-11-20T24:00:00Z", "2025-11-20T08:30:00",
        "2025-11-20T08:30:00.Z", "2025-11-20T08:30:00+9:00", "2025-11-20T08:30:00Zjunk"})
    CAF_CHECK_EQUAL(parse_rfc3339(text).error().code == error_code::validation_error, true);
}
