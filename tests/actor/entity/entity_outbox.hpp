// Effects: exactly one settlement per decision, whatever happens. Included once per database; TOBIT_TESTED_KIND names
// it.
#include "tests/support/entity_fixture.hpp"

using namespace tobit;
using namespace tobit::testing;
using counter::announce_count;
using entity::effect_outcome;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
struct fixture : entity_fixture<TOBIT_TESTED_KIND> {
  fixture() {
    start();
    define();
  }
  result<message> announce(std::int64_t copies = 1, std::string correlation = "") {
    return ask(ref(), message::of(announce_count{copies, std::move(correlation)}));
  }
  std::int64_t pending() { return rows("SELECT COUNT(*) FROM outbox WHERE status = 'pending'"); }
  std::int64_t done() { return rows("SELECT COUNT(*) FROM outbox WHERE status = 'done'"); }
  std::int64_t settlements() { return rows("SELECT COUNT(*) FROM cluster_value WHERE name LIKE 'settled %'"); }
  static effect_outcome retry(milliseconds after = milliseconds{0}) {
    return {effect_outcome::status::retry, "busy", error_code::external_service_error, after, {}};
  }
};
using outcomes = std::optional<result<std::vector<effect_outcome>>>;
} // namespace

CAF_TEST_FIXTURE_SCOPE(entity_outbox, fixture)

CAF_TEST(an effect is carried out right after its commit and settled once) {
  auto slot = send(ref(), message::of(announce_count{2, ""}));
  consume_messages();
  CAF_CHECK(handler.attempts.empty());
  settle();
  CAF_CHECK(slot->has_value());
  CAF_REQUIRE_EQUAL(handler.attempts.size(), 2u);
  const auto& first = handler.attempts[0];
  CAF_CHECK_EQUAL(first.id.substr(0, 36), handler.attempts[1].id.substr(0, 36));
  CAF_CHECK_EQUAL(first.id.substr(36), "-0");
  CAF_CHECK_EQUAL(first.attempt, 1);
  CAF_CHECK_EQUAL(done(), 2);
  CAF_CHECK_EQUAL(settlements(), 2);
  pass(seconds{60});
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
}

CAF_TEST(an effect belongs to the trace of the message that wanted it) {
  const auto with = context();
  send(ref(), message::of(announce_count{1, ""}), with);
  settle();
  CAF_REQUIRE_EQUAL(handler.attempts.size(), 1u);
  CAF_CHECK(handler.attempts[0].context.trace == with.trace);
  CAF_CHECK(handler.attempts[0].context.parent != with.span);
  CAF_CHECK(handler.attempts[0].context.span != with.span);
}

CAF_TEST(a failed commit lets no effect out) {
  db->fail_writes(1, error{error_code::database_error});
  announce();
  pass(seconds{60});
  CAF_CHECK(handler.attempts.empty());
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM outbox"), 0);
}

CAF_TEST(a failed attempt is repeated with growing pauses and the same id) {
  handler.outcome = retry();
  announce();
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
  pass(milliseconds{999});
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
  pass(milliseconds{1});
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
  handler.outcome = {};
  pass(milliseconds{1999});
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
  pass(milliseconds{1});
  CAF_REQUIRE_EQUAL(handler.attempts.size(), 3u);
  CAF_CHECK_EQUAL(handler.attempts[0].id, handler.attempts[2].id);
  CAF_CHECK_EQUAL(handler.attempts[2].attempt, 3);
  CAF_CHECK_EQUAL(done(), 1);
  CAF_CHECK_EQUAL(rows("SELECT attempts FROM outbox"), 3);
}

