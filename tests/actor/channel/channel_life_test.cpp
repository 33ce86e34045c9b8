#define CAF_SUITE channel_life

#include "actors/notify/adapter/delivery.hpp"
#include "actors/notify/channel/channel_kind.hpp"
#include "tests/support/entity_fixture.hpp"
#include "tests/unit/channel/notice_samples.hpp"

using namespace tobit;
using namespace tobit::channel;
using namespace tobit::testing;

namespace {

struct fixture : entity_fixture<database_kind::sqlite> {
  fixture() {
    register_channel_messages();
    kinds.add(channels);
    handler.effect_type = notify::channel_effect;
    start();
  }

  entity_ref named(std::string key) const { return {"channel", tenant, std::move(key)}; }
  void save(const std::string& key, json more = json::object()) {
    json body{{"name", key}, {"type", "webhook"}, {"config", {{"url", "https://example.com/" + key}}}};
    body.update(more);
    auto done = ask(named(key), message::of(entity::define_entity{body, "update", {}, ""}));
    if (!done) CAF_FAIL(done.error().text());
  }
  static send_notice plain(std::string id = "n1") {
    auto out = disk_notice(std::move(id));
    out.report_kind.clear();
    return out;
  }
  std::string tell(const std::string& key, const send_notice& notice) {
    auto reply = ask(named(key), message::of(notice));
    if (!reply) CAF_FAIL(reply.error().text());
    return reply->as<notice_taken>()->outcome;
  }
  json inspect_channel(const std::string& key) {
    auto reply = ask(named(key), message::of(entity::inspect_entity{}));
    return reply ? reply->as<entity::entity_view>()->view : json();
  }
  void refuse_all() {
    handler.outcome.status = entity::effect_outcome::status::failed;
    handler.outcome.error = "refused";
  }
  void accept_all() { handler.outcome = {}; }
  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const auto& a : handler.attempts) out.push_back(a.body["channel"]);
    return out;
  }

  notify::channel_kind channels{{{}, {{"TOBIT_SECRET_"}, {}}}};
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(channel_life, fixture)

CAF_TEST(a notice goes out once and its end is on record) {
  save("hook");
  CAF_CHECK_EQUAL(tell("hook", plain()), "sending");
  CAF_CHECK_EQUAL(tell("hook", plain()), "repeated");
  settle();
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM channel_delivery WHERE outcome = 'sent'"), 1);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM dead_letter"), 0);
  CAF_CHECK(inspect_channel("hook")["state"]["sent"] == 1);
}

CAF_TEST(a refused notice travels to the fallback and further to a dead letter) {
  save("one", {{"fallback", "two"}});
  save("two", {{"fallback", "one"}});
  refuse_all();
  CAF_CHECK_EQUAL(tell("one", plain()), "sending");
  settle();
  CAF_CHECK(told() == (std::vector<std::string>{"one", "two"}));
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM channel_delivery WHERE channel = 'one' AND outcome = 'passed_on'"), 1);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM dead_letter WHERE channel = 'two'"), 1);
  CAF_CHECK(text("SELECT error FROM dead_letter").find("one → two → one") != std::string::npos);
}

CAF_TEST(a fallback that does not exist leaves a dead letter) {
  save("one", {{"fallback", "nobody"}});
  refuse_all();
  tell("one", plain());
  settle();
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM dead_letter WHERE channel = 'one'"), 1);
}

CAF_TEST(a dead letter is replayed once even if two people press the button) {
  save("hook");
  refuse_all();
  tell("hook", plain());
  settle();
  const auto id = text("SELECT id FROM dead_letter");
  accept_all();
  const message replay = message::of(replay_notice{id, plain(), {}});
  CAF_CHECK(ask(named("hook"), replay).has_value());
  settle();
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM dead_letter WHERE replayed_at IS NOT NULL AND replayed_by = 'ann'"), 1);
  CAF_CHECK(code(ask(named("hook"), replay)) == error_code::conflict);
  settle();
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
  CAF_CHECK_EQUAL(handler.attempts[0].body["key"], handler.attempts[1].body["key"]);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM channel_delivery WHERE outcome = 'sent'"), 1);
}

CAF_TEST(what was on its way when the node died ends after it) {
  save("hook");
  handler.hold = true;
  CAF_CHECK_EQUAL(tell("hook", plain()), "sending");
  settle();
  CAF_REQUIRE_EQUAL(handler.attempts.size(), 1u);
  kill();
  handler.hold = false;
  start();
  pass(std::chrono::minutes{1});
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
  CAF_CHECK_EQUAL(handler.attempts[0].id, handler.attempts[1].id);
  CAF_CHECK_EQUAL(handler.attempts[0].attempt, handler.attempts[1].attempt);
  CAF_CHECK_EQUAL(tell("hook", plain()), "repeated");
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM channel_delivery WHERE outcome = 'sent'"), 1);
}

CAF_TEST(an update of the definition keeps what the channel remembers) {
  save("hook");
  tell("hook", plain());
  settle();
  save("hook", {{"name", "renamed"}});
  CAF_CHECK_EQUAL(tell("hook", plain()), "repeated");
  CAF_CHECK_EQUAL(tell("hook", plain("n2")), "sending");
}

CAF_TEST_FIXTURE_SCOPE_END()
