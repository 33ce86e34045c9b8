#define CAF_SUITE channel_state

#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/channel/channel_definition.hpp"
#include "actors/notify/channel/channel_state.hpp"
#include "tests/unit/channel/notice_samples.hpp"

#include <caf/test/dsl.hpp>

using namespace tobit;
using namespace tobit::notify;
using namespace tobit::channel;
using namespace std::chrono_literals;
using testing::disk_notice;
using testing::holds;

namespace {

struct fixture {
  fixture() : context(new_call(system_identity(tenant_id{"default"}))) { use(slack()); }

  static json slack() {
    return {{"name", "Ops"}, {"type", "slack"}, {"config", {{"bot_token", "env:TOBIT_SECRET_S"}, {"channel", "#ops"}}}};
  }
  static json webhook() {
    return {{"name", "Hook"}, {"type", "webhook"}, {"config", {{"url", "https://example.com/h"}}}};
  }
  static json email() {
    return {{"name", "Mail"},
            {"type", "email"},
            {"config",
             {{"smtp_host", "m.example.com"}, {"from_email", "t@example.com"}, {"recipients", {"a@example.com"}}}}};
  }
  static json sms() {
    return {{"name", "SMS"},
            {"type", "sms"},
            {"config",
             {{"account_sid", "AC1"},
              {"auth_token", "env:TOBIT_SECRET_T"},
              {"from_number", "+15550001111"},
              {"recipients", {"+821000000001", "+821000000002", "+821000000003"}}}}};
  }

  void use(json body) {
    auto definition = normalise_channel(ref, body, nullptr, {{}, {{"TOBIT_SECRET_"}, {}}});
    if (!definition) CAF_FAIL(definition.error().message);
    logic = std::make_unique<channel_state>(ref, *definition);
  }

  /// Decides and applies, as the runtime does; then the state is what a restart would give.
  result<entity::decision> say(const message& request) {
    const auto id = "d" + std::to_string(++decisions);
    auto out = logic->decide(request, {now, context, id});
    if (out) {
      for (const auto& event : out->events) {
        auto again = decode_message(event.name(), event.encode());
        if (!again) CAF_FAIL(again.error().message);
        logic->apply(*again);
      }
      const auto snapshot = logic->snapshot();
      if (!logic->restore(snapshot)) CAF_FAIL("the snapshot is not readable");
      if (logic->snapshot() != snapshot) CAF_FAIL("the snapshot does not give the same state");
    }
    return out;
  }
  entity::decision send(const send_notice& notice) {
    auto out = say(message::of(notice));
    if (!out) CAF_FAIL(out.error().message);
    return *out;
  }
  entity::decision settle(const entity::effect& effect, bool done, json answer = nullptr,
                          std::string error = "refused") {
    entity::effect_settled settled;
    settled.effect_id = "e";
    settled.type = effect.type;
    settled.correlation = effect.correlation;
    settled.done = done;
    if (!done) settled.error_name = "EXTERNAL_SERVICE_ERROR", settled.error = std::move(error);
    settled.answer = std::move(answer);
    settled.attempts = 2;
    auto out = say(message::of(settled));
    if (!out) CAF_FAIL(out.error().message);
    return *out;
  }

  static std::string outcome(const entity::decision& d) { return d.reply.as<notice_taken>()->outcome; }
  static std::vector<entity::effect> sends(const entity::decision& d) {
    std::vector<entity::effect> out;
    for (const auto& e : d.effects)
      if (e.type == channel_effect) out.push_back(e);
    return out;
  }
  template <class T>
  static std::vector<T> messages(const entity::decision& d) {
    std::vector<T> out;
    for (const auto& e : d.effects)
      if (e.type == "message" && e.body["name"] == T::wire_name) out.push_back(e.body["body"].get<T>());
    return out;
  }
  static bool writes(const entity::decision& d, std::string_view table) {
    for (const auto& s : d.statements)
      if (s.sql.find(table) != s.sql.npos) return true;
    return false;
  }

