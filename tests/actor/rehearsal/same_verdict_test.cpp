#define CAF_SUITE same_verdict

#include "actors/event/log_reader.hpp"
#include "actors/rehearsal/backtest/backtest.hpp"
#include "actors/rehearsal/file_test/test_run.hpp"
#include "actors/rehearsal/kinds.hpp"
#include "actors/rehearsal/scene.hpp"
#include "actors/rule/rule_kind.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "tests/support/entity_fixture.hpp"

#include <algorithm>
#include <cstdlib>
#include <random>
#include <set>

using namespace tobit;
using namespace tobit::testing;
using namespace std::chrono_literals;

/// Live, backtest, file test and simulation run the same pure state; so whatever the rule and the events are, they come
/// to the same firings and the same alerts at the same times.
namespace {

/// What somebody saw happen: times in microseconds, keys, statuses; ordered.
using sightings = std::vector<std::string>;

std::string sighting(std::int64_t at_us, const std::string& what, const std::string& detail) {
  return std::to_string(at_us) + " " + what + " " + detail;
}

/// Stands where the alerting would stand, and writes down what it is told.
class listening_kind final : public entity::entity_kind {
public:
  class logic final : public entity::entity_logic {
  public:
    explicit logic(sightings& into) : into_(into) {}
    result<entity::decision> decide(const message& request, const entity::moment& at) override {
      const auto body = request.encode();
      for (const auto& one : body.contains("changes") ? body["changes"] : json::array({body}))
        into_.push_back(sighting(to_micros(at.now), one.value("status", ""),
                                 one.value("key", "") + " " + one.value("alert_id", "")));
      return entity::decision{};
    }
    void apply(const message&) override {}
    std::string snapshot() const override { return {}; }
    result<void> restore(std::string_view) override { return {}; }
    json view() const override { return nullptr; }

  private:
    sightings& into_;
  };

  std::string_view name() const noexcept override { return alert::kind_name; }
  result<entity::compiled_definition> compile(const entity_ref&, const json& body, const json*) const override {
    entity::compiled_definition out;
    out.definition = body;
    return out;
  }
  result<std::unique_ptr<entity::entity_logic>> instantiate(const entity_ref&, std::int64_t,
                                                            const json&) const override {
    return std::make_unique<logic>(heard);
  }
  mutable sightings heard;
};

struct no_progress final : job::job_progress {
  void report(std::int64_t, std::int64_t, json) override {}
  bool called_off() const noexcept override { return false; }
};

/// Events of one moment.
struct moment_of_events {
  utc_time at;
  std::vector<std::shared_ptr<const event::event>> events;
};

sightings seen_in(const rehearsal::course& what) {
  sightings out;
  for (const auto& one : what.firings.list)
    out.push_back(sighting(to_micros(one.at), one.failed ? "failed" : "fired", ""));
  for (const auto& one : what.alert_steps.list)
    out.push_back(sighting(to_micros(one.at), one.status, one.key + " " + one.alert_id));
  std::sort(out.begin(), out.end());
  return out;
}

struct fixture : entity_fixture<database_kind::sqlite> {
  fixture() {
    rule::register_rule_messages();
    alert::register_alert_messages();
    kinds.add(rules);
    kinds.add(alerting);
    handler.effect_type = "webhook";
    start();
    CAF_REQUIRE(
        ask({"alerting", tenant, "default"}, message::of(entity::define_entity{json::object(), "create", 0, ""}))
            .has_value());
  }

  // -- what is tried --

  int roll(int most) { return std::uniform_int_distribution<int>(0, most)(chance); }
  bool flip() { return roll(1) == 1; }

