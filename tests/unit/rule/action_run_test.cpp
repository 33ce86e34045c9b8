#define CAF_SUITE action_run

#include "actors/rule/action_run.hpp"
#include "actors/rule/firing_throttle.hpp"
#include "runtime/entity/message_to.hpp"
#include "schemas/rule/rule_events.hpp"
#include "tests/unit/rule/rule_samples.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::rule;
using namespace tobit::rule::samples;

namespace {

json hook(const std::string& path, json more = json::object()) {
  json action{{"type", "webhook"}, {"endpoint", "https://example.org/" + path}};
  action.update(more);
  return action;
}
json acting(std::vector<json> actions, const char* run = "parallel") {
  return rule_with("event", {{"types", {"reading"}}},
                   {{"type", "multi_action"}, {"run", run}, {"actions", std::move(actions)}});
}
evaluate_events one(std::uint64_t offset, json data = {{"t", 1}}) { return {0, {reading(offset, std::move(data))}}; }

entity::effect_settled ended(const std::string& id, const std::string& exec_id, bool done = true) {
  entity::effect_settled told{id, "webhook", exec_id, done, "", "", nullptr, 1};
  if (!done) told.error_name = "EXTERNAL_SERVICE_ERROR", told.error = "refused";
  return told;
}
/// The last statement about the execution: status and actions.
struct row {
  std::string status, error;
  json actions;
};
row row_of(const entity::decision& d) {
  for (auto s = d.statements.rbegin(); s != d.statements.rend(); ++s) {
    const auto text = [&](std::size_t i) { return storage::as_text(s->params.at(i)); };
    if (s->sql.starts_with("UPDATE rule_execution")) return {text(2), text(3), parse_json(text(5)).value_or(json())};
    if (s->sql.starts_with("INSERT INTO rule_execution") && s->sql.find("actions") != s->sql.npos)
      return {text(5), text(7), parse_json(text(10)).value_or(json())};
  }
  return {};
}
std::vector<std::string> statuses(const entity::decision& d) {
  std::vector<std::string> all;
  for (const auto& one : row_of(d).actions) all.push_back(one["status"]);
  return all;
}
using words = std::vector<std::string>;

std::string refusal(bench& b, const trigger_rule& said) {
  try {
    b.tell(said);
  } catch (const std::runtime_error& why) {
    return why.what();
  }
  return {};
}

} // namespace

CAF_TEST(a single webhook needs no report and carries what it always did) {
  bench b{rule_with("event", {{"types", {"reading"}}}, hook("a"))};
  const auto d = b.tell(one(1));
  CAF_REQUIRE_EQUAL(d.effects.size(), 1u);
  CAF_CHECK(!d.effects[0].report);
  CAF_CHECK(d.effects[0].body.contains("payload"));
  CAF_CHECK_EQUAL(row_of(d).status, "pending");
  CAF_CHECK(!b.logic->view().contains("runs"));
}

