// Crashes, pauses, quarantine and the operator's actions. Included once per database; TOBIT_TESTED_KIND names it.
#include "tests/support/entity_fixture.hpp"

using namespace tobit;
using namespace tobit::testing;
using counter::add_to_counter;
using counter::get_count;
using counter::trouble_counter;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {
struct fixture : entity_fixture<TOBIT_TESTED_KIND> {
  fixture() {
    options.restart.pause_first = milliseconds{100};
    options.restart.pause_max = seconds{10};
    options.restart.restarts_max = 3;
    options.restart.window = seconds{600};
    start();
  }
  error_code crash(const std::string& how = "decide") { return code(ask(ref(), message::of(trouble_counter{how}))); }
  /// Crashes until the entity is set aside.
  void drive_into_quarantine() {
    for (std::size_t i = 0; i <= options.restart.restarts_max; ++i) {
      crash();
      pass(seconds{20});
    }
  }
};
} // namespace

CAF_TEST_FIXTURE_SCOPE(entity_supervision, fixture)

CAF_TEST(an entity that throws comes back after a pause with everything it had) {
  define();
  add(5);
  CAF_CHECK_EQUAL(crash(), error_code::internal_server_error);
  auto waiting = send(ref(), message::of(add_to_counter{1}));
  settle();
  CAF_CHECK(!waiting->has_value());
  pass(milliseconds{99});
  CAF_CHECK(!waiting->has_value());
  pass(milliseconds{1});
  CAF_REQUIRE(waiting->has_value());
  CAF_CHECK_EQUAL(count(**waiting), 6);
}

CAF_TEST(an event that cannot be applied is not stored) {
  define();
  add(5);
  CAF_CHECK_EQUAL(crash("apply"), error_code::internal_server_error);
  pass(seconds{1});
  CAF_CHECK_EQUAL(get(), 5);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM journal"), 1);
}

CAF_TEST(decisions before the crash are committed and answered) {
  define();
  auto before = send(ref(), message::of(add_to_counter{1}));
  auto deadly = send(ref(), message::of(trouble_counter{"decide"}));
  auto after = send(ref(), message::of(add_to_counter{1}));
  settle();
  CAF_CHECK_EQUAL(count(**before), 1);
  CAF_CHECK_EQUAL(code(deadly), error_code::internal_server_error);
  pass(seconds{1});
  CAF_REQUIRE(after->has_value());
  CAF_CHECK_EQUAL(count(**after), 2);
}

CAF_TEST(the message that caused a restart is on record) {
  define();
  const auto with = context();
  send(ref(), message::of(trouble_counter{"decide"}), with);
  pass(seconds{1});
  const auto seen = inspect();
  CAF_CHECK_EQUAL(seen.value("restarts", 0), 1);
  CAF_REQUIRE_EQUAL(seen["restart_history"].size(), 1u);
  const auto& last = seen["restart_history"][0];
  CAF_CHECK_EQUAL(last.value("message", ""), trouble_counter::wire_name);
  CAF_CHECK_EQUAL(last.value("message_body", ""), R"({"how":"decide"})");
  CAF_CHECK_EQUAL(last.value("trace_id", ""), to_string(with.trace));
  CAF_CHECK_EQUAL(last.value("error", ""), "trouble was asked for");
  CAF_CHECK_EQUAL(last.value("outcome", ""), "restarted");
}

CAF_TEST(pauses double with every crash) {
  define();
  for (auto pause : {100, 200, 400}) {
    crash();
    auto waiting = send(ref(), message::of(get_count{}));
    pass(milliseconds{pause - 1});
    CAF_CHECK(!waiting->has_value());
    pass(milliseconds{1});
    CAF_CHECK(waiting->has_value());
  }
}

CAF_TEST(an entity that crashes too often is set aside and says why) {
  define();
  add(5);
  drive_into_quarantine();
  auto refused = ask(ref(), message::of(get_count{}));
  CAF_CHECK_EQUAL(code(refused), error_code::quarantined);
  CAF_CHECK(refused.error().message.find("trouble was asked for") != std::string::npos);
  CAF_CHECK_EQUAL(inspect().value("status", ""), "quarantined");
  CAF_CHECK_EQUAL(rows("SELECT restarts FROM entity"), 4);
}

CAF_TEST(crashes are counted over a death of the process) {
  define();
  for (int i = 0; i < 2; ++i) {
    crash();
    pass(seconds{20});
  }
  kill();
  start();
  for (int i = 0; i < 2; ++i) {
    crash();
    pass(seconds{20});
  }
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(get_count{}))), error_code::quarantined);
  kill();
  start();
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(get_count{}))), error_code::quarantined);
}