  json leaf() {
    static const char* ops[] = {">", "<", ">=", "<=", "==", "!="};
    if (roll(3) == 0) return {{"field", "mode"}, {"op", flip() ? "==" : "!="}, {"value", flip() ? "x" : "y"}};
    return {{"field", "v"}, {"op", ops[roll(5)]}, {"value", roll(10)}};
  }
  json conditions() {
    if (flip()) return leaf();
    json members = json::array();
    for (int i = 0; i <= roll(2); ++i) members.push_back(leaf());
    static const char* logics[] = {"AND", "OR", "NOT"};
    return {{"logic", logics[roll(2)]}, {"conditions", std::move(members)}};
  }
  json random_rule() {
    auto spec = conditions();
    if (flip()) spec["types"] = {"a", "b*"};
    if (flip()) spec["group_by"] = json::array({"host"});
    json out{{"rule_name", "random"},
             {"trigger_type", "event"},
             {"trigger_spec", spec},
             {"severity", flip() ? "high" : "low"},
             {"action_spec", {{"type", "store"}}}};
    if (roll(2) > 0) {
      json terms{{"for_seconds", roll(2) * 10}, {"resolve_after_seconds", 20 + roll(3) * 10}};
      if (flip()) terms["keep_firing_seconds"] = 5;
      if (flip()) terms["cooldown_seconds"] = 15;
      if (roll(3) == 0) terms["max_per_hour"] = 1 + roll(2);
      out["alert"] = std::move(terms);
    }
    return out;
  }
  json windowed(json rule) {
    static const char* types[] = {"tumbling", "sliding", "session"};
    const std::string type = types[roll(2)];
    json window{{"type", type}};
    if (type == "session")
      window["gap_seconds"] = 5 + roll(10);
    else
      window["size_seconds"] = 10 * (1 + roll(2));
    if (type == "sliding") window["slide_seconds"] = 5;
    if (flip()) window["time"] = "arrival";
    rule["trigger_spec"]["window_config"] = std::move(window);
    rule["trigger_spec"]["aggregation"] = {
        {"type", flip() ? "count" : "sum"}, {"field", "v"}, {"op", ">"}, {"threshold", roll(6)}};
    return rule;
  }

  std::vector<moment_of_events> random_events(utc_time from, int moments) {
    static const char* types[] = {"a", "b1", "c"};
    std::vector<moment_of_events> out;
    auto at = from;
    int number = 0;
    for (int i = 0; i < moments; ++i) {
      at += std::chrono::seconds{1 + roll(12)};
      moment_of_events now{at, {}};
      for (int k = 0; k <= roll(2); ++k) {
        event::event e;
        e.id = "e" + std::to_string(++number);
        e.source = "/s";
        e.type = types[roll(2)];
        e.time = at - std::chrono::seconds{roll(3) == 0 ? roll(5) : 0};
        e.data = {{"v", roll(10)}, {"mode", flip() ? "x" : "y"}};
        if (roll(4) > 0) e.data["host"] = flip() ? "h1" : "h2";
        now.events.push_back(std::make_shared<const event::event>(std::move(e)));
      }
      out.push_back(std::move(now));
    }
    return out;
  }

  // -- the four ways --

  sightings in_rehearsal(const json& rule, const std::vector<moment_of_events>& events, utc_time begin, utc_time end) {
    rehearsal::course what;
    rehearsal::scene on{rehearsed.table(), tenant, begin, &what};
    CAF_REQUIRE(on.add_rule(key, rule).has_value());
    for (const auto& moment : events) {
      CAF_REQUIRE(on.stage().advance_to(moment.at).has_value());
      CAF_REQUIRE(on.push(moment.events).has_value());
    }
    CAF_REQUIRE(on.stage().advance_to(end).has_value());
    return seen_in(what);
  }

  void store(const std::vector<moment_of_events>& events) {
    std::uint64_t offset = next_offset;
    for (const auto& moment : events) {
      event::logged_batch batch;
      batch.first_offset = offset;
      batch.tenant = tenant;
      batch.received_at = moment.at;
      std::string text;
      std::vector<event::id_hash> hashes;
      for (const auto& e : moment.events) {
        text += to_text(event::to_cloudevent(*e)) + '\n';
        hashes.push_back(event::hash_of(tenant.value, e->source, e->id));
      }
      batch.events = event::index_lines(text).value();
      offset = batch.end_offset();
      storage::unit_of_work unit;
      unit.statements.push_back(event::insert_batch(batch, event::compressed(text), event::to_bytes(hashes)));
      CAF_REQUIRE(stored->write_and_wait(std::move(unit)).has_value());
    }
  }

