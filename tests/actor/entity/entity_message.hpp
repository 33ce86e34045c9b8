// Effects that are messages to other entities, and reports about effects. Included once per database;
// TOBIT_TESTED_KIND names it.
#include "runtime/entity/message_to.hpp"
#include "tests/support/entity_fixture.hpp"

using namespace tobit;
using namespace tobit::testing;
using counter::report_to_counter;
using entity::effect_outcome;
using std::chrono::seconds;

namespace {
struct fixture : entity_fixture<TOBIT_TESTED_KIND> {
  fixture() {
    start();
    define();
    define(json::object(), "b");
  }
  result<message> want(std::string type, json body = json::object(), std::int64_t copies = 1) {
    return ask(ref(), message::of(report_to_counter{std::move(type), std::move(body), copies}));
  }
  result<message> say(const json& message_body, std::string_view name = counter::add_to_counter::wire_name,
                      std::string to = "b", std::string kind = "counter") {
    return want("message", entity::message_effect{std::move(kind), std::move(to), std::string(name), message_body});
  }
  std::int64_t count_of(std::string key) { return count(ask(ref(std::move(key)), message::of(counter::get_count{}))); }
  std::int64_t open_reports() { return rows("SELECT COUNT(*) FROM outbox WHERE report_at IS NOT NULL"); }
  static effect_outcome failed() {
    return {effect_outcome::status::failed, "no", error_code::external_service_error, {}, {}};
  }
};
} // namespace

CAF_TEST_FIXTURE_SCOPE(entity_message, fixture)

