#define CAF_SUITE tick_ledger

#include "actors/schedule/tick_ledger.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "tests/support/inline_database.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/dsl.hpp>

#include <deque>
#include <map>
#include <random>
#include <set>
#include <stdexcept>
#include <utility>

using namespace tobit;
using namespace tobit::schedule;
using namespace std::chrono_literals;
using testing::inline_database;

namespace {

#ifdef TOBIT_LEDGER_ON_POSTGRESQL
constexpr auto kind_of_database = testing::database_kind::postgresql;
#else
constexpr auto kind_of_database = testing::database_kind::sqlite;
#endif

entity_ref numbered(int number) { return {"rule", tenant_id{"default"}, "rule-" + std::to_string(number)}; }

/// Entities that do what rules do: decide on a tick once, ignore what is not newer. Their state survives crashes.
class ticked_entities final : public entity::entity_gateway {
public:
  void ask(entity_ref ref, call_context context, message request, reply_handler reply) override {
    CAF_CHECK(context.tenant() == ref.tenant);
    const auto* tick = request.as<rule::run_tick>();
    CAF_REQUIRE(tick != nullptr);
    ++asked;
    if (crash_with) throw std::runtime_error(std::exchange(crash_with, nullptr));
    if (refuse_with) return reply(fail(*refuse_with));
    auto& last = last_due[ref.key];
    const bool fires = tick->due_at_us > last;
    if (fires) {
      last = tick->due_at_us;
      fired[ref.key].push_back(from_micros(tick->due_at_us));
      missed[ref.key] += tick->missed;
    }
    auto answer = [reply, fires] { reply(message::of(rule::tick_done{fires})); };
    if (hold)
      held.push_back(std::move(answer));
    else
      answer();
  }
  void release() {
    auto waiting = std::move(held);
    held.clear();
    for (auto& answer : waiting) answer();
  }

