#define CAF_SUITE pattern_text

#include "actors/rule/pattern/pattern_text.hpp"
#include "tests/unit/rule/pattern/pattern_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::pattern;
using namespace tobit::rule::pattern::samples;

namespace {

std::string read_again(const std::string& line) { return line_of(normalised({{"pattern", line}})["trigger_spec"]); }

} // namespace

CAF_TEST(a line reads back as it was written) {
  for (const auto* line :
       {"A then B within 5m", "A{3} then B within 90s", "A{2,5} then B within 1h by user", "A{2,} then B within 1d",
        "A and no B within 5m by user, host", "no B then A within 10s", "A and no B then C within 2d"})
    CAF_CHECK_EQUAL(read_again(line), line);
  CAF_CHECK_EQUAL(read_again("login.failed{3}  THEN login.ok Within 5m"), "login_failed{3} then login_ok within 5m");
  CAF_CHECK_EQUAL(read_again("A -> B -> not C within 300s"), "A then B and no C within 5m");
  CAF_CHECK_EQUAL(read_again("A and B then C or D within 1m"), "(A and B) then (C or D) within 1m");
  CAF_CHECK_EQUAL(read_again("A then A then A within 1m"), "A then A2 then A3 within 1m");
  CAF_CHECK_EQUAL(read_again("x=a.* then a.b:c within 1m by a,b , c"), "x then a_b_c within 1m by a, b, c");
  CAF_CHECK_EQUAL(read_again("A{ 2 , 3 } then B within 1m"), "A{2,3} then B within 1m");
  CAF_CHECK_EQUAL(read_again("/path/* then 404 within 1m"), "e_path then e404 within 1m");
}

CAF_TEST(a line that cannot be read is refused with a sentence that says where) {
  const std::pair<const char*, const char*> lines[]{{"A then B", "within"},
                                                    {"A then within 5m", "'within' stands where an event is expected"},
                                                    {"A then", "ends where an event is expected"},
                                                    {"then A within 5m", "'then' stands where"},
                                                    {"A B within 5m", "not 'B'"},
                                                    {"A then B within", "30s, 5m"},
                                                    {"A then B within 5", "30s, 5m"},
                                                    {"A then B within 5 m", "30s, 5m"},
                                                    {"A then B within -5m", "30s, 5m"},
                                                    {"A then B within 5m by", "After 'by'"},
                                                    {"A then B within 5m by user,", "After 'by'"},
                                                    {"A then B within 5m user", "behind the end"},
                                                    {"A{} then B within 5m", "no repetition"},
                                                    {"A{x} then B within 5m", "no repetition"},
                                                    {"A{3 then B within 5m", "no repetition"},
                                                    {"A and B or C within 5m", "two ways"},
                                                    {"A{2} and B within 5m", "Only a single event"},
                                                    {"(A then B) within 5m", "stands where"},
                                                    {"A= then B within 5m", "no event type"}};
  for (const auto& [line, says] : lines) {
    const auto read = parse_pattern_text(line, json::object());
    if (read || read.error().message.find(says) == std::string::npos)
      CAF_ERROR(line << ": " << (read ? read->dump() : read.error().message));
  }
}
