#define CAF_SUITE interest_spec

#include "schemas/entity/interest_spec.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::entity;

CAF_TEST(a glob matches the whole text and backtracks over stars) {
  const std::vector<std::pair<std::string, std::string>> fit{{"*", ""},
                                                             {"*", "abc"},
                                                             {"a*c", "abbbc"},
                                                             {"a?c", "abc"},
                                                             {"*.created", "x.created"},
                                                             {"a*b*c", "a-b-b-c"},
                                                             {"", ""},
                                                             {"disk.*", "disk.full"},
                                                             {"**", "x"}};
  for (const auto& [glob, text] : fit)
    if (!glob_matches(glob, text)) CAF_ERROR("'" << glob << "' should match '" << text << "'");
  const std::vector<std::pair<std::string, std::string>> unfit{
      {"", "a"}, {"a", "ab"}, {"a*c", "abcd"}, {"?", ""}, {"*.created", "created"}};
  for (const auto& [glob, text] : unfit)
    if (glob_matches(glob, text)) CAF_ERROR("'" << glob << "' should not match '" << text << "'");
  CAF_CHECK(!glob_matches("*a*a*a*a*a*b", std::string(10'000, 'a')));
}

CAF_TEST(a specification survives the way through its row) {
  poll_interest poll;
  poll.endpoint = "https://example.org/x";
  poll.params = {{"a", 1}};
  const auto back = parse_json(to_text(json(poll)))->get<poll_interest>();
  CAF_CHECK_EQUAL(back.endpoint, poll.endpoint);
  CAF_CHECK(back.params == poll.params);
  CAF_CHECK_EQUAL(json::object().get<schedule_interest>().missed, "once");
  CAF_CHECK_EQUAL(to_text(json(event_interest{{"a.*"}, {}})), R"({"sources":[],"types":["a.*"]})");
}
