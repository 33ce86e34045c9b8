#include "http/codec/envelope.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "schemas/rule/rule_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

/// Left between the effects' deadline and the request's, to write the answer.
constexpr std::chrono::milliseconds answer_time{250};

std::string executor(const exchange& ex, const json& body) {
  const auto given = body.value("executed_by", "");
  return given.empty() ? ex.who().user->username : given;
}

/// How each action stands. One that is still on its way in an execution that is over shares its fate: a single webhook
/// is accounted for by the execution's own status.
json shown_actions(const std::string& stored, const std::string& status) {
  auto actions = parse_json(stored).value_or(json::array());
  if (!actions.is_array()) return json::array();
  for (auto& one : actions)
    if (status != "pending" && one.is_object() && one.value("status", "") == "pending")
      one["status"] = status == "success" ? "done" : "failed";
  return actions;
}

json shown_execution(const std::vector<value>& row) {
  return {{"exec_id", as_text(row[0])},
          {"rule_id", as_text(row[1])},
          {"rule_version", as_int(row[2])},
          {"triggered_at", time_or_null(as_int(row[3]))},
          {"status", as_text(row[4])},
          {"duration_ms", as_int(row[5])},
          {"executed_by", as_text(row[6])},
          {"error_message", is_null(row[7]) ? json(nullptr) : json(as_text(row[7]))},
          {"references", parse_json(as_text(row[8])).value_or(json(nullptr))},
          {"trace_id", as_text(row[9])},
          {"actions", shown_actions(as_text(row[10]), as_text(row[4]))}};
}

void simulate(const route_deps& deps, const exchange_ptr& ex) {
  auto& body = ex->body();
  rule::simulate_rule wish;
  wish.payload = body.contains("test_payload") ? body["test_payload"] : body.value("payload", json::object());
  wish.executed_by = executor(*ex, body);
  deps.entities->ask(rule_ref(*ex), ex->context(), message::of(std::move(wish)), ex->then([ex](const message& answer) {
    const auto* done = answer.as<rule::rule_simulated>();
    if (!done) return ex->refuse(error{error_code::internal_server_error});
    ex->ok({{"simulation", done->simulation}});
  }));
}

json trigger_result(const rule::rule_triggered& fired, const char* status, json outcome = nullptr) {
  return {{"result",
           {{"status", status},
            {"condition_met", fired.matched},
            {"result", std::move(outcome)},
            {"references", fired.references},
            {"exec_id", fired.exec_id}}}};
}

/// An action failed. The rule knows best how to say it; `outcome` is what the receiver's side said.
void answer_failure(const route_deps& deps, const exchange_ptr& ex, const rule::rule_triggered& fired,
                    const entity::effect_outcome& outcome) {
  deps.store->read(
      {"SELECT error_message FROM rule_execution WHERE exec_id = $1 AND tenant = $2",
       {fired.exec_id, ex->tenant().value}},
      ex->then([ex, fired, outcome](const rows& found) {
        const auto told = found.empty() ? std::string{} : as_text(found[0][0]);
        ex->refuse({outcome.code, "The rule matched, but its action failed: " + (told.empty() ? outcome.error : told)},
                   {{"exec_id", fired.exec_id}, {"references", fired.references}});
      }));
}

/// All effects of a manual trigger are settled: the first that failed decides the answer.
void answer_effects(const route_deps& deps, const exchange_ptr& ex, const rule::rule_triggered& fired,
                    const std::vector<entity::effect_outcome>& outcomes) {
  json answers = json::array();
  for (const auto& outcome : outcomes) {
    answers.push_back(outcome.answer);
    if (outcome.status != entity::effect_outcome::status::done) return answer_failure(deps, ex, fired, outcome);
  }
  ex->ok(trigger_result(fired, "success", answers.size() == 1 ? answers[0] : answers));
}

/// The action is not done by the deadline: it is on its way, or it failed so far and will be tried again.
void answer_unsettled(const route_deps& deps, const exchange_ptr& ex, const rule::rule_triggered& fired) {
  deps.store->read(
      {"SELECT attempts, last_error FROM outbox WHERE correlation = $1 AND tenant = $2 AND attempts > 0"
       " AND settled_at IS NULL AND last_error IS NOT NULL LIMIT 1",
       {fired.exec_id, ex->tenant().value}},
      ex->then([ex, fired](const rows& failing) {
        if (failing.empty()) return ex->answer(202, trigger_result(fired, "pending"));
        ex->refuse({error_code::external_service_error,
                    "The rule matched, but its action failed so far and is tried again: " + as_text(failing[0][1])},
                   {{"exec_id", fired.exec_id}, {"attempts", as_int(failing[0][0])}, {"references", fired.references}});
      }));
}

void wait_for_effects(const route_deps& deps, const exchange_ptr& ex, const rule::rule_triggered& fired) {
  if (!deps.effects) return answer_unsettled(deps, ex, fired);
  deps.effects->when_settled(fired.exec_id, ex->deadline() - answer_time,
                             [deps, ex, fired](const result<std::vector<entity::effect_outcome>>& outcomes) {
                               ex->guarded([&] {
                                 if (outcomes) return answer_effects(deps, ex, fired, *outcomes);
                                 if (outcomes.error().code == error_code::deadline_exceeded)
                                   return answer_unsettled(deps, ex, fired);
                                 ex->refuse(outcomes.error());
                               });
                             });
}

