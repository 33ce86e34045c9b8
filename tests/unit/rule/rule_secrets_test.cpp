#define CAF_SUITE rule_secrets

#include "schemas/rule/rule_secrets.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;

namespace {

json calling(json action) { return samples::rule_with("event", {{"types", {"x"}}}, std::move(action)); }
json hook(std::string endpoint = "https://example.org/h") {
  return {{"type", "webhook"},
          {"endpoint", std::move(endpoint)},
          {"headers", {{"Authorization", "Bearer s3cret"}, {"Accept", "text/plain"}}},
          {"params", {{"api_key", "s3cret"}, {"q", "x"}}}};
}

} // namespace

CAF_TEST(a shown definition holds no header values) {
  for (const auto& action : {hook(), json::array({hook(), hook()}),
                             json{{"type", "multi_action"}, {"actions", {{{"type", "store"}}, hook()}}}}) {
    const auto stored = samples::compile(calling(action))->definition;
    const auto shown = without_secrets(stored);
    CAF_CHECK(to_text(stored).find("s3cret") != std::string::npos);
    CAF_CHECK(to_text(shown).find("s3cret") == std::string::npos);
    CAF_CHECK(to_text(shown).find("text/plain") != std::string::npos);
  }
  const auto metric = samples::rule_with("metric", {{"endpoint", "https://example.org/m"},
                                                    {"value_path", "v"},
                                                    {"threshold", 1},
                                                    {"headers", {{"X-Key", "s3cret"}}}});
  CAF_CHECK(to_text(without_secrets(metric)).find("s3cret") == std::string::npos);
  for (const auto& odd : {json(), json::array(), json{{"action_spec", 5}}, json{{"trigger_spec", {{"headers", 5}}}}})
    CAF_CHECK(without_secrets(odd) == odd);
}

CAF_TEST(a definition that was read and sent back keeps its secrets) {
  for (const auto& action : {hook(), json::array({{{"type", "store"}}, hook()})}) {
    const auto stored = samples::compile(calling(action))->definition;
    auto shown = without_secrets(stored);
    shown["description"] = "changed";
    const auto again = samples::compile(shown, &stored);
    CAF_REQUIRE(again.has_value());
    CAF_CHECK(again->definition["action_spec"] == stored["action_spec"]);
  }
}

CAF_TEST(a secret never follows to a new endpoint) {
  const auto stored = samples::compile(calling(hook()))->definition;
  auto moved = without_secrets(stored);
  moved["action_spec"]["endpoint"] = "https://elsewhere.example/h";
  const auto refused = samples::compile(moved, &stored);
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK_EQUAL(refused.error().pointer, "/action_spec/headers/Authorization");
  CAF_CHECK(!samples::compile(without_secrets(stored)).has_value()); // nor to a new rule
}