  sightings in_backtest(const json& rule, utc_time begin, utc_time end) {
    rehearsal::backtest_order order;
    order.tenant = tenant;
    order.rule_id = key;
    order.version = 1;
    order.live = rules.compile({"rule", tenant, key}, rule, nullptr)->definition;
    order.from = begin;
    order.to = end + std::chrono::microseconds{1};
    order.with_alerting = false;
    rehearsal::course what;
    no_progress nobody;
    const auto seen = rehearsal::replay(stored.get(), rehearsed.table(), order, what, nobody);
    if (!seen) CAF_FAIL(seen.error().text());
    return seen_in(what);
  }

  /// Time passes second by second, as it does for a node: timers ring when they are due.
  void live_until(utc_time until) {
    settle();
    while (time.now() < until)
      pass(std::min<std::chrono::milliseconds>(
          1'000ms, std::chrono::duration_cast<std::chrono::milliseconds>(until - time.now())));
  }

  sightings live(const json& rule, const std::vector<moment_of_events>& events, utc_time end) {
    alerting.heard.clear();
    const entity_ref to{"rule", tenant, key};
    CAF_REQUIRE(ask(to, message::of(entity::define_entity{rule, "create", {}, ""})).has_value());
    std::uint64_t offset = next_offset;
    for (const auto& moment : events) {
      live_until(moment.at);
      rule::evaluate_events batch;
      for (const auto& e : moment.events) batch.events.push_back({offset++, e});
      CAF_REQUIRE(ask(to, message::of(std::move(batch))).has_value());
      settle();
    }
    live_until(end);
    auto out = alerting.heard;
    const auto rows = stored->read_and_wait(
        {"SELECT triggered_at, status FROM rule_execution WHERE rule_id = $1 AND status <> 'dry_run'", {key}});
    CAF_REQUIRE(rows.has_value());
    for (const auto& row : rows->values)
      out.push_back(sighting(storage::as_int(row[0]), storage::as_text(row[1]) == "fail" ? "failed" : "fired", ""));
    std::sort(out.begin(), out.end());
    return out;
  }

  /// The sightings of a rehearsal as expectations of a test file.
  std::string as_file(const json& rule, const std::vector<moment_of_events>& events, const sightings& wanted,
                      utc_time begin) {
    auto steps = json::array();
    const bool alerts = rule.contains("alert");
    auto before = utc_time::min();
    for (const auto& moment : events) {
      auto pushed = json::array();
      for (const auto& e : moment.events) pushed.push_back(event::to_cloudevent(*e));
      json step{{"at", std::to_string((moment.at - begin).count() / 1'000'000) + "s"}, {"push", std::move(pushed)}};
      if (!alerts) {
        // Windows also fire between two moments.
        const auto fired = std::count_if(wanted.begin(), wanted.end(), [&](const auto& one) {
          const auto at = std::stoll(one);
          return at > to_micros(before) && at <= to_micros(moment.at) && one.find(" fired ") != std::string::npos;
        });
        before = moment.at;
        step["expect"] = fired == 0 ? json("nothing") : json{{"status", "firing"}, {"times", fired}};
      } else {
        // Who fires now: everything that began to fire and was not resolved by this moment.
        std::set<std::string> firing;
        for (const auto& one : wanted) {
          if (std::stoll(one) > to_micros(moment.at)) break;
          const auto id = one.substr(one.rfind(' '));
          if (one.find(" firing ") != std::string::npos) firing.insert(id);
          if (one.find(" resolved ") != std::string::npos) firing.erase(id);
        }
        step["expect"] = {{"status", "firing"}, {"times", firing.size()}};
      }
      steps.push_back(std::move(step));
    }
    return to_text(json{{"start", to_rfc3339(begin)}, {"rules", json::array({rule})}, {"timeline", std::move(steps)}});
  }

  void compare(const sightings& a, const sightings& b, const char* what) {
    CAF_CHECK_EQUAL(a.size(), b.size());
    for (std::size_t i = 0; i < a.size() && i < b.size(); ++i)
      if (a[i] != b[i]) {
        CAF_ERROR(std::string(what) + ": '" + a[i] + "' here, '" + b[i] + "' there");
        return;
      }
  }

  /// Whether the rule is one that this program knows, and how much happened.
  std::size_t try_one(const json& rule, unsigned seed) {
    key = "r" + std::to_string(seed);
    if (auto compiled = rules.compile({"rule", tenant, key}, rule, nullptr); !compiled) return 0;
    CAF_MESSAGE("seed " << seed << ": " << to_text(rule));
    const auto begin = std::chrono::time_point_cast<std::chrono::microseconds>(
        std::chrono::ceil<std::chrono::seconds>(time.now() + 1s));
    const auto events = random_events(begin, 25);
    const auto end = events.back().at + 90s;
    store(events);
    const auto wanted = in_rehearsal(rule, events, begin, end);
    compare(wanted, in_backtest(rule, begin, end), "backtest");
    compare(wanted, live(rule, events, end), "live");
    auto document = rehearsal::read_test_text(as_file(rule, events, wanted, begin), "generated", ".");
    if (!document) CAF_FAIL(document.error().where << ": " << document.error().message);
    const auto tested = rehearsal::run_test(*document, document->tests.at(0), rehearsed.table());
    if (!tested) CAF_FAIL(tested.error().where << ": " << tested.error().message);
    for (const auto& f : tested->failures)
      CAF_ERROR("file test at " << f.at << ": " << f.expected << ", but " << f.happened);
    if (!rule.contains("alert") && !rule["trigger_spec"].contains("window_config")) simulate_all(events, wanted);
    for (const auto& moment : events) next_offset += moment.events.size();
    CAF_REQUIRE(ask({"rule", tenant, key}, message::of(entity::delete_entity{})).has_value());
    return wanted.size();
  }

  void simulate_all(const std::vector<moment_of_events>& events, const sightings& wanted) {
    std::size_t matched = 0;
    for (const auto& moment : events)
      for (const auto& e : moment.events) {
        auto answer = ask({"rule", tenant, key}, message::of(rule::simulate_rule{event::to_cloudevent(*e), "test"}));
        CAF_REQUIRE(answer.has_value());
        // A simulation takes no notice of the filters on type and source: whoever simulates has chosen the payload.
        const auto types = wanted_types();
        if (!types.empty() && std::none_of(types.begin(), types.end(),
                                           [&](const auto& glob) { return entity::glob_matches(glob, e->type); }))
          continue;
        matched += answer->as<rule::rule_simulated>()->simulation.value("condition_evaluated", false);
      }
    CAF_CHECK_EQUAL(matched, wanted.size());
  }
  std::vector<std::string> wanted_types() {
    const auto rows = stored->read_and_wait({"SELECT body FROM definition WHERE entity_key = $1", {key}});
    CAF_REQUIRE(rows.has_value());
    const auto body = parse_json(storage::as_text((*rows)[0][0])).value();
    return body["trigger_spec"].value("types", std::vector<std::string>{});
  }

  rule::rule_kind rules{{}};
  listening_kind alerting;
  rehearsal::rehearsal_kinds rehearsed;
  std::mt19937 chance;
  std::string key;
  std::uint64_t next_offset = 1;
};

unsigned first_seed() {
  if (const auto* given = std::getenv("TOBIT_TEST_SEED"))
    return static_cast<unsigned>(std::strtoul(given, nullptr, 10));
  return std::random_device{}() % 1'000'000;
}

} // namespace

CAF_TEST_FIXTURE_SCOPE(same_verdict_suite, fixture)

CAF_TEST(random rules come to the same verdicts live in a backtest in a file and simulated) {
  const auto seed = first_seed();
  CAF_MESSAGE("first seed " << seed << " (TOBIT_TEST_SEED repeats it)");
  std::size_t happened = 0;
  for (unsigned i = 0; i < 12; ++i) {
    chance.seed(seed + i);
    happened += try_one(random_rule(), seed + i);
  }
  CAF_CHECK(happened > 0);
}

CAF_TEST(random windows come to the same verdicts) {
  const auto seed = first_seed() + 1'000'000;
  CAF_MESSAGE("first seed " << seed);
  for (unsigned i = 0; i < 8; ++i) {
    chance.seed(seed + i);
    try_one(windowed(random_rule()), seed + i);
  }
}

CAF_TEST_FIXTURE_SCOPE_END()