CAF_TEST(a receiver may ask for a longer pause) {
  handler.outcome = retry(seconds{30});
  announce();
  handler.outcome = {};
  pass(seconds{29});
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
  for (int i = 0; i < 6; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
}

CAF_TEST(an effect that never succeeds is given up and says why) {
  handler.outcome = retry();
  announce();
  for (int i = 0; i < 60; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(handler.attempts.size(), 3u);
  CAF_CHECK_EQUAL(text("SELECT status FROM outbox"), "failed");
  CAF_CHECK_EQUAL(text("SELECT last_error FROM outbox"), "busy");
  CAF_CHECK_EQUAL(settlements(), 1);
}

CAF_TEST(a handler that forgets its attempt is tried again) {
  handler.drop = true;
  announce();
  handler.drop = false;
  pass(seconds{1});
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
  CAF_CHECK_EQUAL(done(), 1);
}

CAF_TEST(an effect without a handler fails with an explanation) {
  CAF_REQUIRE(stored
                  ->write_and_wait({{{"INSERT INTO outbox (id, shard, kind, tenant, entity_key, effect, body, context,"
                                      " status, next_attempt_at, created_at) VALUES ('x-0', 0, 'counter', 'default',"
                                      " 'a', 'smoke', '{}', '{}', 'pending', 0, 0)"}},
                                    0})
                  .has_value());
  pass(seconds{5});
  CAF_CHECK_EQUAL(text("SELECT status FROM outbox WHERE id = 'x-0'"), "failed");
  CAF_CHECK(text("SELECT last_error FROM outbox WHERE id = 'x-0'").find("smoke") != std::string::npos);
}

CAF_TEST(effects that were under way when the process died are carried out by the next one) {
  handler.hold = true;
  announce(2);
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
  const auto id = handler.attempts[0].id;
  kill();
  handler.hold = false;
  handler.attempts.clear();
  start();
  CAF_REQUIRE_EQUAL(handler.attempts.size(), 2u);
  CAF_CHECK(handler.attempts[0].id == id || handler.attempts[1].id == id);
  CAF_CHECK_EQUAL(done(), 2);
  for (auto& answer : handler.open) answer({}); // the answers of the dead process come late
  settle();
  CAF_CHECK_EQUAL(settlements(), 2);
}

CAF_TEST(a settlement that cannot be stored is stored later and the effect not repeated) {
  handler.hold = true;
  announce();
  db->fail_writes(2, error{error_code::database_error});
  handler.open.at(0)({});
  settle();
  CAF_CHECK_EQUAL(pending(), 1);
  for (int i = 0; i < 10; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(done(), 1);
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
}

CAF_TEST(a node that lost the shard settles nothing) {
  handler.hold = true;
  announce();
  CAF_REQUIRE(stored->write_and_wait({{{"UPDATE shard SET epoch = epoch + 1, owner = 'other'"}}, 0}).has_value());
  handler.open.at(0)({});
  settle();
  CAF_CHECK_EQUAL(pending(), 1);
  CAF_CHECK_EQUAL(settlements(), 0);
  for (int i = 0; i < 60; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(handler.attempts.size(), 1u);
}

CAF_TEST(effects beyond the memory wait as rows and are all carried out) {
  stop();
  options.outbox.memory_max = 4;
  options.outbox.concurrency_max = 2;
  start();
  announce(30);
  for (int i = 0; i < 20; ++i) pass(seconds{1});
  CAF_CHECK_EQUAL(done(), 30);
  CAF_CHECK_EQUAL(handler.attempts.size(), 30u);
}

CAF_TEST(only so many attempts are under way at once) {
  stop();
  options.outbox.concurrency_max = 3;
  start();
  handler.hold = true;
  announce(5);
  CAF_CHECK_EQUAL(handler.attempts.size(), 3u);
  handler.open[0]({});
  settle();
  CAF_CHECK_EQUAL(handler.attempts.size(), 4u);
}

CAF_TEST(whoever waits for the effects of a decision hears how they ended) {
  handler.hold = true;
  announce(2, "exec-1");
  outcomes heard;
  node->when_settled("exec-1", time.steady_now() + seconds{5}, [&](auto ended) { heard = std::move(ended); });
  settle();
  CAF_CHECK(!heard);
  handler.open[0]({effect_outcome::status::done, "", {}, {}, {{"said", "ok"}}});
  settle();
  CAF_CHECK(!heard);
  handler.open[1]({effect_outcome::status::failed, "refused", error_code::external_service_error, {}, {}});
  settle();
  CAF_REQUIRE(heard && heard->has_value());
  CAF_REQUIRE_EQUAL((*heard)->size(), 2u);
  CAF_CHECK((**heard)[0].status == effect_outcome::status::done);
  CAF_CHECK((**heard)[0].answer == json({{"said", "ok"}}));
  CAF_CHECK((**heard)[1].status == effect_outcome::status::failed);
  CAF_CHECK_EQUAL((**heard)[1].error, "refused");
}

CAF_TEST(waiting for effects ends at the deadline and at once where there are none) {
  handler.hold = true;
  announce(1, "exec-2");
  outcomes late, none, empty;
  node->when_settled("exec-2", time.steady_now() + seconds{1}, [&](auto ended) { late = std::move(ended); });
  node->when_settled("nothing", time.steady_now() + seconds{1}, [&](auto ended) { none = std::move(ended); });
  settle();
  CAF_REQUIRE(none && none->has_value());
  CAF_CHECK((*none)->empty());
  for (int i = 0; i < 12; ++i) pass(milliseconds{100});
  CAF_REQUIRE(late && !late->has_value());
  CAF_CHECK_EQUAL(late->error().code, error_code::deadline_exceeded);
}

CAF_TEST(a clock that is set back does not hold up an effect for ever) {
  announce();
  CAF_REQUIRE(stored
                  ->write_and_wait({{{"UPDATE outbox SET status = 'pending', attempts = 1,"
                                      " next_attempt_at = next_attempt_at + 86400000000"}},
                                    0})
                  .has_value());
  CAF_REQUIRE(stored->write_and_wait({{{"DELETE FROM cluster_value WHERE name LIKE 'settled %'"}}, 0}).has_value());
  pass(seconds{5});
  CAF_CHECK_EQUAL(handler.attempts.size(), 2u);
  CAF_CHECK_EQUAL(done(), 1);
}

CAF_TEST(settled rows are removed after their time) {
  announce();
  CAF_CHECK_EQUAL(done(), 1);
  for (int i = 0; i < 25; ++i) pass(std::chrono::hours{1});
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM outbox"), 0);
}

CAF_TEST_FIXTURE_SCOPE_END()