  std::map<std::string, std::vector<utc_time>> fired;
  std::map<std::string, std::int64_t> last_due, missed;
  std::optional<error_code> refuse_with;
  const char* crash_with = nullptr;
  bool hold = false;
  std::deque<std::function<void()>> held;
  int asked = 0;
};

storage::statement sql(std::string_view text, std::vector<storage::value> params = {}) {
  storage::statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

json every(int seconds, json more = json::object()) {
  more["interval_seconds"] = seconds;
  return json(parse_schedule(more).value());
}

struct fixture : test_coordinator_fixture<> {
  testing::scratch_database scratch{kind_of_database};
  inline_database database{*scratch};
  manual_clock time{parse_rfc3339("2026-11-20T12:00:00Z").value()};
  telemetry::metrics metrics;
  ticked_entities entities;
  std::unique_ptr<tick_ledger> ledger;
  std::map<std::string, std::int64_t> versions;

  ~fixture() { crash(); }

  void start() {
    ledger = make_tick_ledger(
        {sys, database, entities, time, metrics, [](const entity_ref&, utc_time due, std::int64_t missed) {
           return message::of(rule::run_tick{to_micros(due), missed});
         }});
    ledger->start();
    consume_messages();
  }
  /// The process is gone: no message, no callback, no answer arrives any more.
  void crash() {
    entities.held.clear();
    ledger.reset();
    consume_messages();
    database.mode_now = inline_database::mode::work;
  }
  void restart() {
    crash();
    start();
  }
  void advance(std::chrono::milliseconds by, std::chrono::milliseconds stride = 1s) {
    for (auto left = by; left > 0ms; left -= stride) {
      const auto now = std::min(left, stride);
      time.advance(now);
      sched.advance_time(now);
      consume_messages();
      settle_down();
    }
  }
  /// Ticks that are due at one moment may need several rounds of gathering.
  void settle_down() {
    for (int i = 0; i < 3; ++i) {
      time.advance(5ms);
      sched.advance_time(5ms);
      consume_messages();
    }
  }
  /// As the runtime does it: the row of the interest first, then the listener.
  void want(int number, std::optional<json> spec, bool tell = true) {
    const auto ref = numbered(number);
    const auto version = ++versions[ref.key];
    storage::unit_of_work unit;
    unit.statements.push_back(sql("DELETE FROM interest WHERE kind = $1 AND tenant = $2 AND entity_key = $3",
                                  {ref.kind, ref.tenant.value, ref.key}));
    if (spec)
      unit.statements.push_back(sql("INSERT INTO interest (kind, tenant, entity_key, source, version, spec) "
                                    "VALUES ($1, $2, $3, 'schedule', $4, $5)",
                                    {ref.kind, ref.tenant.value, ref.key, version, to_text(*spec)}));
    CAF_REQUIRE(scratch->write_and_wait(std::move(unit)).has_value());
    if (!tell || !ledger) return;
    ledger->interest_changed(ref, version, std::move(spec));
    consume_messages();
  }
  std::size_t fired(int number) { return entities.fired[numbered(number).key].size(); }

  entity_schedule row_of(int number) {
    entity_schedule found;
    read_schedule(database, numbered(number), [&](result<entity_schedule> schedule) {
      CAF_REQUIRE(schedule.has_value());
      found = std::move(*schedule);
    });
    return found;
  }
  std::string latest(int number) {
    const auto schedule = row_of(number);
    return schedule.ticks.empty() ? "none" : schedule.ticks[0].status;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(tick_ledger_tests, fixture)

CAF_TEST(a schedule fires at its times and its ticks are rows) {
  start();
  want(1, every(10));
  advance(35s);
  CAF_CHECK_EQUAL(fired(1), 3u);
  const auto schedule = row_of(1);
  CAF_CHECK_EQUAL(schedule.tick_count, 3);
  CAF_REQUIRE_EQUAL(schedule.ticks.size(), 3u);
  for (const auto& tick : schedule.ticks) {
    CAF_CHECK_EQUAL(tick.status, "fired");
    CAF_CHECK(tick.settled_at.has_value());
  }
  CAF_CHECK(schedule.ticks[0].due > schedule.ticks[1].due);
  CAF_CHECK(schedule.next_due == schedule.ticks[0].due + 10s);
  CAF_CHECK_EQUAL(ledger->figures().fired, 3u);
  CAF_CHECK_EQUAL(metrics.total(telemetry::metric::ticks), 3.0);
  CAF_CHECK(to_json(schedule)["ticks"].size() == 3);
}

CAF_TEST(schedules defined before the ledger starts are found) {
  for (int i = 0; i < 25; ++i) want(i, every(10), false);
  start();
  CAF_CHECK_EQUAL(ledger->figures().schedules, 25u);
  CAF_CHECK(ledger->figures().loaded);
  advance(10s);
  for (int i = 0; i < 25; ++i) CAF_CHECK_EQUAL(fired(i), 1u);
}

CAF_TEST(a disabled schedule stops and an enabled one begins anew) {
  start();
  want(1, every(10));
  advance(10s);
  want(1, std::nullopt);
  advance(60s);
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK(row_of(1).removed);
  want(1, every(10));
  CAF_CHECK(!row_of(1).removed);
  advance(10s);
  CAF_CHECK_EQUAL(fired(1), 2u);
}

CAF_TEST(a restart does not move the grid of an interval) {
  start();
  want(1, every(60));
  advance(60s);
  CAF_REQUIRE_EQUAL(fired(1), 1u);
  const auto first = entities.fired[numbered(1).key][0];
  advance(25s);
  restart();
  advance(36s);
  CAF_REQUIRE_EQUAL(fired(1), 2u);
  CAF_CHECK(entities.fired[numbered(1).key][1] == first + 60s);
}

CAF_TEST(a tick claimed but not delivered before a crash is delivered after it) {
  start();
  want(1, every(3600, {{"missed", "skip"}}));
  advance(3540s, 60s);
  database.mode_now = inline_database::mode::keep_silent;
  advance(60s, 60s);
  CAF_CHECK_EQUAL(fired(1), 0u);
  crash();
  CAF_CHECK_EQUAL(latest(1), "open");
  start();
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK_EQUAL(latest(1), "fired");
}

CAF_TEST(a tick delivered but not settled before a crash decides nothing again) {
  start();
  want(1, every(3600));
  entities.hold = true;
  advance(3600s, 60s);
  CAF_CHECK_EQUAL(fired(1), 1u);
  crash();
  CAF_CHECK_EQUAL(latest(1), "open");
  entities.hold = false;
  start();
  CAF_CHECK_EQUAL(entities.asked, 2);
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK_EQUAL(latest(1), "fired");
}

CAF_TEST(what was due while nobody ran follows the missed policy) {
  start();
  want(1, every(60, {{"missed", "skip"}}));
  want(2, every(60, {{"missed", "once"}}));
  want(3, every(60, {{"missed", "all"}}));
  want(4, every(60, {{"missed", "all"}, {"missed_max", 3}}));
  crash();
  time.advance(10min + 30s);
  start();
  for (int i = 0; i < 10; ++i) settle_down();
  CAF_CHECK_EQUAL(fired(1), 0u);
  CAF_CHECK_EQUAL(row_of(1).ticks.at(0).missed, 9);
  CAF_CHECK_EQUAL(latest(1), "skipped");
  CAF_CHECK_EQUAL(fired(2), 1u);
  CAF_CHECK_EQUAL(entities.missed[numbered(2).key], 9);
  CAF_CHECK_EQUAL(fired(3), 10u);
  CAF_CHECK_EQUAL(fired(4), 3u);
  CAF_CHECK_EQUAL(ledger->figures().skipped, 17u);
  advance(30s);
  for (int i = 1; i <= 4; ++i) CAF_CHECK_EQUAL(latest(i), "fired");
}

CAF_TEST(overlap decides about ticks that are due while one is under way) {
  start();
  want(1, every(10, {{"overlap", "skip"}}));
  want(2, every(10, {{"overlap", "queue"}}));
  want(3, every(10, {{"overlap", "allow"}}));
  entities.hold = true;
  advance(30s);
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK_EQUAL(fired(2), 1u);
  CAF_CHECK_EQUAL(fired(3), 3u);
  entities.hold = false;
  entities.release();
  consume_messages();
  settle_down();
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK_EQUAL(fired(2), 3u);
  CAF_CHECK_EQUAL(fired(3), 3u);
  CAF_CHECK_EQUAL(row_of(1).ticks.at(0).reason, "overlap");
}

CAF_TEST(a tick that finds its entity overloaded is repeated until it gets through) {
  start();
  want(1, every(3600));
  entities.refuse_with = error_code::overloaded;
  advance(3600s, 60s);
  CAF_CHECK_EQUAL(fired(1), 0u);
  entities.refuse_with = std::nullopt;
  advance(60s);
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK_EQUAL(latest(1), "fired");
}

CAF_TEST(a tick that never gets through is raised as overdue) {
  start();
  want(1, every(3600));
  entities.refuse_with = error_code::unavailable;
  advance(3600s, 60s);
  advance(400s);
  CAF_CHECK_EQUAL(latest(1), "overdue");
  CAF_CHECK_EQUAL(ledger->figures().overdue, 1u);
  entities.refuse_with = std::nullopt;
  advance(3600s, 60s);
  CAF_CHECK_EQUAL(fired(1), 1u);
}

CAF_TEST(a tick of a quarantined entity is settled as failed with the reason) {
  start();
  want(1, every(10));
  entities.refuse_with = error_code::quarantined;
  advance(10s);
  CAF_CHECK_EQUAL(latest(1), "failed");
  CAF_CHECK(!row_of(1).ticks.at(0).reason.empty());
}

CAF_TEST(a database that cannot be written delays ticks and loses none) {
  start();
  want(1, every(10, {{"missed", "all"}}));
  database.mode_now = inline_database::mode::fail;
  advance(45s);
  CAF_CHECK_EQUAL(fired(1), 0u);
  database.mode_now = inline_database::mode::work;
  advance(5s);
  CAF_CHECK_EQUAL(fired(1), 5u);
}

CAF_TEST(a database that cannot be read delays the start) {
  want(1, every(10), false);
  database.mode_now = inline_database::mode::fail;
  start();
  CAF_CHECK(!ledger->figures().loaded);
  database.mode_now = inline_database::mode::work;
  advance(3s);
  CAF_CHECK(ledger->figures().loaded);
  advance(10s);
  CAF_CHECK_EQUAL(fired(1), 1u);
}

CAF_TEST(a clock set back fires nothing twice and a clock set forward misses) {
  start();
  want(1, json(parse_schedule({{"cron", "*/10 * * * *"}, {"missed", "once"}}).value()));
  advance(10min, 10s);
  CAF_CHECK_EQUAL(fired(1), 1u);
  time.set_utc(time.now() - 9min);
  advance(9min, 10s);
  CAF_CHECK_EQUAL(fired(1), 1u);
  advance(10min, 10s);
  CAF_CHECK_EQUAL(fired(1), 2u);
  time.set_utc(time.now() + 1h);
  advance(2s);
  CAF_CHECK_EQUAL(fired(1), 3u);
  CAF_CHECK_EQUAL(entities.missed[numbered(1).key], 5);
}

CAF_TEST(a ledger that crashes is restarted and forgets nothing) {
  start();
  want(1, every(10, {{"missed", "all"}}));
  entities.crash_with = "a defect";
  advance(10s);
  CAF_CHECK_EQUAL(fired(1), 0u);
  want(2, every(10)); // nobody is there to be told
  advance(2s);
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK(ledger->figures().loaded);
  advance(10s);
  CAF_CHECK_EQUAL(fired(1), 2u);
  CAF_CHECK_EQUAL(fired(2), 1u);
}

CAF_TEST(a fenced ledger fires nothing more) {
  ledger =
      make_tick_ledger({sys, database, entities, time, metrics,
                        [](const entity_ref&, utc_time due, std::int64_t missed) {
                          return message::of(rule::run_tick{to_micros(due), missed});
                        },
                        storage::statement{"SELECT 1 FROM cluster_value WHERE name = 'leader_epoch' AND value = $1",
                                           {std::string("7")},
                                           1,
                                           error_code::fenced}});
  ledger->start();
  consume_messages();
  want(1, every(10));
  advance(30s);
  CAF_CHECK_EQUAL(fired(1), 0u);
  CAF_CHECK(ledger->figures().fenced);
}

CAF_TEST(stopping writes what is known and leaves open ticks for the next start) {
  start();
  want(1, every(10));
  want(2, every(3600));
  entities.hold = true;
  advance(10s);
  entities.release();
  ledger->stop(0ms);
  consume_messages();
  CAF_CHECK_EQUAL(fired(1), 1u);
  CAF_CHECK_EQUAL(latest(1), "fired");
  advance(60s);
  CAF_CHECK_EQUAL(fired(1), 1u);
}

CAF_TEST(removed schedules are forgotten after a day with their ticks) {
  start();
  want(1, every(10));
  advance(20s);
  want(1, std::nullopt);
  advance(26h, 10min);
  bool gone = false;
  read_schedule(database, numbered(1),
                [&](result<entity_schedule> found) { gone = !found && found.error().code == error_code::not_found; });
  CAF_CHECK(gone);
  const auto ticks = scratch->read_and_wait(sql("SELECT count(*) FROM tick"));
  CAF_CHECK_EQUAL(storage::as_int((*ticks)[0][0]), 0);
}

CAF_TEST(only the latest ticks of a schedule are kept) {
  start();
  want(1, every(1));
  advance(100s);
  CAF_CHECK(fired(1) >= 100u);
  CAF_CHECK_EQUAL(row_of(1).ticks.size(), 20u);
  CAF_CHECK_EQUAL(row_of(1).tick_count, static_cast<std::int64_t>(fired(1)));
}

CAF_TEST(whatever crashes and clock steps come nothing due is lost and nothing fires twice) {
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937_64 random{seed};
  const auto dice = [&](int sides) { return std::uniform_int_distribution{1, sides}(random); };
  start();
  const auto begin = time.now();
  for (int i = 1; i <= 5; ++i)
    want(i, every(i, {{"missed", "all"}, {"missed_max", 1000}, {"overlap", i % 2 ? "queue" : "allow"}}));
  using mode = inline_database::mode;
  for (int round = 0; round < 120; ++round) {
    switch (dice(8)) {
    case 1:
      restart();
      break;
    case 2:
      database.mode_now = mode::keep_silent;
      break;
    case 3:
      database.mode_now = mode::lose;
      break;
    case 4:
      entities.hold = true;
      break;
    case 5:
      crash();
      time.advance(std::chrono::seconds{dice(5)});
      start();
      break;
    case 6:
      time.set_utc(time.now() + std::chrono::seconds{dice(5)});
      break;
    case 7:
      entities.refuse_with = error_code::overloaded;
      break;
    default:
      break;
    }
    advance(std::chrono::milliseconds{dice(3'000)});
    const bool cut_off = database.mode_now == mode::keep_silent || database.mode_now == mode::lose;
    if (cut_off) restart(); // a write nobody hears of is the last thing a process does
    if (entities.hold) {
      entities.hold = false;
      if (dice(2) == 1)
        restart();
      else
        entities.release();
    }
    entities.refuse_with = std::nullopt;
    consume_messages();
  }
  advance(60s);
  for (int i = 1; i <= 5; ++i) {
    const auto& times = entities.fired[numbered(i).key];
    CAF_REQUIRE(!times.empty());
    for (std::size_t n = 0; n < times.size(); ++n)
      if (times[n] != begin + std::chrono::seconds{i} * static_cast<int>(n + 1)) {
        CAF_ERROR("schedule " << i << " tick " << n << " is " << to_rfc3339(times[n]));
        break;
      }
    CAF_CHECK(time.now() - times.back() < std::chrono::seconds{i + 1});
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
