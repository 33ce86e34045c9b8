#define CAF_SUITE rules

#include "tests/actor/http/edge_fixture.hpp"
#include "tests/actor/http/fake_entities.hpp"

#include <caf/test/unit_test.hpp>

#include <deque>
#include <set>

using namespace tobit;
using namespace std::chrono_literals;
using testing::edge_fixture;

namespace {

struct rule_fixture : edge_fixture {
  testing::fake_entities entities{store.get()};
  testing::fake_intake intake;
  testing::rule_kinds rules;

  rule_fixture() {
    deps.entities = &entities;
    deps.effects = &entities;
    deps.kinds = &rules.kinds;
    deps.intake = &intake;
    start();
    sign_in();
  }
  ~rule_fixture() { entities.forget(), edge->stop(), edge->finish(), store.close(); }

  json rule(const std::string& name = "cpu") const {
    return {{"rule_name", name},
            {"trigger_type", "schedule"},
            {"trigger_spec", {{"interval_seconds", 60}}},
            {"action_spec", {{"type", "store"}}}};
  }
  std::string create(const std::string& name = "cpu") {
    const auto answer = ask("POST", "/cep/rules", rule(name));
    if (answer.status() != 201) throw std::runtime_error(answer.answer.body);
    return answer.at("/data/rule/rule_id");
  }
  void execute(const std::string& sql, std::vector<storage::value> params = {}) {
    static std::deque<std::string> kept;
    auto written = store->write_and_wait({{{kept.emplace_back(sql), std::move(params)}}});
    if (!written) throw std::runtime_error(written.error().message);
  }
  void store_event(const std::string& id, std::int64_t at, const std::string& severity = "warning") {
    execute("INSERT INTO rule_event (event_id, tenant, rule_id, rule_name, exec_id, triggered_at, status, severity, "
            "summary, payload, trace_id)"
            " VALUES ($1, 'default', 'r1', 'cpu', 'x1', $2, 'fired', $3, 'hot', '{\"cpu\":99}', 't')",
            {id, at, severity});
  }
};

} // namespace

CAF_TEST(a rule is created read changed and deleted) {
  rule_fixture f;
  const auto made = f.ask("POST", "/cep/rules", f.rule());
  CAF_CHECK_EQUAL(made.status(), 201);
  const std::string id = made.at("/data/rule/rule_id");
  CAF_CHECK_EQUAL(made.header("Location"), "/cep/rules/" + id);
  CAF_CHECK_EQUAL(made.header("ETag"), "\"1\"");
  CAF_CHECK_EQUAL(f.get("/cep/rules/" + id).at("/data/rule/rule_name"), "cpu");
  const auto changed = f.ask("PUT", "/cep/rules/" + id, json{{"rule_name", "memory"}});
  CAF_CHECK_EQUAL(changed.at("/data/rule/rule_name"), "memory");
  CAF_CHECK_EQUAL(changed.at("/data/rule/trigger_type"), "schedule");
  CAF_CHECK_EQUAL(changed.at("/data/rule/version"), 2);
  CAF_CHECK_EQUAL(f.get("/cep/rules/" + id + "/versions").at("/data/versions/1/snapshot/rule_name"), "cpu");
  CAF_CHECK_EQUAL(f.ask("DELETE", "/cep/rules/" + id).status(), 200);
  for (auto method : {"GET", "PUT", "DELETE"})
    CAF_CHECK_EQUAL(f.ask(method, "/cep/rules/" + id, json{{"rule_name", "x"}}).status(), 404);
}

CAF_TEST(a change against an old version is a conflict) {
  rule_fixture f;
  const auto id = f.create();
  f.ask("PUT", "/cep/rules/" + id, json{{"rule_name", "b"}});
  CAF_CHECK_EQUAL(f.ask("PUT", "/cep/rules/" + id, json{{"rule_name", "c"}}, {{"if-match", "\"1\""}}).status(), 409);
  CAF_CHECK_EQUAL(f.ask("PUT", "/cep/rules/" + id + "?expected_version=1", json{{"rule_name", "c"}}).status(), 409);
  CAF_CHECK_EQUAL(f.ask("PUT", "/cep/rules/" + id, json{{"rule_name", "c"}}, {{"if-match", "\"2\""}}).status(), 200);
  CAF_CHECK_EQUAL(f.ask("PUT", "/cep/rules/" + id, json{{"rule_name", "d"}}, {{"if-match", "two"}}).status(), 400);
}

