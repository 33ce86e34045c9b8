#define CAF_SUITE webhook_handler

#include "actors/notify/adapter/signature.hpp"
#include "actors/notify/webhook_handler.hpp"
#include "tests/support/scratch_database.hpp"
#include "tests/unit/outbound/local_server.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <future>
#include <optional>

using namespace tobit;
using namespace tobit::notify;
using namespace std::chrono_literals;
using status = enum entity::effect_outcome::status;

namespace {

class fake_client final : public outbound::http_client {
public:
  void send(outbound::http_request request, std::function<void(result<outbound::http_response>)> done) override {
    requests.push_back(std::move(request));
    done(next);
  }
  std::vector<outbound::http_request> requests;
  result<outbound::http_response> next = outbound::http_response{200, {}, "fine", 5ms};
};

entity::outgoing_effect effect_to(const std::string& endpoint) {
  entity::outgoing_effect effect;
  effect.id = "d-0";
  effect.type = "webhook";
  effect.correlation = "exec-1";
  effect.context = new_call(system_identity(tenant_id{"acme"}));
  effect.body = {{"endpoint", endpoint}, {"payload", {{"rule", "r1"}}}};
  return effect;
}

webhook_options quick() {
  webhook_options options;
  options.timeout = 300ms;
  options.response_max = 10'000;
  return options;
}

entity::effect_outcome outcome_of(webhook_handler& handler, const entity::outgoing_effect& effect) {
  auto answer = std::make_shared<std::promise<entity::effect_outcome>>();
  auto arrived = answer->get_future();
  handler.attempt(effect, [answer](entity::effect_outcome outcome) { answer->set_value(std::move(outcome)); });
  if (arrived.wait_for(20s) != std::future_status::ready) CAF_FAIL("the callback was not called");
  return arrived.get();
}

/// The tables that a rule and the outbox write.
struct rows_of_an_execution {
  testing::scratch_database store;
  fake_client out;
  manual_clock time;
  webhook_handler handler{out, time, {}};

  rows_of_an_execution() {
    run({"INSERT INTO rule_execution (exec_id, tenant, rule_id, version, triggered_at, status, executed_by, refs, "
         "trace_id) "
         "VALUES ('exec-1', 'acme', 'r1', 1, 0, 'pending', 'x', '{}', '')",
         {},
         1});
    for (const std::string id : {"d-0", "d-1"})
      run({"INSERT INTO outbox (id, shard, kind, tenant, entity_key, effect, body, context, correlation, status, "
           "next_attempt_at, created_at) VALUES ($1, 0, 'rule', 'acme', 'r1', 'webhook', '{}', '', 'exec-1', "
           "'pending', 0, 0)",
           {id},
           1});
  }
  void run(storage::statement statement) { CAF_REQUIRE(store->write_and_wait({{std::move(statement)}}).has_value()); }

  void settle(const std::string& id, entity::effect_outcome outcome) {
    auto effect = effect_to("https://example.com");
    effect.id = id;
    effect.created_at = time.now() - 1'500ms;
    storage::unit_of_work unit;
    unit.statements.push_back({"UPDATE outbox SET status = $2 WHERE id = $1",
                               {id, std::string(outcome.status == status::done ? "done" : "failed")},
                               1});
    for (auto& statement : handler.settle(effect, outcome, time.now())) unit.statements.push_back(std::move(statement));
    CAF_REQUIRE(store->write_and_wait(std::move(unit)).has_value());
  }

  std::string now() {
    const auto row = store->read_and_wait({"SELECT status, error_message, duration_ms FROM rule_execution", {}, {}})
                         .value()
                         .values.at(0);
    return storage::as_text(row[0]) + '|' + storage::as_text(row[1]) + '|' + std::to_string(storage::as_int(row[2]));
  }
};

entity::effect_outcome failed(std::string why) {
  entity::effect_outcome outcome;
  outcome.status = status::failed;
  outcome.error = std::move(why);
  return outcome;
}

} // namespace