CAF_TEST(an entity says something to another one through its outbox) {
  say({{"amount", 5}});
  CAF_CHECK_EQUAL(count_of("b"), 5);
  CAF_CHECK_EQUAL(get(), 1'001);
  CAF_CHECK_EQUAL(text("SELECT status FROM outbox"), "done");
}

CAF_TEST(nothing is said before the decision is durable) {
  db->fail_writes(1, error{error_code::database_error});
  say({{"amount", 5}});
  for (int i = 0; i < 10; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(count_of("b"), 0);
}

CAF_TEST(a message that was decided before a death is said by the next process) {
  auto slot =
      send(ref(), message::of(report_to_counter{
                      "message", entity::message_effect{"counter", "b", "tobit.counter.add.v1", {{"amount", 5}}}, 1}));
  consume_messages();
  db->step(); // committed
  kill();
  start();
  settle();
  CAF_CHECK_EQUAL(count_of("b"), 5);
  CAF_CHECK_EQUAL(get(), 1'001);
  CAF_CHECK_EQUAL(open_reports(), 0);
}

CAF_TEST(what the receiver refuses for good fails and what may pass later is tried again) {
  say({{"how", "refuse"}}, "tobit.counter.trouble.v1");
  CAF_CHECK_EQUAL(text("SELECT status FROM outbox"), "failed");
  CAF_CHECK_EQUAL(text("SELECT last_error FROM outbox"), "Refused.");
  CAF_CHECK_EQUAL(get(), 10'001);
  say({{"amount", 1}}, "tobit.counter.add.v1", "nobody");
  say({{"amount", 1}}, "tobit.counter.add.v1", "b", "no such kind");
  say({{"amount", 1}}, "tobit.no.such_message.v1");
  say({{"amount", "many"}});
  want("message", json::array({1}));
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM outbox WHERE status = 'failed'"), 6);
  CAF_CHECK_EQUAL(get(), 60'006);
  define(json::object(), "c");
  control("stop", "c");
  db->fail_reads(1, error{error_code::database_error}); // the receiver cannot be loaded
  say({{"amount", 5}}, "tobit.counter.add.v1", "c");
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM outbox WHERE status = 'pending'"), 1);
  pass(seconds{1});
  pass(seconds{1});
  CAF_CHECK_EQUAL(count_of("c"), 5);
}

CAF_TEST(a message belongs to the trace of the decision that wanted it) {
  const auto with = context();
  send(ref(), message::of(report_to_counter{"test", json::object(), 1}), with);
  settle();
  CAF_REQUIRE_EQUAL(handler.attempts.size(), 1u);
  CAF_CHECK(handler.attempts[0].context.trace == with.trace);
}

CAF_TEST(an entity hears how its effect ended and answers for it once) {
  handler.hold = true;
  want("test");
  CAF_CHECK_EQUAL(get(), 1);
  handler.open.at(0)({effect_outcome::status::done, "", {}, {}, {{"said", "ok"}}});
  settle();
  CAF_CHECK_EQUAL(get(), 1'001);
  CAF_CHECK_EQUAL(open_reports(), 0);
  want("test");
  handler.open.at(1)(failed());
  settle();
  CAF_CHECK_EQUAL(get(), 11'002);
  for (int i = 0; i < 10; ++i) pass(seconds{10});
  CAF_CHECK_EQUAL(get(), 11'002);
}

CAF_TEST(an effect that asked for no report gives none) {
  ask(ref(), message::of(counter::announce_count{1, ""}));
  CAF_CHECK_EQUAL(get(), 1);
  CAF_CHECK_EQUAL(rows("SELECT report FROM outbox"), 0);
}

CAF_TEST(a report that was due when the process died is made by the next one) {
  handler.hold = true;
  want("test");
  handler.open.at(0)({});
  consume_messages();
  db->step(); // the settlement is committed; its answer is on the way
  CAF_CHECK_EQUAL(open_reports(), 1);
  kill();
  handler.hold = false;
  start();
  settle();
  CAF_CHECK_EQUAL(get(), 1'001);
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
  CAF_CHECK_EQUAL(open_reports(), 0);
}

CAF_TEST(a death between the report and its decision repeats the report) {
  handler.hold = true;
  want("test");
  handler.open.at(0)({});
  consume_messages();
  db->step();         // settled
  consume_messages(); // told and decided, not committed
  kill();
  start();
  settle();
  CAF_CHECK_EQUAL(get(), 1'001);
  CAF_CHECK_EQUAL(open_reports(), 0);
}

CAF_TEST(a report that the entity cannot store now comes again) {
  handler.hold = true;
  want("test");
  handler.open.at(0)({});
  consume_messages();
  db->step();
  db->fail_writes(1, error{error_code::database_error});
  settle();
  CAF_CHECK_EQUAL(open_reports(), 1);
  for (int i = 0; i < 10; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 1'001);
  CAF_CHECK_EQUAL(open_reports(), 0);
}

CAF_TEST(a report to a deleted entity is given up at once and says so) {
  handler.hold = true;
  want("test");
  ask(ref(), message::of(entity::delete_entity{}));
  handler.open.at(0)({});
  settle();
  CAF_CHECK_EQUAL(open_reports(), 0);
  CAF_CHECK(text("SELECT report_error FROM outbox").find("not known") != std::string::npos);
}

CAF_TEST(a report to an entity in quarantine waits for a while and is given up in the end) {
  options.outbox.report_attempts_max = 4;
  stop();
  start();
  handler.hold = true;
  want("test");
  control("quarantine");
  handler.open.at(0)({});
  settle();
  CAF_CHECK_EQUAL(open_reports(), 1);
  CAF_CHECK_EQUAL(rows("SELECT report_attempts FROM outbox"), 1);
  for (int i = 0; i < 60; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(open_reports(), 0);
  CAF_CHECK_EQUAL(rows("SELECT report_attempts FROM outbox"), 4);
  control("revive");
  for (int i = 0; i < 10; ++i) pass(seconds{10});
  CAF_CHECK_EQUAL(get(), 1);
}

CAF_TEST(a report waits for the end of a quarantine that is short) {
  handler.hold = true;
  want("test");
  control("quarantine");
  handler.open.at(0)({});
  settle();
  control("revive");
  for (int i = 0; i < 5; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 1'001);
}

CAF_TEST(reports beyond the memory wait as rows and all arrive) {
  options.outbox.memory_max = 4;
  options.outbox.concurrency_max = 2;
  stop();
  start();
  want("test", json::object(), 40);
  for (int i = 0; i < 30; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 40'001);
  CAF_CHECK_EQUAL(open_reports(), 0);
}

CAF_TEST(two entities that talk to each other do not wait for each other) {
  ask(ref(), message::of(report_to_counter{
                 "message",
                 entity::message_effect{
                     "counter",
                     "b",
                     "tobit.counter.report_to.v1",
                     {{"type", "message"},
                      {"body", json(entity::message_effect{"counter", "a", "tobit.counter.add.v1", {{"amount", 7}}})},
                      {"copies", 1}}},
                 1}));
  CAF_CHECK_EQUAL(get(), 1'008);
  CAF_CHECK_EQUAL(count_of("b"), 1'001);
}

CAF_TEST_FIXTURE_SCOPE_END()