CAF_TEST(enabling and disabling are versions of their own) {
  rule_fixture f;
  const auto id = f.create();
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/rules/" + id + "/disable").at("/data/rule/is_active"), false);
  CAF_CHECK_EQUAL(f.get("/cep/rules/" + id).at("/data/rule/status"), "inactive");
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/rules/" + id + "/enable").at("/data/rule/is_active"), true);
  CAF_CHECK_EQUAL(f.get("/cep/rules/" + id + "/versions").at("/data/versions/0/change_type"), "enable");
}

CAF_TEST(a list is paged by a cursor without gaps or repeats) {
  rule_fixture f;
  for (int i = 0; i < 7; ++i) f.create("rule " + std::to_string(i));
  for (std::string sort : {"updated", "created", "name"}) {
    std::set<std::string> names;
    std::string cursor;
    for (int page = 0; page < 4; ++page) {
      const auto answer = f.get("/cep/rules?limit=2&sort=" + sort + (cursor.empty() ? "" : "&cursor=" + cursor));
      for (const auto& rule : answer.at("/data/rules")) CAF_CHECK(names.insert(rule.at("rule_name")).second);
      CAF_CHECK_EQUAL(answer.at("/metadata/total"), 7);
      if (answer.at("/metadata/next_cursor").is_null()) break;
      cursor = answer.at("/metadata/next_cursor");
    }
    CAF_CHECK_EQUAL(names.size(), 7u);
    CAF_CHECK_EQUAL(f.get("/cep/rules?cursor=" + cursor + "&sort=" + (sort == "name" ? "created" : "name")).status(),
                    400);
  }
  CAF_CHECK_EQUAL(f.get("/cep/rules?sort=name&limit=1").at("/data/rules/0/rule_name"), "rule 0");
  CAF_CHECK_EQUAL(f.get("/cep/rules?q=RULE%203").at("/data/rules").size(), 0u); // not decoded by this fixture
  CAF_CHECK_EQUAL(f.get("/cep/rules?q=le 3").at("/data/rules").size(), 1u);
  CAF_CHECK_EQUAL(f.get("/cep/rules?q=%").at("/data/rules").size(), 0u);
  CAF_CHECK_EQUAL(f.get("/cep/rules?trigger_type=event").at("/data/rules").size(), 0u);
  CAF_CHECK_EQUAL(f.get("/cep/rules?is_active=true&offset=5").at("/data/rules").size(), 2u);
  CAF_CHECK_EQUAL(f.get("/cep/rules?limit=0").status(), 400);
  CAF_CHECK_EQUAL(f.get("/cep/rules?cursor=abc").status(), 400);
}

CAF_TEST(the form is folded into a rule) {
  rule_fixture f;
  const auto made = f.ask(
      "POST", "/cep/rules/form",
      json{{"rule_name", "f"},
           {"trigger_type", "event"},
           {"trigger_spec", json::object()},
           {"composite_condition", {{"conditions", {{{"field", "a"}, {"op", ">"}, {"value", 1}}}}, {"logic", "OR"}}},
           {"actions", {{{"type", "store"}}, {{"type", "trigger"}, {"target_rule_id", "r2"}}}}});
  CAF_CHECK_EQUAL(made.status(), 201);
  CAF_CHECK_EQUAL(made.at("/data/rule/trigger_spec/logic"), "OR");
  CAF_CHECK_EQUAL(made.at("/data/rule/trigger_spec/conditions/0/field"), "a");
  CAF_CHECK_EQUAL(made.at("/data/rule/action_spec/type"), "multi_action");
  CAF_CHECK_EQUAL(made.at("/data/rule/action_spec/actions/1/rule_id"), "r2");
  const auto none = f.ask(
      "POST", "/cep/rules/form",
      json{
          {"rule_name", "f"}, {"trigger_type", "event"}, {"trigger_spec", json::object()}, {"actions", json::array()}});
  CAF_CHECK_EQUAL(none.pointer(), "/actions");
}