CAF_TEST(crashes long ago do not count) {
  define();
  for (int i = 0; i < 8; ++i) {
    crash();
    pass(seconds{601});
  }
  CAF_CHECK_EQUAL(get(), 0);
}

CAF_TEST(an operator revives a quarantined entity and its earlier crashes are forgiven) {
  define();
  add(5);
  drive_into_quarantine();
  CAF_CHECK(control("revive").has_value());
  CAF_CHECK_EQUAL(get(), 5);
  crash();
  pass(seconds{20});
  CAF_CHECK_EQUAL(get(), 5);
  CAF_CHECK_EQUAL(code(control("revive")), error_code::conflict);
}

CAF_TEST(a new version revives a quarantined entity and keeps its state) {
  define();
  add(5);
  drive_into_quarantine();
  auto live = define({{"step", 10}});
  CAF_REQUIRE(live.has_value());
  CAF_CHECK_EQUAL(live->as<entity::definition_live>()->version, 2);
  CAF_CHECK_EQUAL(add(1), 15);
}

CAF_TEST(a version that cannot be loaded leads into quarantine and not into a loop) {
  define();
  CAF_REQUIRE(stored->write_and_wait({{{"UPDATE definition SET body = '{\"broken\":\"throw\"}'"}}, 0}).has_value());
  control("restart");
  for (int i = 0; i < 10; ++i) pass(seconds{20});
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(get_count{}))), error_code::quarantined);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM restart_history"), 4);
}

CAF_TEST(a damaged journal or definition leads into quarantine and can be looked at) {
  define();
  add(1);
  stop();
  CAF_REQUIRE(stored
                  ->write_and_wait({{{"UPDATE entity SET journal_seq = journal_seq + 1"},
                                     {"INSERT INTO journal (kind, tenant, entity_key, seq, name, body, at) SELECT kind,"
                                      " tenant, entity_key, journal_seq, 'unknown.v1', '{}', 0 FROM entity"}},
                                    0})
                  .has_value());
  start();
  auto first = send(ref(), message::of(get_count{}));
  for (int i = 0; i < 10; ++i) pass(seconds{20});
  CAF_CHECK(first->has_value());
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(get_count{}))), error_code::quarantined);
  CAF_REQUIRE(stored->write_and_wait({{{"UPDATE definition SET body = '{'"}}, 0}).has_value());
  stop();
  start();
  CAF_CHECK_EQUAL(inspect().value("status", ""), "quarantined");
  CAF_CHECK(ask(ref(), message::of(entity::delete_entity{})).has_value());
}

CAF_TEST(an operator sets an entity aside and restarts one) {
  define();
  add(5);
  CAF_CHECK(control("quarantine").has_value());
  CAF_CHECK_EQUAL(code(ask(ref(), message::of(get_count{}))), error_code::quarantined);
  CAF_CHECK(control("revive").has_value());
  CAF_CHECK(control("restart").has_value());
  CAF_CHECK_EQUAL(get(), 5);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM audit_log WHERE action IN ('quarantine', 'revive', 'restart')"), 3);
  CAF_CHECK_EQUAL(code(control("explode")), error_code::validation_error);
  CAF_CHECK_EQUAL(code(control("restart", "nobody")), error_code::not_found);
}

CAF_TEST(an action that cannot be stored is not done and says so) {
  define();
  add(5);
  db->fail_writes(1, error{error_code::storage_full});
  CAF_CHECK_EQUAL(code(control("quarantine")), error_code::storage_full);
  CAF_CHECK_EQUAL(get(), 5);
  CAF_CHECK_EQUAL(rows("SELECT COUNT(*) FROM audit_log WHERE action = 'quarantine'"), 0);
}

CAF_TEST(a restart by hand ends the pause) {
  define();
  crash();
  auto waiting = send(ref(), message::of(get_count{}));
  CAF_CHECK(control("restart").has_value());
  settle();
  CAF_CHECK(waiting->has_value());
}

CAF_TEST(an entity in its pause can be looked into) {
  define();
  crash();
  CAF_CHECK_EQUAL(inspect().value("status", ""), "restarting");
}

CAF_TEST(stopping during a pause does not wait for its end) {
  define();
  crash();
  auto waiting = send(ref(), message::of(get_count{}));
  stop();
  CAF_CHECK_EQUAL(code(waiting), error_code::unavailable);
}

CAF_TEST_FIXTURE_SCOPE_END()
