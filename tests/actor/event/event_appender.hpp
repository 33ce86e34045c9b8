#pragma once

// The writer of the event log. Included once for each database, with CAF_SUITE and TOBIT_TESTED_KIND defined.

#include "tests/actor/event/event_fixture.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::event;

namespace {

struct fixture : testing::event_fixture {
  fixture() : event_fixture(TOBIT_TESTED_KIND) {}

  std::int64_t events_stored() {
    return storage::as_int(
        (*stored->read_and_wait({"SELECT coalesce(sum(count), 0) FROM event_batch", {}, {}, {}}))[0][0]);
  }
  /// "accepted/duplicate", an error's name, or "-" while there is no answer.
  static std::string told(const std::shared_ptr<std::optional<result<ingest_report>>>& slot) {
    if (!*slot) return "-";
    if (!**slot) return std::string(describe((*slot)->error().code).name);
    return std::to_string((**slot)->accepted) + "/" + std::to_string((**slot)->duplicate);
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(event_appender_tests, fixture)

CAF_TEST(events are acknowledged after the commit) {
  db->hold(true);
  auto answer = send({"a", "b"});
  drain();
  CAF_CHECK_EQUAL(told(answer), "-");
  CAF_CHECK(db->step());
  drain();
  CAF_CHECK_EQUAL(told(answer), "2/0");
  CAF_CHECK_EQUAL(events_stored(), 2);
}

CAF_TEST(offsets have no gaps and requests are written together) {
  db->hold(true);
  send({"a"});
  std::vector<std::shared_ptr<std::optional<result<ingest_report>>>> answers;
  for (int i = 0; i < 10; ++i) answers.push_back(send({"x" + std::to_string(i), "y" + std::to_string(i)}));
  CAF_CHECK(db->step());
  drain();
  CAF_CHECK_EQUAL(db->waiting(), 1u);
  CAF_CHECK(db->step());
  drain();
  for (const auto& answer : answers) CAF_CHECK_EQUAL(told(answer), "2/0");
  auto rows = stored->read_and_wait({"SELECT first_offset, count FROM event_batch ORDER BY first_offset", {}, {}, {}});
  CAF_REQUIRE(rows);
  std::int64_t next = 0;
  for (const auto& row : rows->values) {
    CAF_CHECK_EQUAL(storage::as_int(row[0]), next);
    next += storage::as_int(row[1]);
  }
  CAF_CHECK_EQUAL(next, 21);
}

CAF_TEST(a repeated event is counted once wherever it comes) {
  auto first = send({"a", "b", "a"});
  drain();
  CAF_CHECK_EQUAL(told(first), "2/1");
  auto again = send({"a", "b"});
  auto mixed = send({"b", "c", "d"});
  drain();
  CAF_CHECK_EQUAL(told(again), "0/2");
  CAF_CHECK_EQUAL(told(mixed), "2/1");
  CAF_CHECK_EQUAL(events_stored(), 4);
}

CAF_TEST(a duplicate of what is not yet committed waits for that commit) {
  db->hold(true);
  auto first = send({"a"});
  auto again = send({"a"});
  drain();
  CAF_CHECK_EQUAL(told(again), "-");
  CAF_CHECK(db->step());
  drain();
  CAF_CHECK_EQUAL(told(first), "1/0");
  CAF_CHECK_EQUAL(told(again), "0/1");
}

CAF_TEST(when the database fails nothing is taken and the ids are forgotten) {
  db->fail_writes(1, error{error_code::storage_full});
  db->hold(true);
  auto first = send({"a", "b"});
  auto second = send({"b", "c"}); // joins the next group
  db->step();
  drain();
  CAF_CHECK_EQUAL(told(first), std::string(describe(error_code::storage_full).name));
  db->step();
  drain();
  CAF_CHECK_EQUAL(told(second), "2/0");
  db->hold(false);
  auto repeated = send({"a", "b"});
  drain();
  CAF_CHECK_EQUAL(told(repeated), "1/1");
  CAF_CHECK_EQUAL(number(select_end()), 3u);
}

CAF_TEST(an uncertain commit that took effect is acknowledged) {
  uncertain->lie = true;
  auto answer = send({"a", "b"});
  drain();
  CAF_CHECK_EQUAL(told(answer), "2/0");
  auto next = send({"a", "c"});
  drain();
  CAF_CHECK_EQUAL(told(next), "1/1");
  CAF_CHECK_EQUAL(events_stored(), 3);
}

CAF_TEST(an uncertain commit that did not take effect takes nothing) {
  db->fail_writes(1, error{error_code::database_error, std::string(storage::outcome_unknown_sentence)});
  auto answer = send({"a", "b"});
  drain();
  CAF_CHECK_EQUAL(told(answer), std::string(describe(error_code::database_error).name));
  auto repeated = send({"a", "b"});
  drain();
  CAF_CHECK_EQUAL(told(repeated), "2/0");
  CAF_CHECK_EQUAL(number(select_end()), 2u);
}

CAF_TEST(callers do not wait for ever for a lost database and nothing is stored twice) {
  define("r", {});
  uncertain->lie = true;
  db->fail_reads(1'000, error{error_code::database_error});
  auto answer = send({"a", "b"});
  drain();
  CAF_CHECK_EQUAL(told(answer), "-");
  for (int i = 0; i < 50; ++i) pass(std::chrono::milliseconds{250});
  CAF_REQUIRE(answer->has_value() && !**answer);
  CAF_CHECK(storage::outcome_unknown((*answer)->error()));
  db->fail_reads(0, {});
  pass(std::chrono::seconds{1});
  auto repeated = send({"a", "b"});
  pass(std::chrono::seconds{1});
  CAF_CHECK_EQUAL(told(repeated), "0/2");
  CAF_CHECK_EQUAL(events_stored(), 2);
  CAF_CHECK(gateway.seen("r") == range(0, 2));
}

CAF_TEST(a request whose deadline has passed is not written) {
  db->hold(true);
  send({"a"});
  auto late = std::make_shared<append_request>();
  late->context = new_call(system_identity(tenant), time.steady_now() + std::chrono::milliseconds{10});
  ingest_request request;
  request.context = late->context;
  request.body = R"({"type":"t"})";
  late->parsed = *parse_events(request, time.now());
  late->stored = compressed(late->parsed.events.text);
  error_code told_code{};
  late->done = [&](const result<ingest_report>& report) { told_code = report ? error_code{} : report.error().code; };
  appender->append(late);
  time.advance(std::chrono::milliseconds{20});
  db->step();
  drain();
  CAF_CHECK_EQUAL(told_code, error_code::deadline_exceeded);
  CAF_CHECK_EQUAL(events_stored(), 1);
}

CAF_TEST(ids are known again after a restart) {
  send({"a", "b"});
  drain();
  start();
  auto again = send({"b", "c"});
  drain();
  CAF_CHECK_EQUAL(told(again), "1/1");
}

CAF_TEST(stopping writes what waits and refuses what comes) {
  db->hold(true);
  auto first = send({"a"});
  auto second = send({"b"});
  bool stopped = false;
  appender->stop(std::shared_ptr<void>(nullptr, [&](void*) { stopped = true; }));
  auto refused = send({"c"});
  CAF_CHECK_EQUAL(told(refused), std::string(describe(error_code::unavailable).name));
  CAF_CHECK(!stopped);
  while (db->step()) drain();
  CAF_CHECK_EQUAL(told(second), "1/0");
  CAF_CHECK(stopped);
}

CAF_TEST_FIXTURE_SCOPE_END()