CAF_TEST(a trigger tells how its action ended) {
  rule_fixture f;
  const auto path = "/cep/rules/" + f.create() + "/trigger";
  f.entities.triggered = {"x1", false, false, {{"reason", "too low"}}};
  const auto dry = f.ask("POST", path, json{{"payload", {{"cpu", 1}}}});
  CAF_CHECK_EQUAL(dry.status(), 200);
  CAF_CHECK_EQUAL(dry.at("/data/result/status"), "dry_run");
  CAF_CHECK_EQUAL(dry.at("/data/result/references/reason"), "too low");

  f.entities.triggered = {"x1", true, true, json::object()};
  f.entities.outcomes = {
      {entity::effect_outcome::status::done, "", error_code::external_service_error, 0ms, {{"status", 204}}}};
  const auto good = f.ask("POST", path);
  CAF_CHECK_EQUAL(good.status(), 200);
  CAF_CHECK_EQUAL(good.at("/data/result/status"), "success");
  CAF_CHECK_EQUAL(good.at("/data/result/result/status"), 204);

  f.entities.outcomes = {
      {entity::effect_outcome::status::failed, "answered 500", error_code::external_service_error, 0ms, nullptr}};
  const auto bad = f.ask("POST", path);
  CAF_CHECK_EQUAL(bad.status(), 502);
  CAF_CHECK_EQUAL(bad.error(), "EXTERNAL_SERVICE_ERROR");
  CAF_CHECK_EQUAL(bad.at("/data/exec_id"), "x1");

  f.entities.effects_hang = true;
  const auto slow = f.ask("POST", path);
  CAF_CHECK_EQUAL(slow.status(), 202);
  CAF_CHECK_EQUAL(slow.at("/data/result/status"), "pending");

  f.execute(
      "INSERT INTO outbox (id, shard, kind, tenant, entity_key, effect, body, context, correlation, status, attempts,"
      " next_attempt_at, created_at, last_error) VALUES ('o1', 1, 'rule', 'default', 'r', 'webhook', '{}', '{}', 'x1',"
      " 'pending', 3, 1, 1, 'answered 500')");
  const auto failing = f.ask("POST", path);
  CAF_CHECK_EQUAL(failing.status(), 502);
  CAF_CHECK_EQUAL(failing.at("/data/attempts"), 3);
}

CAF_TEST(an entity that never answers gives a deadline error and nothing waits for it) {
  rule_fixture f;
  const auto id = f.create();
  f.entities.silent = true;
  auto answer = f.send("POST", "/cep/rules/" + id + "/simulate", "{}", {{"x-request-timeout", "2"}});
  f.time.advance(1900ms);
  f.edge->tick();
  CAF_CHECK(answer.wait_for(0s) != std::future_status::ready);
  f.time.advance(1500ms);
  f.edge->tick();
  CAF_CHECK_EQUAL(answer.get().status(), 504);
  CAF_CHECK_EQUAL(f.get("/cep/rules", {{"x-request-timeout", "soon"}}).status(), 400);
}