  const entity_ref ref{"channel", tenant_id{"default"}, "ops"};
  call_context context;
  utc_time now = from_micros(1'795'000'060'000'000);
  int decisions = 0;
  std::unique_ptr<channel_state> logic;
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(channel_state_suite, fixture)

CAF_TEST(a notice becomes one effect and is settled to whoever asked) {
  register_channel_messages();
  use(webhook());
  const auto taken = send(disk_notice());
  CAF_CHECK_EQUAL(outcome(taken), "sending");
  CAF_REQUIRE_EQUAL(sends(taken).size(), 1u);
  const auto& effect = taken.effects.front();
  CAF_CHECK(effect.report);
  const auto what = effect.body.get<delivery>();
  CAF_CHECK_EQUAL(what.type, "webhook");
  CAF_CHECK_EQUAL(what.title, "[FIRING] Disk of db-1 is full");
  CAF_CHECK_EQUAL(what.key.size(), 32u);
  const auto ended = settle(effect, true, {{"status", 200}});
  const auto told = messages<notice_settled>(ended);
  CAF_REQUIRE_EQUAL(told.size(), 1u);
  CAF_CHECK_EQUAL(told[0].outcome, "sent");
  CAF_CHECK_EQUAL(told[0].notice_id, "n1");
  CAF_CHECK_EQUAL(told[0].channel, "ops");
  CAF_CHECK(writes(ended, "channel_delivery"));
  CAF_CHECK(logic->view()["sent"] == 1);
  CAF_CHECK(logic->view()["on_their_way"] == 0u);
}

CAF_TEST(a repeated notice and a repeated report change nothing) {
  register_channel_messages();
  const auto first = send(disk_notice());
  const auto again = send(disk_notice());
  CAF_CHECK_EQUAL(outcome(again), "repeated");
  CAF_CHECK(again.effects.empty() && again.events.empty() && again.statements.empty());
  settle(first.effects.front(), true);
  const auto late = settle(first.effects.front(), true);
  CAF_CHECK(late.effects.empty() && late.events.empty() && late.statements.empty());
  CAF_CHECK_EQUAL(outcome(send(disk_notice())), "repeated");
}

CAF_TEST(memory of notices is bounded) {
  register_channel_messages();
  auto paused = webhook();
  paused["is_active"] = false;
  use(paused);
  channel_memory memory;
  for (int i = 0; i < 3'000; ++i) memory.apply(message::of(notice_dropped{"n" + std::to_string(i), "paused", 1}));
  CAF_CHECK_EQUAL(memory.known.size(), known_notices_max);
  CAF_CHECK_EQUAL(memory.known_ids.size(), known_notices_max);
  for (int i = 0; i < 2'000; ++i) {
    auto notice = disk_notice("t" + std::to_string(i));
    notice.thread = notice.notice_id;
    memory.apply(message::of(notice_accepted{notice, {}, false, i}));
    memory.apply(message::of(notice_ended{notice.notice_id, "sent", "", nullptr, {}, i}));
  }
  CAF_CHECK(memory.threads.size() <= threads_max + 1);
  CAF_CHECK_EQUAL(memory.open.size(), 0u);
  CAF_CHECK_EQUAL(memory.open_bytes, 0u);
}

CAF_TEST(too many notices on their way are refused until some end) {
  register_channel_messages();
  use(webhook());
  entity::decision first;
  for (std::size_t i = 0; i < open_notices_max; ++i) {
    const message request = message::of(disk_notice("n" + std::to_string(i)));
    const auto id = "d" + std::to_string(i);
    auto out = logic->decide(request, {now, context, id});
    CAF_REQUIRE(out.has_value());
    for (const auto& e : out->events) logic->apply(e);
    if (i == 0) first = std::move(*out);
  }
  auto refused = logic->decide(message::of(disk_notice("one more")), {now, context, "x"});
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK(refused.error().code == error_code::overloaded);
  settle(first.effects.front(), true);
  CAF_CHECK_EQUAL(outcome(send(disk_notice("one more"))), "sending");
}

CAF_TEST(what goes beyond the rate is dropped and counted and told) {
  register_channel_messages();
  auto limited = webhook();
  limited["rate_limit"] = {{"max_per_minute", 2}, {"max_per_hour", 3}};
  use(limited);
  CAF_CHECK_EQUAL(outcome(send(disk_notice("a"))), "sending");
  CAF_CHECK_EQUAL(outcome(send(disk_notice("b"))), "sending");
  const auto dropped = send(disk_notice("c"));
  CAF_CHECK_EQUAL(outcome(dropped), "rate_limited");
  CAF_CHECK(sends(dropped).empty());
  CAF_CHECK(writes(dropped, "channel_delivery"));
  CAF_CHECK(messages<notice_settled>(dropped).at(0).outcome == "rate_limited");
  now += 62s;
  CAF_CHECK_EQUAL(outcome(send(disk_notice("d"))), "sending");
  CAF_CHECK(outcome(send(disk_notice("e"))) == "rate_limited"); // the hour
  CAF_CHECK(logic->view()["rate_limited"] == 2);
}

CAF_TEST(who heard of the beginning hears of the end whatever the rate) {
  register_channel_messages();
  auto limited = webhook();
  limited["rate_limit"] = {{"max_per_minute", 1}};
  use(limited);
  send(disk_notice("a"));
  auto end = disk_notice("b");
  end.reason = "resolved";
  CAF_CHECK_EQUAL(outcome(send(end)), "sending");
  auto other = disk_notice("c");
  other.reason = "resolved";
  other.thread = "never heard of";
  CAF_CHECK_EQUAL(outcome(send(other)), "rate_limited");
}

CAF_TEST(a channel that is switched off drops and says so) {
  register_channel_messages();
  auto off = webhook();
  off["is_active"] = false;
  use(off);
  const auto dropped = send(disk_notice());
  CAF_CHECK_EQUAL(outcome(dropped), "paused");
  CAF_CHECK(messages<notice_settled>(dropped).at(0).outcome == "paused");
  CAF_CHECK(!writes(dropped, "dead_letter"));
}

CAF_TEST(what nobody took becomes a dead letter with its reason) {
  register_channel_messages();
  const auto taken = send(disk_notice());
  const auto ended = settle(taken.effects.front(), false, nullptr, "Slack refused the message: invalid_auth.");
  CAF_CHECK(writes(ended, "INSERT INTO dead_letter"));
  CAF_CHECK(messages<notice_settled>(ended).at(0).outcome == "failed");
  CAF_CHECK(holds(messages<notice_settled>(ended).at(0).error, "invalid_auth"));
  CAF_CHECK(logic->view()["failed"] == 1);
}

CAF_TEST(the fallback is told and takes the report over) {
  register_channel_messages();
  auto with_fallback = slack();
  with_fallback["fallback"] = "mail";
  use(with_fallback);
  const auto taken = send(disk_notice());
  const auto passing = settle(taken.effects.front(), false);
  CAF_REQUIRE_EQUAL(passing.effects.size(), 1u);
  CAF_CHECK_EQUAL(passing.effects[0].body["to_kind"], "channel");
  CAF_CHECK_EQUAL(passing.effects[0].body["to_key"], "mail");
  const auto onward = messages<send_notice>(passing).at(0);
  CAF_CHECK(onward.tried == std::vector<std::string>{"ops"});
  CAF_CHECK_EQUAL(onward.report_key, "default");
  CAF_CHECK(!writes(passing, "dead_letter"));
  const auto ended = settle(passing.effects[0], true);
  CAF_CHECK(messages<notice_settled>(ended).at(0).outcome == "passed_on");
  CAF_CHECK(!writes(ended, "dead_letter"));
  CAF_CHECK(logic->view()["passed_on"] == 1);
}

CAF_TEST(a circle of fallbacks ends in a dead letter that shows it) {
  register_channel_messages();
  auto with_fallback = slack();
  with_fallback["fallback"] = "mail";
  use(with_fallback);
  auto notice = disk_notice();
  notice.tried = {"mail", "sms"};
  const auto ended = settle(send(notice).effects.front(), false);
  CAF_CHECK(writes(ended, "INSERT INTO dead_letter"));
  CAF_CHECK(holds(messages<notice_settled>(ended).at(0).error, "circle: mail → sms → ops → mail"));
}

CAF_TEST(a fallback that cannot take it ends in a dead letter) {
  register_channel_messages();
  auto with_fallback = slack();
  with_fallback["fallback"] = "gone";
  use(with_fallback);
  const auto passing = settle(send(disk_notice()).effects.front(), false);
  const auto ended = settle(passing.effects.at(0), false, nullptr, "channel gone is not known.");
  CAF_CHECK(writes(ended, "INSERT INTO dead_letter"));
  CAF_CHECK(holds(messages<notice_settled>(ended).at(0).error, "'gone' could not take it"));
}

CAF_TEST(updates wait for the place of their thread and then go into it) {
  register_channel_messages();
  const auto first = send(disk_notice("n1"));
  CAF_REQUIRE_EQUAL(sends(first).size(), 1u);
  now += 1s;
  CAF_CHECK(sends(send(disk_notice("n2"))).empty());
  now += 1s;
  CAF_CHECK(sends(send(disk_notice("n3"))).empty());
  CAF_CHECK(logic->view()["waiting_for_thread"] == 2u);
  auto elsewhere = disk_notice("n4");
  elsewhere.thread = "group-2";
  CAF_CHECK_EQUAL(sends(send(elsewhere)).size(), 1u);
  const auto placed = settle(first.effects[0], true, {{"place", {{"ts", "17.1"}, {"channel", "C1"}}}});
  const auto released = sends(placed);
  CAF_REQUIRE_EQUAL(released.size(), 2u);
  CAF_CHECK_EQUAL(released[0].correlation, "n2#0");
  CAF_CHECK_EQUAL(released[1].correlation, "n3#0");
  for (const auto& e : released) CAF_CHECK_EQUAL(e.body["place"]["ts"], "17.1");
  const auto later = sends(send(disk_notice("n5")));
  CAF_REQUIRE_EQUAL(later.size(), 1u);
  CAF_CHECK_EQUAL(later[0].body["place"]["channel"], "C1");
}

CAF_TEST(if the first message fails the next one begins the thread) {
  register_channel_messages();
  const auto first = send(disk_notice("n1"));
  now += 1s;
  send(disk_notice("n2"));
  now += 1s;
  send(disk_notice("n3"));
  const auto failed = settle(first.effects[0], false);
  const auto next = sends(failed);
  CAF_REQUIRE_EQUAL(next.size(), 1u);
  CAF_CHECK_EQUAL(next[0].correlation, "n2#0");
  CAF_CHECK(next[0].body["place"].is_null());
  const auto placed = settle(next[0], true, {{"place", {{"ts", "2"}, {"channel", "C"}}}});
  CAF_REQUIRE_EQUAL(sends(placed).size(), 1u);
  CAF_CHECK(sends(placed)[0].body["place"]["ts"] == "2");
}

CAF_TEST(mails of a thread name the first one without waiting for it) {
  register_channel_messages();
  use(email());
  const auto first = sends(send(disk_notice("n1"))).at(0);
  const auto second = sends(send(disk_notice("n2"))).at(0);
  CAF_CHECK(first.body["place"].is_null());
  CAF_CHECK_EQUAL(second.body["place"]["root"], first.body["key"]);
}

CAF_TEST(every number gets its own message and those not reached are named) {
  register_channel_messages();
  use(sms());
  const auto taken = send(disk_notice());
  const auto parts = sends(taken);
  CAF_REQUIRE_EQUAL(parts.size(), 3u);
  CAF_CHECK(parts[0].body["key"] != parts[1].body["key"]);
  CAF_CHECK(settle(parts[0], true).statements.empty());
  CAF_CHECK(settle(parts[0], true).events.empty()); // told twice
  CAF_CHECK(settle(parts[1], false, nullptr, "no such number").statements.empty());
  const auto ended = settle(parts[2], true);
  CAF_CHECK(writes(ended, "INSERT INTO dead_letter"));
  CAF_CHECK(holds(messages<notice_settled>(ended).at(0).error, "1 of 3 recipients"));
  for (const auto& s : ended.statements)
    if (s.sql.find("dead_letter") != s.sql.npos)
      CAF_CHECK_EQUAL(std::get<std::string>(s.params[12]), "[\"+821000000002\"]");
  // A replay goes to those only.
  replay_notice again{"dl1", disk_notice(), {"+821000000002"}};
  auto replayed = say(message::of(again));
  CAF_REQUIRE(replayed.has_value());
  CAF_REQUIRE_EQUAL(sends(*replayed).size(), 1u);
  CAF_CHECK(sends(*replayed)[0].body["key"] == parts[1].body["key"]); // the same key: nothing twice
  CAF_CHECK(writes(*replayed, "UPDATE dead_letter"));

  CAF_CHECK(settle(sends(*replayed)[0], true).statements.size() == 1u);
}

CAF_TEST(a dead letter that is on its way again is not sent twice) {
  register_channel_messages();
  settle(send(disk_notice()).effects.front(), false);
  const replay_notice again{"dl1", disk_notice(), {}};
  CAF_CHECK_EQUAL(outcome(*say(message::of(again))), "sending");
  const auto twice = say(message::of(again));
  CAF_CHECK_EQUAL(outcome(*twice), "repeated");
  CAF_CHECK(twice->effects.empty());
}

CAF_TEST(malformed notices are refused) {
  register_channel_messages();
  auto notice = disk_notice("");
  CAF_CHECK(!say(message::of(notice)).has_value());
  notice = disk_notice(std::string(201, 'x'));
  CAF_CHECK(!say(message::of(notice)).has_value());
  notice = disk_notice();
  notice.alerts.assign(101, testing::disk_alert());
  CAF_CHECK(!say(message::of(notice)).has_value());
  notice = disk_notice();
  notice.alerts[0].values = {{"x", std::string(600'000, 'y')}};
  const auto large = say(message::of(notice));
  CAF_CHECK(!large && large.error().code == error_code::payload_too_large);
}

CAF_TEST(a snapshot of another release or a damaged one is refused) {
  CAF_CHECK(!logic->restore("{\"v\":2}").has_value());
  CAF_CHECK(!logic->restore("{\"v\":1}").has_value());
  CAF_CHECK(!logic->restore("x").has_value());
  CAF_CHECK(logic->restore("").has_value());
}

CAF_TEST_FIXTURE_SCOPE_END()