void trigger(const route_deps& deps, const exchange_ptr& ex) {
  auto& body = ex->body();
  rule::trigger_rule wish;
  wish.payload = body.value("payload", json::object());
  wish.executed_by = executor(*ex, body);
  deps.entities->ask(
      rule_ref(*ex), ex->context(), message::of(std::move(wish)), ex->then([deps, ex](const message& answer) {
        const auto* fired = answer.as<rule::rule_triggered>();
        if (!fired) return ex->refuse(error{error_code::internal_server_error});
        if (!fired->matched) return ex->ok(trigger_result(*fired, "dry_run"));
        if (!fired->waits_for_effects && !fired->error.empty())
          return ex->refuse({error_code::unprocessable, "The rule matched, but its action failed: " + fired->error},
                            {{"exec_id", fired->exec_id}, {"references", fired->references}});
        if (!fired->waits_for_effects) return ex->ok(trigger_result(*fired, "success"));
        wait_for_effects(deps, ex, *fired);
      }));
}

void list_executions(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  deps.store->read(
      {"SELECT exec_id, rule_id, version, triggered_at, status, duration_ms, executed_by, error_message, refs, "
       "trace_id,"
       " actions FROM rule_execution WHERE tenant = $1 AND rule_id = $2"
       " AND (triggered_at, exec_id) < (CAST($3 AS BIGINT), CAST($4 AS TEXT)) AND (CAST($5 AS TEXT) = '' OR status = "
       "$5)"
       " ORDER BY triggered_at DESC, exec_id DESC LIMIT CAST($6 AS BIGINT) OFFSET CAST($7 AS BIGINT)",
       {ex->tenant().value, ex->text("rule_id"), place->before_us, place->before_key, ex->text("status"), place->limit,
        place->offset}},
      ex->then([deps, ex, place = *place](const rows& found) {
        json logs = json::array();
        for (const auto& row : found.values) logs.push_back(shown_execution(row));
        if (found.empty()) // an unknown rule has no executions either
          return with_rule_version(deps, ex, [ex, place](std::int64_t) {
            ex->ok({{"logs", json::array()}}, page_metadata(place, 0, 0, {}));
          });
        ex->ok({{"logs", std::move(logs)}},
               page_metadata(place, found.size(), as_int(found.values.back()[3]), as_text(found.values.back()[0])));
      }));
}

route run_route(std::string method, std::string path, std::string operation, std::string summary,
                std::string permission, route_handler handler) {
  return {.method = std::move(method),
          .path = std::move(path),
          .operation = std::move(operation),
          .tag = "rules",
          .summary = std::move(summary),
          .needs = access::permitted(std::move(permission), "rule", "rule_id"),
          .parameters = {rule_id_parameter()},
          .errors = {error_code::not_found},
          .handler = std::move(handler)};
}

} // namespace

void add_rule_run_routes(route_table& table, const route_deps& deps) {
  const auto by = optional("executed_by", text(0, 200).described("Shown in the execution log; the caller if missing."));
  auto sim = run_route("POST", "/cep/rules/{rule_id}/simulate", "simulate_rule",
                       "Evaluates a rule on a payload without acting.", "cep:execute",
                       [deps](const exchange_ptr& ex) { simulate(deps, ex); });
  sim.notes = "Leaves an execution with status dry_run.";
  sim.body = body_rule{.type = object({optional("test_payload", anything()), optional("payload", anything()), by}),
                       .required = false};
  sim.answers.type = object({required(
      "simulation", open_object({required("condition_evaluated", flag()), required("would_execute", flag())}))});
  table.add(std::move(sim));

  auto fire = run_route("POST", "/cep/rules/{rule_id}/trigger", "trigger_rule",
                        "Evaluates a rule and, if it matches, does what it says.", "cep:execute",
                        [deps](const exchange_ptr& ex) { trigger(deps, ex); });
  fire.notes =
      "Waits for the action until the request's deadline, then answers 202 with status pending. A failing action "
      "gives its own status; it is retried in the background where that may help.";
  fire.body = body_rule{.type = object({optional("payload", anything()), by}), .required = false};
  fire.answers.type =
      object({required("result", open_object({required("status", choice({"success", "dry_run", "pending"})),
                                              required("references", anything())}))});
  fire.answers.also = {202};
  fire.errors = {error_code::not_found,        error_code::external_service_error,
                 error_code::connection_error, error_code::address_refused,
                 error_code::quarantined,      error_code::unprocessable};
  table.add(std::move(fire));

  auto logs =
      run_route("GET", "/cep/rules/{rule_id}/exec-logs", "list_rule_executions", "A rule's executions, latest first.",
                "cep:read", [deps](const exchange_ptr& ex) { list_executions(deps, ex); });
  for (auto& p : paging_parameters(50, 200)) logs.parameters.push_back(std::move(p));
  logs.parameters.push_back(
      in_query("status", choice({"success", "dry_run", "fail", "skipped", "pending", "throttled", "cancelled"})));
  logs.answers.type =
      object({required("logs", list_of(open_object({required("exec_id", text()), required("status", text())})))});
  table.add(std::move(logs));
}

} // namespace tobit::http