CAF_TEST(an import tells of each rule what became of it) {
  rule_fixture f;
  json rules = json::array();
  for (int i = 0; i < 1'000; ++i) rules.push_back(f.rule("r" + std::to_string(i)));
  rules[17]["rule_name"] = "";
  rules[18] = 5;
  rules[19]["rule_id"] = "not a uuid";
  const auto answer = f.ask("POST", "/cep/rules/import", rules);
  CAF_CHECK_EQUAL(answer.status(), 207);
  CAF_CHECK_EQUAL(answer.at("/data/accepted"), 997);
  CAF_CHECK_EQUAL(answer.at("/data/refused"), 3);
  CAF_CHECK_EQUAL(answer.at("/data/results/17/pointer"), "/rule_name");
  CAF_CHECK_EQUAL(answer.at("/data/results/19/pointer"), "/rule_id");
  CAF_CHECK_EQUAL(answer.at("/data/results/999/status"), "created");
  CAF_CHECK_EQUAL(f.get("/cep/rules?limit=1").at("/metadata/total"), 997);
  const auto lines = f.ask("POST", "/cep/rules/import", f.rule().dump() + "\n\n" + f.rule().dump() + "\n",
                           {{"content-type", "application/x-ndjson"}});
  CAF_CHECK_EQUAL(lines.status(), 200);
  CAF_CHECK_EQUAL(lines.at("/data/total"), 2);
  const std::string id = lines.at("/data/results/0/rule_id");
  auto again = f.rule();
  again["rule_id"] = id;
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/rules/import", json::array({again})).at("/data/results/0/error"), "CONFLICT");
  CAF_CHECK_EQUAL(
      f.ask("POST", "/cep/rules/import?on_conflict=replace", json::array({again})).at("/data/results/0/status"),
      "updated");
}

CAF_TEST(events are listed filtered and acknowledged once) {
  rule_fixture f;
  const auto now = to_micros(f.time.now());
  f.store_event("e1", now - 3'000'000);
  f.store_event("e2", now - 2'000'000, "critical");
  f.store_event("e3", now - 1'000'000);
  CAF_CHECK_EQUAL(f.get("/cep/events").at("/data/events/0/event_id"), "e3");
  CAF_CHECK_EQUAL(f.get("/cep/events?severity=critical").at("/data/events").size(), 1u);
  CAF_CHECK_EQUAL(f.get("/cep/events?since=" + to_rfc3339(from_micros(now - 2'500'000))).at("/data/events").size(), 2u);
  CAF_CHECK_EQUAL(f.get("/cep/events?since=yesterday").status(), 400);
  CAF_CHECK_EQUAL(f.get("/cep/events/summary").at("/data/summary/unacked_count"), 3);
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/events/e2/ack").at("/data/event/ack_by"), "admin");
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/events/e2/ack?ack_by=bob").status(), 200);
  CAF_CHECK_EQUAL(f.get("/cep/events/e2").at("/data/event/ack_by"), "admin");
  CAF_CHECK_EQUAL(f.get("/cep/events/e2").at("/data/event/payload/cpu"), 99);
  CAF_CHECK_EQUAL(f.get("/cep/events?acked=false").at("/data/events").size(), 2u);
  CAF_CHECK_EQUAL(f.get("/cep/events/summary").at("/data/summary/by_severity").size(), 1u);
  CAF_CHECK_EQUAL(f.get("/cep/events/e9").status(), 404);
}

CAF_TEST(what is taken in is reported and a request without any good event is refused) {
  rule_fixture f;
  f.intake.report.accepted = 2;
  f.intake.report.rejected = {{1, error{error_code::validation_error, "No type.", "/1/type"}}};
  f.intake.report.rejected_total = 1;
  const auto mixed = f.ask("POST", "/cep/events/ingest", std::string("[{},{},{}]"));
  CAF_CHECK_EQUAL(mixed.status(), 200);
  CAF_CHECK_EQUAL(mixed.at("/data/accepted"), 2);
  CAF_CHECK_EQUAL(mixed.at("/data/rejections/0/index"), 1);
  CAF_CHECK(f.intake.last.format == event::event_format::json);
  f.intake.report.accepted = 0;
  const auto bad = f.ask("POST", "/cep/events/ingest", std::string("{}"),
                         {{"content-type", "application/cloudevents+json; charset=utf-8"}});
  CAF_CHECK_EQUAL(bad.status(), 400);
  CAF_CHECK_EQUAL(bad.pointer(), "/1/type");
  CAF_CHECK(f.intake.last.format == event::event_format::structured);
  f.ask("POST", "/cep/events/ingest", std::string("x"),
        {{"content-type", "text/plain"}, {"ce-specversion", "1.0"}, {"ce-type", "t"}});
  CAF_CHECK(f.intake.last.format == event::event_format::binary);
  CAF_CHECK_EQUAL(f.intake.last.attributes.size(), 2u);
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/events/ingest", std::string("x"), {{"content-type", "text/plain"}}).status(),
                  415);
}

