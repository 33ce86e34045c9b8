#define CAF_SUITE alerting_definition

#include "tests/unit/alert/alerting_bench.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::alert::samples;

namespace {

std::string refused(json body) {
  const auto compiled = compile(body);
  return compiled ? "taken" : compiled.error().pointer;
}
json chain(std::string id, std::string then) {
  return {{"escalation_id", id}, {"then", then}, {"steps", {{{"after_seconds", 0}, {"channels", {"x"}}}}}};
}

} // namespace

CAF_TEST(normalising again changes nothing) {
  const auto once = compile(with({policy("a", {{"matchers", {"host=~\"x.*\""}}, {"group_by", {"dc"}}})},
                                 {{"escalations", {chain("e", "")}}}));
  CAF_REQUIRE(once.has_value());
  const auto twice = compile(once->definition);
  CAF_REQUIRE_EQUAL(twice ? "" : twice.error().pointer + twice.error().message, "");
  CAF_CHECK(once->definition == twice->definition);
  const auto kept = compile({{"inhibitions", json::array()}}, &once->definition);
  CAF_REQUIRE(kept.has_value());
  CAF_CHECK(kept->definition == once->definition);
}

CAF_TEST(the notification of the contract is taken as it is) {
  const auto compiled = compile(with({{{"notification_id", "n1"},
                                       {"name", "hook"},
                                       {"channel", "webhook"},
                                       {"webhook_url", "https://example.org/h"},
                                       {"rule_id", nullptr},
                                       {"headers", json::object()},
                                       {"trigger", json::object()},
                                       {"policy", {{"cooldown_seconds", 300}, {"max_per_hour", 20}}},
                                       {"is_active", true}}}));
  CAF_REQUIRE(compiled.has_value());
  CAF_CHECK_EQUAL(compiled->definition["notifications"][0].value("channel", ""), "webhook");
}

CAF_TEST(what makes no sense is refused with the field) {
  CAF_CHECK_EQUAL(refused(with({policy("a")})), "taken");
  CAF_CHECK_EQUAL(refused(with({policy("a"), policy("a")})), "/notifications/1/notification_id");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"channels", json::array()}})})), "/notifications/0/channels");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"trigger", {{"type", "snapshot_threshold"}}}})})),
                  "/notifications/0/trigger/type");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"channel", "webhook"}})})), "/notifications/0/webhook_url");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"webhook_url", "http://127.0.0.1:1/"}})})),
                  "/notifications/0/webhook_url");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"escalation", "none"}})})), "/notifications/0/escalation");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"on_call", {"none"}}})})), "/notifications/0/on_call/0");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"repeat_interval_seconds", 1}})})),
                  "/notifications/0/repeat_interval_seconds");
  CAF_CHECK_EQUAL(refused(with({policy("a", {{"severity_min", "loud"}})})), "/notifications/0/severity_min");
  CAF_CHECK_EQUAL(refused({{"escalations", {chain("a", "b"), chain("b", "a")}}}), "/escalations/0/then");
  CAF_CHECK_EQUAL(refused({{"escalations", {chain("a", "a")}}}), "/escalations/0/then");
  CAF_CHECK_EQUAL(refused({{"escalations", {chain("a", "c")}}}), "/escalations/0/then");
  CAF_CHECK_EQUAL(refused({{"inhibitions", {{{"source_matchers", {"a=\"1\""}}, {"target_matchers", {"a=\"1\""}}}}}}),
                  "/inhibitions/0/target_matchers");
  CAF_CHECK_EQUAL(refused({{"inhibitions", {{{"source_matchers", {"a=\"1\""}}}}}}), "/inhibitions/0/target_matchers");
  CAF_CHECK_EQUAL(refused({{"notification", json::array()}}), "/notification");
  CAF_CHECK_EQUAL(refused(json::array()), "");
}

CAF_TEST(a hidden value keeps the secret that is there but not for another address) {
  auto hook = policy("a", {{"webhook_url", "https://example.org/h"}, {"headers", {{"X-Key", "secret"}}}});
  const auto before = compile(with({hook}));
  CAF_REQUIRE(before.has_value());
  hook["headers"]["X-Key"] = "***";
  hook["webhook_url"] = "***";
  const auto same = compile(with({hook}), &before->definition);
  CAF_REQUIRE(same.has_value());
  CAF_CHECK(same->definition["notifications"][0]["headers"]["X-Key"] == "secret");
  CAF_CHECK(same->definition["notifications"][0]["webhook_url"] == "https://example.org/h");
  hook["webhook_url"] = "https://elsewhere.org/";
  const auto moved = compile(with({hook}), &before->definition);
  CAF_CHECK(!moved || moved->definition["notifications"][0]["headers"]["X-Key"] != "secret");
}
