#define CAF_SUITE poll_loop

#include "actors/poll/poll_loop.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "tests/support/inline_database.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/dsl.hpp>

#include <map>
#include <vector>

using namespace tobit;
using namespace tobit::poll;
using namespace std::chrono_literals;

namespace {

entity_ref numbered(int number) { return {"rule", tenant_id{"default"}, "rule-" + std::to_string(number)}; }

storage::statement sql(std::string_view text, std::vector<storage::value> params = {}) {
  storage::statement s;
  s.sql = text;
  s.params = std::move(params);
  return s;
}

/// Answers at once, later, with an error, or never.
class scripted_source final : public metric_source {
public:
  void read(const entity::poll_interest& what, std::function<void(result<metric_document>)> done) override {
    ++reads;
    if (what.endpoint == "http://hangs/") return held.push_back(std::move(done));
    if (what.endpoint == "http://broken/")
      return done(fail(error_code::external_service_error, "status 500, body begins with: boom"));
    done(std::make_shared<const json>(json{{"value", reads}}));
  }
  int reads = 0;
  std::vector<std::function<void(result<metric_document>)>> held;
};

class listening_entities final : public entity::entity_gateway {
public:
  void ask(entity_ref ref, call_context, message request, reply_handler reply) override {
    const auto* metric = request.as<rule::evaluate_metric>();
    CAF_REQUIRE(metric != nullptr);
    readings[ref.key].push_back(*metric);
    if (answer)
      reply(message::of(rule::metric_evaluated{}));
    else
      held.push_back(std::move(reply));
  }
  std::map<std::string, std::vector<rule::evaluate_metric>> readings;
  std::vector<reply_handler> held;
  bool answer = true;
};

entity::poll_interest every(int seconds, std::string endpoint, std::string source = "http") {
  entity::poll_interest what;
  what.source = std::move(source);
  what.endpoint = std::move(endpoint);
  what.poll_interval_seconds = seconds;
  return what;
}

struct fixture : test_coordinator_fixture<> {
  tobit::testing::scratch_database scratch;
  tobit::testing::inline_database database{*scratch};
  manual_clock time;
  telemetry::metrics metrics;
  listening_entities entities;
  scripted_source source;
  std::unique_ptr<poll_loop> loop;
  std::int64_t version = 0;

