#define CAF_SUITE pattern_rule

#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_events.hpp"
#include "tests/unit/rule/pattern/pattern_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::pattern::samples;
using rule::samples::bench;
using rule::samples::text_param;

namespace {

json rule_of(const char* line, const char* text) {
  return rule_with("pattern", {{"pattern", line}}, {{"type", "store"}, {"message", text}});
}

/// One event that happens now.
evaluate_events shown(const bench& b, std::uint64_t offset, const char* type, json data) {
  event::event e;
  e.id = std::to_string(offset);
  e.source = "/test";
  e.type = type;
  e.time = b.now;
  e.data = std::move(data);
  return {0, {{offset, std::make_shared<const event::event>(std::move(e))}}};
}

bool holds(const entity::decision& d, const std::string& text) {
  return std::any_of(d.statements.begin(), d.statements.end(), [&](const storage::statement& s) {
    return std::any_of(s.params.begin(), s.params.end(), [&](const auto& p) { return p == storage::value{text}; });
  });
}

} // namespace

CAF_TEST(a pattern rule acts once with the words of both events) {
  bench b{rule_of("A then B within 1m by user", "{{user}}: {{A.n}} then {{B.n}}, {{A.count}} x")};
  auto first = b.tell(shown(b, 1, "A", {{"user", "ann"}, {"n", 1}}));
  CAF_CHECK(first.statements.empty());
  CAF_CHECK(!first.events.empty());
  b.now += std::chrono::seconds{5};
  const auto fired = b.tell(shown(b, 2, "B", {{"user", "ann"}, {"n", 2}}));
  CAF_CHECK(holds(fired, "ann: 1 then 2, 1 x"));
  CAF_CHECK(b.tell(shown(b, 2, "B", {{"user", "ann"}, {"n", 2}})).statements.empty());
  CAF_CHECK_EQUAL(b.logic->view()["fired"].get<int>(), 1);
}

CAF_TEST(the journal brings matches under way back) {
  register_rule_messages();
  const auto rule = rule_of("A then B within 1m by user", "{{A.user}}");
  bench b{rule}, other{rule};
  for (const auto& e : b.tell(shown(b, 1, "A", {{"user", "ann"}})).events)
    other.logic->apply(decode_message(e.name(), e.encode()).value());
  CAF_CHECK_EQUAL(other.logic->snapshot(), b.logic->snapshot());
  bench third{rule};
  CAF_REQUIRE(third.logic->restore(other.logic->snapshot()).has_value());
  CAF_CHECK(holds(third.tell(shown(third, 2, "B", {{"user", "ann"}})), "ann"));
}

CAF_TEST(an absence fires when the rule is woken and not before) {
  bench b{rule_of("A and no B within 10s by user", "no B for {{user}}")};
  b.tell(shown(b, 1, "A", {{"user", "ann"}}));
  b.tell(shown(b, 2, "A", {{"user", "bob"}}));
  b.tell(shown(b, 3, "B", {{"user", "bob"}}));
  CAF_REQUIRE(b.logic->wake_at().has_value());
  CAF_CHECK(b.tell(entity::wake_entity{}).statements.empty());
  b.now = *b.logic->wake_at();
  const auto fired = b.tell(entity::wake_entity{});
  CAF_CHECK(holds(fired, "no B for ann"));
  CAF_CHECK(!b.logic->wake_at().has_value());
  CAF_CHECK(b.tell(entity::wake_entity{}).statements.empty());
}

CAF_TEST(a changed message keeps matches under way and a changed pattern forgets them) {
  bench b{rule_of("A then B within 1m", "{{A.n}}")};
  b.tell(shown(b, 1, "A", {{"n", 1}, {"m", 2}}));
  bench renamed{rule_of("A then B within 1m", "{{A.m}} {{A.n}}")}, changed{rule_of("A then B within 2m", "x")};
  CAF_REQUIRE(renamed.logic->restore(b.logic->snapshot()).has_value());
  CAF_CHECK(holds(renamed.tell(shown(renamed, 2, "B", json::object())), " 1"));
  CAF_REQUIRE(changed.logic->restore(b.logic->snapshot()).has_value());
  CAF_CHECK(changed.tell(shown(changed, 2, "B", json::object())).statements.empty());
}

CAF_TEST(a match stays bounded whatever its events hold) {
  json steps = json::array();
  for (int i = 0; i < 10; ++i) {
    json keep = json::array();
    for (int f = 0; f < 16; ++f) keep.push_back("f" + std::to_string(f));
    steps.push_back({{"types", {"T" + std::to_string(i)}}, {"keep", keep}});
  }
  bench b{rule_with("pattern", {{"steps", steps}, {"within_seconds", 60}}, {{"type", "store"}})};
  json data;
  for (int f = 0; f < 16; ++f) data["f" + std::to_string(f)] = std::string(100'000, 'x');
  entity::decision last;
  for (int i = 0; i < 10; ++i)
    last = b.tell(shown(b, static_cast<std::uint64_t>(i + 1), ("T" + std::to_string(i)).c_str(), data));
  CAF_REQUIRE(!last.statements.empty());
  std::size_t bytes = 0;
  for (const auto& s : last.statements)
    for (std::size_t i = 1; i <= s.params.size(); ++i)
      if (std::holds_alternative<std::string>(s.params[i - 1])) bytes += text_param(s, i).size();
  CAF_CHECK(bytes < 200'000);
  CAF_CHECK(b.logic->snapshot().size() < 200'000);
}