CAF_TEST(actions in sequence begin one after the other and the execution succeeds when all are done) {
  bench b{acting({hook("a"), hook("b"), {{"type", "store"}}}, "sequence")};
  auto d = b.tell(one(1));
  CAF_REQUIRE_EQUAL(d.effects.size(), 1u);
  CAF_CHECK(d.effects[0].report);
  CAF_CHECK((statuses(d) == words{"pending", "waiting", "waiting"}));
  d = b.tell(ended("d1-0", "d1"));
  CAF_REQUIRE_EQUAL(d.effects.size(), 1u);
  CAF_CHECK_EQUAL(member(d.effects[0].body, "/endpoint"), "https://example.org/b");
  CAF_CHECK_EQUAL(member(d.effects[0].body, "/payload/exec_id"), "d1");
  CAF_CHECK((statuses(d) == words{"done", "pending", "waiting"}));
  b.now += std::chrono::milliseconds{1'500};
  d = b.tell(ended("d2-0", "d1"));
  CAF_CHECK(d.effects.empty());
  CAF_CHECK((statuses(d) == words{"done", "done", "done"}));
  CAF_CHECK_EQUAL(row_of(d).status, "success");
  CAF_CHECK_EQUAL(storage::as_int(d.statements.back().params.at(4)), 1'500);
  CAF_CHECK_EQUAL(d.publications.size(), 1u);
  CAF_CHECK(!b.logic->view().contains("runs"));
}

CAF_TEST(a report that comes twice begins nothing twice) {
  bench b{acting({hook("a"), hook("b")}, "sequence")};
  b.tell(one(1));
  CAF_CHECK_EQUAL(b.tell(ended("d1-0", "d1")).effects.size(), 1u);
  const auto again = b.tell(ended("d1-0", "d1"));
  CAF_CHECK(again.effects.empty());
  CAF_CHECK(again.events.empty());
  CAF_CHECK(again.statements.empty());
}

CAF_TEST(a failure stops the sequence unless the action says otherwise) {
  bench stops{acting({hook("a"), hook("b")}, "sequence")};
  stops.tell(one(1));
  auto d = stops.tell(ended("d1-0", "d1", false));
  CAF_CHECK(d.effects.empty());
  CAF_CHECK((statuses(d) == words{"failed", "skipped"}));
  CAF_CHECK_EQUAL(row_of(d).status, "fail");
  CAF_CHECK_EQUAL(row_of(d).error, "Action 1 (webhook): refused");
  bench goes_on{acting({hook("a", {{"on_error", "continue"}}), hook("b")}, "sequence")};
  goes_on.tell(one(1));
  CAF_CHECK_EQUAL(goes_on.tell(ended("d1-0", "d1", false)).effects.size(), 1u);
  d = goes_on.tell(ended("d2-0", "d1"));
  CAF_CHECK((statuses(d) == words{"failed", "done"}));
  CAF_CHECK_EQUAL(row_of(d).status, "fail");
}

CAF_TEST(actions in parallel begin at once and the execution waits for the last) {
  bench b{acting({hook("a"), hook("b")})};
  auto d = b.tell(one(1));
  CAF_CHECK_EQUAL(d.effects.size(), 2u);
  CAF_CHECK(d.effects[0].report && d.effects[1].report);
  d = b.tell(ended("d1-1", "d1", false));
  CAF_CHECK_EQUAL(row_of(d).status, "pending");
  d = b.tell(ended("d1-0", "d1"));
  CAF_CHECK_EQUAL(row_of(d).status, "fail");
}

CAF_TEST(an action whose condition does not hold is skipped) {
  const json when{{"field", "t"}, {"op", ">"}, {"value", 5}};
  bench b{acting({hook("a", {{"when", when}}), {{"type", "store"}, {"when", when}}})};
  auto d = b.tell(one(1));
  CAF_CHECK(d.effects.empty());
  CAF_CHECK((statuses(d) == words{"skipped", "skipped"}));
  CAF_CHECK_EQUAL(row_of(d).status, "success");
  d = b.tell(one(2, {{"t", 9}}));
  CAF_CHECK_EQUAL(d.effects.size(), 1u);
}

CAF_TEST(what is under way survives a snapshot and a new version) {
  const auto rule = acting({hook("a"), hook("b")}, "sequence");
  bench before{rule};
  before.tell(one(1));
  bench after{acting({{{"type", "store"}}})};
  CAF_REQUIRE(after.logic->restore(before.logic->snapshot()).has_value());
  after.decisions = 10;
  auto d = after.tell(ended("d1-0", "d1"));
  CAF_REQUIRE_EQUAL(d.effects.size(), 1u);
  CAF_CHECK_EQUAL(member(d.effects[0].body, "/endpoint"), "https://example.org/b");
  d = after.tell(ended("d11-0", "d1"));
  CAF_CHECK_EQUAL(row_of(d).status, "success");
}

CAF_TEST(a rule triggers another one with a payload of its own) {
  bench b{rule_with("event", {{"types", {"reading"}}},
                    {{"type", "trigger_rule"}, {"rule_id", "other"}, {"payload", {{"t", "{{t}} of {{rule.name}}"}}}})};
  const auto d = b.tell(one(1));
  CAF_REQUIRE_EQUAL(d.effects.size(), 1u);
  CAF_CHECK(d.effects[0].report);
  const auto said = entity::wish_of(d.effects[0]);
  CAF_CHECK_EQUAL(said.to_kind, "rule");
  CAF_CHECK_EQUAL(said.to_key, "other");
  const auto message = said.body.get<trigger_rule>();
  CAF_CHECK_EQUAL(member(message.payload, "/t"), "1 of a rule");
  CAF_CHECK(message.chain == words{ref.key});
  CAF_CHECK(!message.delivery_id.empty());
}

CAF_TEST(rules that would trigger each other for ever are stopped and say so) {
  const auto rule = rule_with("event", {{"types", {"reading"}}}, {{"type", "trigger_rule"}, {"rule_id", "first"}});
  bench b{rule};
  trigger_rule said{{{"t", 1}}, "rule:first", {"first"}, "x#0"};
  const auto d = b.tell(said);
  CAF_CHECK(d.effects.empty());
  CAF_CHECK_EQUAL(row_of(d).status, "fail");
  CAF_CHECK(row_of(d).error.find("for ever") != std::string::npos);
  CAF_CHECK(row_of(d).error.find("first → " + ref.key + " → first") != std::string::npos);
  said.chain = {"a", ref.key};
  said.delivery_id = "x#1";
  CAF_CHECK(refusal(b, said).find("loop") != std::string::npos);
}

CAF_TEST(a chain of rules ends at its greatest depth) {
  bench b{rule_with("event", {{"types", {"reading"}}}, {{"type", "trigger_rule"}, {"rule_id", "last"}})};
  trigger_rule said{{{"t", 1}}, "rule:g", {"a", "b", "c", "d", "e", "f"}, "x#0"};
  CAF_CHECK_EQUAL(b.tell(said).effects.size(), 1u);
  said.chain.push_back("g");
  said.delivery_id = "x#1";
  const auto d = b.tell(said);
  CAF_CHECK(d.effects.empty());
  CAF_CHECK(row_of(d).error.find("More than 8 rules") != std::string::npos);
}

CAF_TEST(a message of another rule is taken once) {
  bench b{rule_with("event", {{"types", {"reading"}}}, hook("a"))};
  const trigger_rule said{{{"t", 1}}, "rule:first", {"first"}, "x#0"};
  CAF_CHECK_EQUAL(b.tell(said).effects.size(), 1u);
  const auto again = b.tell(said);
  CAF_CHECK(again.effects.empty());
  CAF_CHECK(again.events.empty());
  bench later{rule_with("event", {{"types", {"reading"}}}, hook("a"))};
  CAF_REQUIRE(later.logic->restore(b.logic->snapshot()).has_value());
  CAF_CHECK(later.tell(said).effects.empty());
}

CAF_TEST(a paused rule is not triggered by others) {
  auto rule = rule_with("event", {{"types", {"reading"}}}, hook("a"));
  rule["is_active"] = false;
  bench b{rule};
  CAF_CHECK(refusal(b, {{{"t", 1}}, "rule:first", {"first"}, "x#0"}).find("paused") != std::string::npos);
  CAF_CHECK_EQUAL(b.tell(trigger_rule{{{"t", 1}}, "ann", {}, {}}).effects.size(), 1u);
}

CAF_TEST(an unknown API definition fails in words that help) {
  bench b{rule_with("event", {{"types", {"reading"}}}, {{"type", "http"}, {"api_id", "billing"}})};
  auto d = b.tell(one(1));
  CAF_REQUIRE_EQUAL(d.effects.size(), 1u);
  auto told = ended("d1-0", "d1", false);
  told.error_name = "NOT_FOUND";
  d = b.tell(told);
  CAF_CHECK_EQUAL(row_of(d).status, "fail");
  CAF_CHECK_EQUAL(row_of(d).error, "There is no API definition 'billing'.");
}

CAF_TEST(a rule whose receivers hang has a bound of executions under way) {
  auto rule = acting({hook("a"), hook("b")}, "sequence");
  rule["max_firings_per_minute"] = 10'000;
  bench b{rule};
  evaluate_events batch;
  for (std::uint64_t i = 0; i < runs_max + 5; ++i) batch.events.push_back(reading(i, {{"t", 1}}));
  const auto d = b.tell(batch);
  CAF_CHECK_EQUAL(d.effects.size(), runs_max);
  CAF_CHECK_EQUAL(row_of(d).status, "fail");
  CAF_CHECK(row_of(d).error.find("Too many executions") != std::string::npos);
  b.now += std::chrono::hours{25};
  CAF_CHECK_EQUAL(b.tell(one(10'000)).effects.size(), 0u); // makes room
  CAF_CHECK_EQUAL(b.tell(one(10'001)).effects.size(), 1u);
}

CAF_TEST(a minute has room for so many firings and the next one again) {
  firing_throttle throttle{2};
  const auto start = from_micros(1'800'000'000'000'000);
  CAF_CHECK(throttle.admit(start));
  CAF_CHECK(throttle.admit(start));
  CAF_CHECK(!throttle.admit(start + std::chrono::seconds{1}));
  CAF_CHECK_EQUAL(throttle.refused(), 1);
  CAF_CHECK(throttle.admit(start + std::chrono::minutes{1}));
  CAF_CHECK_EQUAL(throttle.refused(), 0);
}

CAF_TEST(a storm fires up to the limit and leaves one row a minute about the rest) {
  auto rule = rule_with("event", {{"types", {"reading"}}}, hook("a"));
  rule["max_firings_per_minute"] = 3;
  bench b{rule};
  evaluate_events batch;
  for (std::uint64_t i = 0; i < 10; ++i) batch.events.push_back(reading(i, {{"t", 1}}));
  const auto d = b.tell(batch);
  CAF_CHECK_EQUAL(d.effects.size(), 3u);
  const auto& told = d.statements.back();
  CAF_CHECK(told.sql.find("'throttled'") != std::string_view::npos);
  CAF_CHECK_EQUAL(member(*parse_json(storage::as_text(told.params.at(7))), "/throttled"), 7);
  const auto first_id = storage::as_text(told.params.at(0));
  const auto more = b.tell(one(11));
  CAF_CHECK(more.effects.empty());
  CAF_CHECK_EQUAL(storage::as_text(more.statements.back().params.at(0)), first_id);
  CAF_CHECK_EQUAL(member(b.logic->view(), "/throttled"), 8);
  CAF_CHECK_EQUAL(member(b.logic->view(), "/fired"), 3);
  b.now += std::chrono::minutes{1};
  CAF_CHECK_EQUAL(b.tell(one(12)).effects.size(), 1u);
  CAF_CHECK(b.tell(one(5)).effects.empty()); // what was left out is decided, too
}

CAF_TEST(people may fire a throttled rule by hand) {
  auto rule = rule_with("event", {{"types", {"reading"}}}, hook("a"));
  rule["max_firings_per_minute"] = 1;
  bench b{rule};
  b.tell(one(1));
  CAF_CHECK_EQUAL(b.tell(trigger_rule{{{"t", 1}}, "ann", {}, {}}).effects.size(), 1u);
  const auto d = b.tell(trigger_rule{{{"t", 1}}, "rule:x", {"x"}, "x#0"});
  CAF_CHECK(d.effects.empty());
  CAF_CHECK_EQUAL(d.reply.as<rule_triggered>()->error, "The rule is throttled.");
}

CAF_TEST(an action that wants it runs again when the alert is resolved) {
  auto rule = rule_with("event", {{"field", "t"}, {"op", ">"}, {"value", 5}},
                        json::array({hook("up"), hook("down", {{"on", {"resolved"}}})}));
  rule["alert"] = json::object();
  bench b{rule};
  auto d = b.tell(one(1, {{"t", 9}}));
  std::size_t up = 0, down = 0;
  const auto count = [&](const entity::decision& made) {
    for (const auto& e : made.effects) {
      if (e.type != "webhook") continue;
      up += e.body.value("endpoint", "") == "https://example.org/up";
      down += e.body.value("endpoint", "") == "https://example.org/down";
    }
  };
  count(d);
  CAF_CHECK_EQUAL(up, 1u);
  CAF_CHECK_EQUAL(down, 0u);
  d = b.tell(one(2, {{"t", 1}}));
  count(d);
  for (int i = 0; i < 5 && down == 0; ++i)
    if (auto at = b.logic->wake_at()) {
      b.now = *at;
      count(b.tell(entity::wake_entity{}));
    }
  CAF_CHECK_EQUAL(up, 1u);
  CAF_CHECK_EQUAL(down, 1u);
}

CAF_TEST(what is under way when the rule is deleted ends as cancelled and says so) {
  bench b{acting({hook("a"), hook("b")}, "sequence")};
  b.tell(one(1));
  const auto last = b.logic->farewell({b.now, b.context, "d9"});
  CAF_CHECK((statuses(last) == words{"cancelled", "cancelled"}));
  const auto told = row_of(last);
  CAF_CHECK_EQUAL(told.status, "cancelled");
  CAF_CHECK(told.error.find("The rule was deleted before this action ended. It had begun") != std::string::npos);
  CAF_CHECK_EQUAL(told.actions[1]["error"], "The rule was deleted before this action ended.");
  bench idle{acting({hook("a"), hook("b")}, "sequence")};
  CAF_CHECK(idle.logic->farewell({idle.now, idle.context, "d9"}).statements.empty());
}