  fixture() {
    loop = make_poll_loop(
        {sys, database, entities, time, metrics, {{"http", &source}}, [](const std::string&, const reading& found) {
           return message::of(rule::evaluate_metric{found.document ? *found.document : json(), found.error,
                                                    to_micros(found.observed_at)});
         }});
  }
  ~fixture() {
    loop.reset();
    consume_messages();
  }
  void start() {
    loop->start();
    consume_messages();
  }
  void advance(std::chrono::milliseconds by) {
    for (auto left = by; left > 0ms; left -= 50ms) {
      time.advance(50ms);
      sched.advance_time(50ms);
      consume_messages();
    }
  }
  void store(int number, const json& spec) {
    const auto ref = numbered(number);
    storage::unit_of_work unit;
    unit.statements.push_back(sql("INSERT INTO interest (kind, tenant, entity_key, source, version, spec) "
                                  "VALUES ($1, $2, $3, 'poll', 1, $4)",
                                  {ref.kind, ref.tenant.value, ref.key, to_text(spec)}));
    CAF_REQUIRE(scratch->write_and_wait(std::move(unit)).has_value());
  }
  void want(int number, std::optional<entity::poll_interest> what) {
    loop->interest_changed(numbered(number), ++version + 1, what ? std::optional<json>(json(*what)) : std::nullopt);
    consume_messages();
  }
  const std::vector<rule::evaluate_metric>& readings(int number) { return entities.readings[numbered(number).key]; }
  json figures() {
    json seen;
    loop->inspect([&](json f) { seen = std::move(f); });
    consume_messages();
    return seen;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(poll_loop_tests, fixture)

CAF_TEST(stored interests are polled and their entities get what came) {
  for (int i = 0; i < 3; ++i) store(i, json(every(5, "http://a/")));
  start();
  advance(30s);
  for (int i = 0; i < 3; ++i) {
    CAF_REQUIRE(readings(i).size() >= 5u);
    CAF_CHECK(readings(i)[0].error.empty());
    CAF_CHECK(readings(i)[0].payload["value"].is_number());
    CAF_CHECK(readings(i)[0].observed_at_us > 0);
  }
  CAF_CHECK_EQUAL(static_cast<std::size_t>(source.reads), readings(0).size()); // one poll for all three
  CAF_CHECK_EQUAL(figures()["subscribers"].get<int>(), 3);
  CAF_CHECK(metrics.total(telemetry::metric::polls) >= 5.0);
}

CAF_TEST(a failed poll reaches the entity with the reason) {
  start();
  want(1, every(5, "http://broken/"));
  advance(6s);
  CAF_REQUIRE(!readings(1).empty());
  CAF_CHECK(readings(1)[0].payload.is_null());
  CAF_CHECK(readings(1)[0].error.find("GET http://broken/") != std::string::npos);
  CAF_CHECK(readings(1)[0].error.find("boom") != std::string::npos);
  CAF_CHECK(figures()["recent_failures"][0]["error"].get<std::string>().find("boom") != std::string::npos);
}

CAF_TEST(a source that never answers is given up and does not hold up others) {
  start();
  want(1, every(5, "http://hangs/"));
  want(2, every(5, "http://a/"));
  advance(60s);
  CAF_CHECK_EQUAL(readings(1).size(), 1u);
  CAF_CHECK(readings(1).at(0).error.find("in time") != std::string::npos);
  CAF_CHECK_EQUAL(source.held.size(), 1u);
  CAF_CHECK(readings(2).size() >= 11u);
  source.held[0](std::make_shared<const json>(json{{"value", 1}}));
  advance(6s);
  CAF_CHECK_EQUAL(source.held.size(), 2u); // asked again now that it has answered
}

CAF_TEST(an unknown source and a malformed wish hurt nobody else) {
  store(1, json(every(5, "", "carrier pigeon")));
  store(2, json{{"poll_interval_seconds", "often"}});
  store(3, json(every(5, "http://a/")));
  start();
  advance(20s);
  CAF_CHECK(readings(1).at(0).error.find("carrier pigeon") != std::string::npos);
  CAF_CHECK(readings(2).empty());
  CAF_CHECK(readings(3).size() >= 3u);
}

CAF_TEST(an entity that is still busy gets no further reading) {
  start();
  want(1, every(1, "http://a/"));
  entities.answer = false;
  advance(10s);
  CAF_CHECK_EQUAL(readings(1).size(), 1u);
  for (auto& reply : entities.held) reply(fail(error_code::overloaded)); // whatever it answers
  consume_messages();
  advance(2s);
  CAF_CHECK_EQUAL(readings(1).size(), 2u);
  CAF_CHECK(figures()["busy"].get<int>() >= 8);
}

CAF_TEST(nobody is polled for a removed entity and nobody before the start) {
  want(1, every(1, "http://a/"));
  advance(5s);
  CAF_CHECK_EQUAL(source.reads, 0);
  start();
  want(1, every(1, "http://a/"));
  advance(5s);
  CAF_CHECK(readings(1).size() >= 4u);
  want(1, std::nullopt);
  const auto so_far = source.reads;
  advance(5s);
  CAF_CHECK_EQUAL(source.reads, so_far);
}

CAF_TEST(interests that cannot be read are read again) {
  store(1, json(every(1, "http://a/")));
  database.mode_now = tobit::testing::inline_database::mode::fail;
  start();
  advance(3s);
  CAF_CHECK_EQUAL(figures()["loaded"].get<bool>(), false);
  database.mode_now = tobit::testing::inline_database::mode::work;
  advance(5s);
  CAF_CHECK(readings(1).size() >= 2u);
}

CAF_TEST_FIXTURE_SCOPE_END()