CAF_TEST(a tenant sees nothing of another) {
  rule_fixture f;
  const auto id = f.create();
  f.store_event("e1", to_micros(f.time.now()));
  CAF_CHECK_EQUAL(f.ask("POST", "/admin/users",
                        json{{"username", "eve"}, {"password", "password1"}, {"role", "admin"}, {"tenant_id", "other"}})
                      .status(),
                  201);
  f.sign_in("eve", "password1");
  CAF_CHECK_EQUAL(f.get("/cep/rules").at("/data/rules").size(), 0u);
  CAF_CHECK_EQUAL(f.get("/cep/rules/" + id).status(), 404);
  CAF_CHECK_EQUAL(f.ask("PUT", "/cep/rules/" + id, json{{"rule_name", "mine"}}).status(), 404);
  CAF_CHECK_EQUAL(f.get("/cep/events").at("/data/events").size(), 0u);
  CAF_CHECK_EQUAL(f.get("/cep/events/e1").status(), 404);
  CAF_CHECK_EQUAL(f.ask("POST", "/cep/events/e1/ack").status(), 404);
  CAF_CHECK_EQUAL(f.get("/actors").at("/data/actors").size(), 0u);
  CAF_CHECK_EQUAL(f.get("/audit-log").at("/data/audit_logs").size(), 1u); // her own sign in
  CAF_CHECK_EQUAL(f.get("/admin/users").at("/data/total"), 1);
  CAF_CHECK_EQUAL(
      f.ask("POST", "/admin/users", json{{"username", "x"}, {"password", "password1"}, {"tenant_id", "default"}})
          .error(),
      "TENANT_VIOLATION");
}

CAF_TEST(figures and actors are shown) {
  rule_fixture f;
  const auto id = f.create("cpu");
  f.execute("INSERT INTO rule_execution (exec_id, tenant, rule_id, version, triggered_at, status, duration_ms, "
            "executed_by, refs, trace_id)"
            " VALUES ('x1', 'default', $1, 1, $2, 'fail', 10, 'admin', '{}', 't'), ('x2', 'default', $1, 1, $2, "
            "'success', 30, 'admin', '{}', 't')",
            {id, to_micros(f.time.now()) - 1});
  CAF_CHECK_EQUAL(f.get("/cep/rules/" + id + "/exec-logs").at("/data/logs").size(), 2u);
  CAF_CHECK_EQUAL(f.get("/cep/rules/nope/exec-logs").status(), 404);
  const auto busiest = f.get("/cep/rules/performance");
  CAF_CHECK_EQUAL(busiest.at("/data/rules/0/execution_count"), 2);
  CAF_CHECK_EQUAL(busiest.at("/data/rules/0/error_rate"), 0.5);
  CAF_CHECK_EQUAL(busiest.at("/data/rules/0/avg_duration_ms"), 20.0);
  CAF_CHECK_EQUAL(busiest.at("/data/total_rules"), 1);
  CAF_CHECK_EQUAL(f.get("/cep/stats/summary").at("/data/stats/today_error_count"), 1);
  CAF_CHECK_EQUAL(f.get("/actors?kind=rule&sort=name").at("/data/actors/0/key"), id);
  CAF_CHECK_EQUAL(f.get("/actors?status=quarantined").at("/data/actors").size(), 0u);
  CAF_CHECK_EQUAL(f.get("/actors/rule/" + id).at("/data/actor/key"), id);
  CAF_CHECK_EQUAL(f.ask("POST", "/actors/rule/" + id + "/restart", json{{"reason", "try"}}).at("/data/done"), true);
}