CAF_TEST(an attempt sends one bounded request and hands on the verdict) {
  fake_client out;
  manual_clock time;
  webhook_handler handler(out, time, quick());
  CAF_CHECK_EQUAL(handler.type(), "webhook");
  const auto outcome = outcome_of(handler, effect_to("https://example.com/hook"));
  CAF_CHECK(outcome.status == status::done);
  CAF_CHECK_EQUAL(outcome.answer.dump(), R"({"body":"fine","status":200,"took_ms":5})");
  CAF_REQUIRE_EQUAL(out.requests.size(), 1u);
  CAF_CHECK(out.requests[0].timeout == 300ms);
  CAF_CHECK_EQUAL(out.requests[0].response_max, 10'000u);
}

CAF_TEST(a malformed effect fails for good and one for a node that is not up yet is tried again) {
  fake_client out;
  manual_clock time;
  webhook_handler handler(out, time, {});
  auto malformed = effect_to("x");
  malformed.body = "text";
  CAF_CHECK(outcome_of(handler, malformed).status == status::failed);
  CAF_CHECK(outcome_of(handler, effect_to("/path")).status == status::retry);
  CAF_CHECK(out.requests.empty());
}

CAF_TEST(an execution succeeds when the last of its effects is done) {
  rows_of_an_execution rows;
  rows.settle("d-0", {});
  CAF_CHECK_EQUAL(rows.now(), "pending||1500");
  rows.settle("d-1", {});
  CAF_CHECK_EQUAL(rows.now(), "success||1500");
}

CAF_TEST(an execution fails with its first failed effect and stays failed) {
  rows_of_an_execution rows;
  rows.settle("d-1", failed("first"));
  CAF_CHECK_EQUAL(rows.now(), "fail|first|1500");
  rows.settle("d-0", {});
  CAF_CHECK_EQUAL(rows.now(), "fail|first|1500");
}

CAF_TEST(an effect without correlation touches no rows) {
  fake_client out;
  manual_clock time;
  webhook_handler handler(out, time, {});
  auto effect = effect_to("x");
  effect.correlation.clear();
  CAF_CHECK(handler.settle(effect, {}, time.now()).empty());
}

CAF_TEST(a real receiver gets the webhook and its behaviour decides) {
  std::string seen;
  test::local_server receiver([&](test::connection& c) {
    while (true) {
      const auto request = c.read_request();
      if (request.empty()) return;
      if (request.starts_with("POST /ok")) {
        seen = request;
        c.answer(202, "taken");
      } else if (request.starts_with("POST /busy")) {
        c.answer(503, "", "Retry-After: 3\r\n");
      } else if (request.starts_with("POST /endless")) {
        c.answer(200, std::string(20'000, 'x'));
      } else if (request.starts_with("POST /hang")) {
        continue;
      } else {
        return;
      }
    }
  });
  outbound::http_client_options allowing;
  allowing.guard.allow = {"127.0.0.1"};
  allowing.user_agent = "tobit/test";
  auto out = outbound::make_http_client(allowing).value();
  manual_clock time;
  webhook_handler handler(*out, time, quick());
  CAF_CHECK(outcome_of(handler, effect_to(receiver.url("/ok"))).status == status::done);
  for (auto part : {"\r\nIdempotency-Key: d-0\r\n", "\r\ntraceparent: 00-", "\r\nContent-Type: application/json\r\n",
                    "\r\nUser-Agent: tobit/test\r\n", "\r\n\r\n{\"rule\":\"r1\"}"})
    CAF_CHECK(seen.find(part) != seen.npos);
  const auto busy = outcome_of(handler, effect_to(receiver.url("/busy")));
  CAF_CHECK(busy.status == status::retry && busy.retry_after == 3s);
  for (auto path : {"/endless", "/hang", "/close"})
    CAF_CHECK(outcome_of(handler, effect_to(receiver.url(path))).status == status::retry);
  CAF_CHECK(outcome_of(handler, effect_to("http://169.254.169.254/")).code == error_code::address_refused);
}

CAF_TEST(the own address is reachable by path and by no other way) {
  test::local_server self([](test::connection& c) {
    while (!c.read_request().empty()) c.answer(200, "");
  });
  auto out = outbound::make_http_client({}).value();
  system_clock time;
  auto options = quick();
  options.own_url = [&] { return "http://" + self.address(); };
  webhook_handler handler(*out, time, options);
  CAF_CHECK(outcome_of(handler, effect_to("/x")).status == status::done);
  CAF_CHECK(outcome_of(handler, effect_to(self.url("/x"))).code == error_code::address_refused);
  CAF_CHECK_EQUAL(self.accepted(), 1);
}

CAF_TEST(a webhook with a secret is signed at each attempt and the secret is only read) {
  ::setenv("TOBIT_SECRET_HOOK_TEST", "s3cr3t", 1);
  fake_client out;
  manual_clock time;
  webhook_options options;
  options.secrets.env_prefixes = {"TOBIT_SECRET_"};
  webhook_handler handler{out, time, options};
  auto effect = effect_to("https://example.org/h");
  effect.body["secret"] = "env:TOBIT_SECRET_HOOK_TEST";
  effect.body["headers"] = {{"x-tobit-signature", "forged"}};
  CAF_CHECK(outcome_of(handler, effect).status == status::done);
  time.advance(10s);
  CAF_CHECK(outcome_of(handler, effect).status == status::done);
  CAF_REQUIRE_EQUAL(out.requests.size(), 2u);
  std::vector<std::string> times, signatures;
  for (const auto& request : out.requests)
    for (const auto& [name, value] : request.headers) {
      if (name == "X-Tobit-Timestamp") times.push_back(value);
      if (name == "X-Tobit-Signature" || name == "x-tobit-signature") signatures.push_back(value);
      CAF_CHECK(value.find("s3cr3t") == std::string::npos);
    }
  CAF_REQUIRE_EQUAL(times.size(), 2u);
  CAF_REQUIRE_EQUAL(signatures.size(), 2u);
  CAF_CHECK_NOT_EQUAL(times[0], times[1]);
  for (std::size_t i = 0; i < 2; ++i)
    CAF_CHECK_EQUAL(signatures[i], "sha256=" + hmac_sha256("s3cr3t", times[i] + "." + out.requests[i].body));
  CAF_CHECK(out.requests[0].body.find("TOBIT_SECRET") == std::string::npos);
}

CAF_TEST(a webhook whose secret cannot be read is not sent and says why) {
  fake_client out;
  manual_clock time;
  webhook_options options;
  options.secrets.env_prefixes = {"TOBIT_SECRET_"};
  webhook_handler handler{out, time, options};
  auto effect = effect_to("https://example.org/h");
  effect.body["secret"] = "env:TOBIT_SECRET_THAT_NOBODY_SET";
  const auto missing = outcome_of(handler, effect);
  CAF_CHECK(missing.status == status::retry);
  CAF_CHECK(missing.error.find("not set") != std::string::npos);
  effect.body["secret"] = "env:PATH";
  CAF_CHECK(outcome_of(handler, effect).status == status::failed);
  CAF_CHECK(out.requests.empty());
}

CAF_TEST(an effect that reports leaves the execution to its entity) {
  fake_client out;
  manual_clock time;
  webhook_handler handler{out, time, {}};
  auto effect = effect_to("https://example.org/h");
  effect.report = true;
  CAF_CHECK(handler.settle(effect, {}, time.now()).empty());
}
