#define CAF_SUITE alerting_state

#include "tests/unit/alert/alerting_bench.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <map>
#include <random>

using namespace tobit;
using namespace tobit::alert;
using namespace tobit::alert::samples;

CAF_TEST(an alert is told once when it fires and once when it is over) {
  alerting_bench b{with({policy("ops")})};
  b.fire({change("a", "firing")});
  CAF_CHECK_EQUAL(b.said(), "ops firing a");
  b.fire({change("a", "firing")}); // delivered twice
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(10);
  b.fire({change("a", "resolved", 2)});
  CAF_CHECK_EQUAL(b.said(), "ops resolved a-");
  b.fire({change("a", "firing", 1), change("a", "resolved", 2)}); // late repetitions
  b.pass(100'000);
  CAF_CHECK_EQUAL(b.said(), "");
  CAF_CHECK_EQUAL(b.logic->view().value("firing", -1), 0);
}

CAF_TEST(a resolution that overtakes its firing is not followed by it) {
  alerting_bench b{with({policy("ops")})};
  b.fire({change("a", "resolved", 2)});
  b.fire({change("a", "firing", 1)});
  b.pass(10);
  CAF_CHECK_EQUAL(b.said(), "");
}

CAF_TEST(pending alerts are kept but told to nobody) {
  alerting_bench b{with({policy("ops")})};
  b.fire({change("a", "pending")});
  CAF_CHECK_EQUAL(b.logic->view().value("pending", -1), 1);
  b.fire({change("a", "inactive", 2)});
  CAF_CHECK_EQUAL(b.said(), "");
  CAF_CHECK_EQUAL(b.logic->view().value("pending", -1), 0);
}

CAF_TEST(matchers and severity and the rule decide who is told) {
  alerting_bench b{with({policy("loud", {{"severity_min", "high"}}), policy("db", {{"matchers", {"host=~\"db-.*\""}}}),
                         policy("other", {{"rule_id", "r2"}}), policy("off", {{"is_active", false}}),
                         policy("teams", {{"matchers", {{{"label", "team"}, {"op", "in"}, {"value", {"x", "y"}}}}}})})};
  b.fire({change("a", "firing", 1, {{"host", "db-1"}})});
  CAF_CHECK_EQUAL(b.said(), "db firing a");
  b.fire({change("b", "firing", 1, {{"severity", "critical"}, {"team", "y"}})});
  CAF_CHECK_EQUAL(b.said(), "loud firing b | teams firing b");
  b.fire({change("c", "firing")});
  CAF_CHECK_EQUAL(b.said(), "");
  CAF_CHECK(b.history("held").find("no notification fits it") != std::string::npos);
}

CAF_TEST(grouped alerts wait for each other and later ones for the interval) {
  alerting_bench b{
      with({policy("ops", {{"group_by", {"dc"}}, {"group_wait_seconds", 30}, {"group_interval_seconds", 300}})})};
  b.fire({change("a", "firing", 1, {{"dc", "x"}})});
  b.pass(10);
  b.fire({change("b", "firing", 1, {{"dc", "x"}}), change("z", "firing", 1, {{"dc", "y"}})});
  b.pass(19);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops firing a b");
  b.pass(10);
  CAF_CHECK_EQUAL(b.said(), "ops firing z");
  b.fire({change("c", "firing", 1, {{"dc", "x"}}), change("a", "resolved", 2, {{"dc", "x"}})});
  b.pass(289);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops firing b c a-");
}

CAF_TEST(a firing alert is repeated until somebody takes care) {
  alerting_bench b{with({policy("ops", {{"repeat_interval_seconds", 3'600}})})};
  b.fire({change("a", "firing")});
  b.said();
  b.pass(3'599);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops repeat a");
  b.pass(3'600);
  CAF_CHECK_EQUAL(b.said(), "ops repeat a");
  const auto answer = b.tell(acknowledge_alert{"a", "ann", "on it"});
  CAF_REQUIRE(answer.has_value());
  CAF_CHECK(answer->reply.as<alert_answer>()->changed);
  const auto again = b.tell(acknowledge_alert{"a", "bob", ""});
  CAF_CHECK(!again->reply.as<alert_answer>()->changed);
  CAF_CHECK_EQUAL(again->reply.as<alert_answer>()->alert.value("ack_by", ""), "ann");
  b.pass(100'000);
  CAF_CHECK_EQUAL(b.said(), "");
  b.fire({change("a", "resolved", 2)});
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops resolved a-");
}

CAF_TEST(an unknown alert cannot be acknowledged and nothing changes) {
  alerting_bench b{with({policy("ops")})};
  const auto before = b.logic->snapshot();
  const auto refused = b.tell(acknowledge_alert{"nobody", "ann", ""});
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK(refused.error().code == error_code::not_found);
  CAF_CHECK_EQUAL(b.logic->snapshot(), before);
}

CAF_TEST(the cooldown and the rate of a policy delay what they hold back) {
  alerting_bench b{with({policy("ops", {{"policy", {{"cooldown_seconds", 300}, {"max_per_hour", 2}}}})})};
  b.fire({change("a", "firing")});
  CAF_CHECK_EQUAL(b.said(), "ops firing a");
  b.fire({change("a", "resolved", 2)});
  b.pass(10);
  CAF_CHECK_EQUAL(b.said(), "ops resolved a-");
  auto again = change("a2", "firing");
  again.key = "[\"a\"]"; // the same key fires anew
  b.fire({again});
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(289);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops firing a2");
  b.fire({change("b", "firing")});
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(3'600 - 300 - 1);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops firing b");
  CAF_CHECK(b.history("held").find("cooldown") != std::string::npos);
  CAF_CHECK(b.history("held").find("rate limit") != std::string::npos);
}

CAF_TEST(a silence keeps alerts quiet while it lasts and they are told after it) {
  alerting_bench b{with({policy("ops")})};
  const auto put = b.tell(put_silence{"", {{"matchers", {"host=\"db-1\""}}, {"duration_seconds", 600}}, "ann"});
  CAF_REQUIRE(put.has_value());
  const auto id = put->reply.as<silence_answer>()->silence.value("silence_id", "");
  b.fire({change("a", "firing", 1, {{"host", "db-1"}}), change("b", "firing", 1, {{"host", "db-2"}})});
  CAF_CHECK_EQUAL(b.said(), "ops firing b");
  b.pass(599);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops firing a");
  CAF_CHECK(b.history("silenced").find(id) != std::string::npos);
  CAF_CHECK(!b.history("audible").empty());
}

CAF_TEST(a silence that is ended lets its alerts be told) {
  alerting_bench b{with({policy("ops")})};
  b.fire({change("a", "pending", 1, {{"host", "db-1"}})});
  const auto put = b.tell(put_silence{"", {{"matchers", {"host=\"db-1\""}}, {"duration_seconds", 600}}, "ann"});
  b.fire({change("a", "firing", 2, {{"host", "db-1"}})});
  CAF_CHECK_EQUAL(b.said(), "");
  const auto id = put->reply.as<silence_answer>()->silence.value("silence_id", "");
  const auto ended = b.tell(end_silence{id, "ann"});
  CAF_REQUIRE(ended.has_value());
  CAF_CHECK_EQUAL(ended->reply.as<silence_answer>()->affected, 1);
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops firing a");
  CAF_CHECK(!b.tell(end_silence{id, "ann"}).has_value());
}

CAF_TEST(silences without sense are refused with the field) {
  alerting_bench b{with({policy("ops")})};
  const auto refused = [&](json body) {
    const auto answer = b.tell(put_silence{"", std::move(body), "ann"});
    return answer ? std::string("taken") : answer.error().pointer;
  };
  const json host{"host=\"a\""};
  CAF_CHECK_EQUAL(refused({{"matchers", host}}), "/ends_at");
  CAF_CHECK_EQUAL(refused({{"matchers", host}, {"ends_at", "2020-01-01T00:00:00Z"}}), "/ends_at");
  CAF_CHECK_EQUAL(refused({{"matchers", host}, {"ends_at", "soon"}}), "/ends_at");
  CAF_CHECK_EQUAL(refused({{"matchers", host}, {"ends_at", "2099-01-01T00:00:00Z"}}), "/ends_at");
  CAF_CHECK_EQUAL(refused({{"matchers", json::array()}, {"duration_seconds", 60}}), "/matchers");
  CAF_CHECK_EQUAL(refused({{"matchers", {"host=~\".*\""}}, {"duration_seconds", 60}}), "/matchers");
  CAF_CHECK_EQUAL(refused({{"matchers", {"host=~\"(\""}}, {"duration_seconds", 60}}), "/matchers/0/value");
  CAF_CHECK_EQUAL(refused({{"matchers", {"host"}}, {"duration_seconds", 60}}), "/matchers/0");
  CAF_CHECK_EQUAL(refused({{"matchers", host}, {"duration_seconds", 60}, {"forever", true}}), "/forever");
  CAF_CHECK_EQUAL(refused({{"matchers", host}, {"duration_seconds", 60}}), "taken");
}

CAF_TEST(a firing alert inhibits others with equal labels and never itself) {
  const json inhibitions{
      {{"source_matchers", {"kind=\"dc\""}}, {"target_matchers", {"kind=~\"host|dc\""}}, {"equal", {"dc"}}}};
  alerting_bench b{with({policy("ops")}, {{"inhibitions", inhibitions}})};
  b.fire({change("dc", "firing", 1, {{"kind", "dc"}, {"dc", "x"}})});
  CAF_CHECK_EQUAL(b.said(), "ops firing dc");
  b.fire({change("dc2", "firing", 1, {{"kind", "dc"}, {"dc", "x"}})}); // fits both sides, as its inhibitor would
  CAF_CHECK_EQUAL(b.said(), "ops firing dc2");
  b.fire({change("h", "firing", 1, {{"kind", "host"}, {"dc", "x"}}),
          change("i", "firing", 1, {{"kind", "host"}, {"dc", "y"}})});
  CAF_CHECK_EQUAL(b.said(), "ops firing i");
  b.pass(10);
  b.fire({change("dc", "resolved", 2, {{"kind", "dc"}, {"dc", "x"}})});
  b.pass(10);
  CAF_CHECK_EQUAL(b.said(), "ops resolved dc-"); // the other one still fires
  b.fire({change("dc2", "resolved", 2, {{"kind", "dc"}, {"dc", "x"}})});
  b.pass(10);
  const auto said = b.said();
  CAF_CHECK(said.find("ops firing h") != std::string::npos);
  CAF_CHECK(!b.history("inhibited").empty());
}

CAF_TEST(an escalation goes on step by step until somebody takes care) {
  const json escalations{
      {{"escalation_id", "chain"},
       {"steps", {{{"after_seconds", 0}, {"channels", {"first"}}}, {{"after_seconds", 600}, {"on_call", {"duty"}}}}},
       {"then", "bosses"}},
      {{"escalation_id", "bosses"}, {"steps", {{{"after_seconds", 60}, {"channels", {"boss"}}}}}}};
  const json duty{
      {{"on_call_id", "duty"},
       {"people", {{{"name", "ann"}, {"channels", {"ann-sms"}}}, {{"name", "bob"}, {"channels", {"bob-sms"}}}}},
       {"rotation", {{"start", "2027-01-11T09:00"}, {"length_days", 1}}}}};
  const auto definition =
      with({policy("ops", {{"escalation", "chain"}})}, {{"escalations", escalations}, {"on_call", duty}});
  alerting_bench b{definition};
  b.fire({change("a", "firing")});
  CAF_CHECK_EQUAL(b.said(), "ops firing a | first escalation a");
  b.pass(599);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1); // Friday 08:10, the turn that began on Thursday: the fourth, bob's
  CAF_CHECK_EQUAL(b.said(), "bob-sms escalation a");
  b.pass(61);
  CAF_CHECK_EQUAL(b.said(), "boss escalation a");
  b.pass(3'600);
  CAF_CHECK_EQUAL(b.said(), "");

  alerting_bench acked{definition};
  acked.fire({change("a", "firing")});
  acked.said();
  acked.tell(acknowledge_alert{"a", "ann", ""}).value();
  acked.pass(10'000);
  CAF_CHECK_EQUAL(acked.said(), "");
  acked.fire({change("a", "resolved", 2)});
  acked.pass(1);
  CAF_CHECK_EQUAL(acked.said(), "ops resolved a-");
}

CAF_TEST(a policy is quiet in its mute times and tells afterwards) {
  alerting_bench b{with({policy("ops", {{"mute_times", {{{"days", {"fri"}}, {"from", "07:00"}, {"to", "08:30"}}}}})})};
  b.fire({change("a", "firing")});
  b.pass(1'799);
  CAF_CHECK_EQUAL(b.said(), "");
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops firing a");
  CAF_CHECK_EQUAL(b.history("held"), "mute time");
}

CAF_TEST(channels that a rule names are told without a policy) {
  alerting_bench b{with(json::array())};
  auto c = change("a", "firing");
  c.channels = {"slack", "mail"};
  c.message = "look at it";
  b.fire({c});
  CAF_CHECK_EQUAL(b.said(), "slack firing a | mail firing a");
  CAF_CHECK_EQUAL(b.notices.at(0).message, "look at it");
  CAF_CHECK_EQUAL(b.notices.at(0).report_kind, "alerting");
  auto over = change("a", "resolved", 2);
  over.channels = c.channels;
  b.fire({over});
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "slack resolved a- | mail resolved a-");
}

CAF_TEST(a policy with only a webhook address tells it by itself) {
  auto hook = policy("hook", {{"webhook_url", "https://example.org/h"}, {"headers", {{"X-Key", "k"}}}});
  hook.erase("channels");
  alerting_bench b{with({hook})};
  b.fire({change("a", "firing")});
  CAF_CHECK_EQUAL(b.said(), "webhook firing a");
}

CAF_TEST(a flapping alert is not repeated) {
  alerting_bench b{with({policy("ops", {{"repeat_interval_seconds", 60}})})};
  b.fire({change("a", "firing")});
  b.said();
  auto flaps = change("a", "firing", 2);
  flaps.flapping = true;
  b.fire({flaps});
  b.pass(600);
  CAF_CHECK_EQUAL(b.said(), "");
}

CAF_TEST(an alert resolved by hand stays resolved) {
  alerting_bench b{with({policy("ops")})};
  b.fire({change("a", "firing")});
  b.said();
  CAF_CHECK(b.tell(resolve_alert{"a", "ann", "fixed"}).has_value());
  b.pass(1);
  CAF_CHECK_EQUAL(b.said(), "ops resolved a-");
  b.fire({change("a", "firing", 2), change("a", "resolved", 3)});
  b.pass(10);
  CAF_CHECK_EQUAL(b.said(), "");
  CAF_CHECK(!b.tell(resolve_alert{"a", "ann", ""}).has_value());
}

CAF_TEST(a new definition tells of alerts that fire already and forgets policies that are gone) {
  alerting_bench b{with({policy("old")})};
  b.fire({change("a", "firing")});
  b.said();
  alerting_bench next{with({policy("new")})};
  next.now_us = b.now_us;
  CAF_REQUIRE(next.logic->restore(b.logic->snapshot()).has_value());
  next.pass(1);
  CAF_CHECK_EQUAL(next.said(), "new firing a");
  next.pass(100'000);
  CAF_CHECK(next.said().find("old") == std::string::npos);
}

CAF_TEST(how a notice ended stands in its log row) {
  alerting_bench b{with({policy("ops")})};
  b.rows.clear();
  b.tell(channel::notice_settled{"n1", "ops", "failed", "no route", start_us}).value();
  entity::effect_settled lost;
  lost.type = "message";
  lost.correlation = "n2";
  lost.error = "channel ops is not known";
  b.tell(lost).value();
  CAF_REQUIRE_EQUAL(b.rows.size(), 2u);
  for (const auto& row : b.rows) CAF_CHECK_EQUAL(storage::as_text(row.params[1]), "fail");
  CAF_CHECK(b.journal.empty());
}

CAF_TEST(random changes give the same state after replay and after a snapshot and nothing is told twice) {
  const auto given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  std::mt19937_64 random{seed};
  const auto upto = [&](std::int64_t n) { return static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(n)); };
  const json escalations{{{"escalation_id", "chain"},
                          {"repeat", 1},
                          {"repeat_after_seconds", 60},
                          {"steps", {{{"after_seconds", 30}, {"channels", {"boss"}}}}}}};
  const json inhibitions{
      {{"source_matchers", {"kind=\"dc\""}}, {"target_matchers", {"kind=\"host\""}}, {"equal", {"dc"}}}};
  const auto definition =
      with({policy("one", {{"repeat_interval_seconds", 100}, {"escalation", "chain"}}),
            policy("grouped", {{"group_by", {"dc"}}, {"policy", {{"cooldown_seconds", 40}, {"max_per_hour", 9}}}})},
           {{"escalations", escalations}, {"inhibitions", inhibitions}});
  for (int round = 0; round < 20; ++round) {
    alerting_bench b{definition};
    std::map<std::string, std::pair<std::string, std::int64_t>> alerts; // status and change
    std::vector<std::string> silences;
    std::string middle;
    std::size_t journal_at_middle = 0;
    for (int step = 0; step < 120; ++step) {
      b.pass(upto(40));
      if (upto(40) == 0) b.now_us -= upto(100) * second; // an unsteady clock
      const auto id = "a" + std::to_string(upto(6));
      auto& [status, number] = alerts[id];
      const json labels{{"kind", id == "a0" ? "dc" : "host"}, {"dc", std::to_string(id.back() % 2)}};
      switch (upto(6)) {
      case 0:
        (void)b.tell(acknowledge_alert{id, "ann", ""});
        break;
      case 1:
        if (const auto put = b.tell(
                put_silence{"", {{"matchers", {"alert=\"" + id + "\""}}, {"duration_seconds", 1 + upto(90)}}, "ann"}))
          silences.push_back(put->reply.as<silence_answer>()->silence["silence_id"]);
        break;
      case 2:
        if (!silences.empty())
          (void)b.tell(
              end_silence{silences[static_cast<std::size_t>(upto(static_cast<std::int64_t>(silences.size())))], "ann"});
        break;
      default:
        if (status != "resolved") {
          status = status == "firing" ? "resolved" : "firing";
          b.fire({change(id, status, ++number, labels)});
          if (upto(3) == 0) b.fire({change(id, status, number, labels)});
        }
      }
      if (step == 60) {
        middle = b.logic->snapshot();
        journal_at_middle = b.journal.size();
      }
    }
    std::map<std::string, int> firing_notices; // by policy and alert
    for (const auto& n : b.notices)
      if (n.policy_id == "one" && n.reason == "firing")
        for (const auto& a : n.alerts) ++firing_notices[a.alert_id];
    for (const auto& [id, count] : firing_notices) CAF_CHECK_EQUAL(count, 1);
    const auto end = b.logic->snapshot();
    auto replayed = start(definition), resumed = start(definition), copied = start(definition);
    for (const auto& e : b.journal) {
      replayed->apply(*decode_message(e.name(), *parse_json(to_text(e.encode()))));
      replayed->apply(e); // twice is as good as once
    }
    CAF_REQUIRE(resumed->restore(middle).has_value());
    for (std::size_t i = journal_at_middle; i < b.journal.size(); ++i) resumed->apply(b.journal[i]);
    CAF_REQUIRE(copied->restore(end).has_value());
    CAF_REQUIRE_EQUAL(replayed->snapshot(), end);
    CAF_REQUIRE_EQUAL(resumed->snapshot(), end);
    CAF_REQUIRE_EQUAL(copied->snapshot(), end);
    CAF_REQUIRE(copied->wake_at() == b.logic->wake_at());
  }
}
