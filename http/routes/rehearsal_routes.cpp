#include "http/codec/envelope.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"
#include "runtime/job/job_desk.hpp"
#include "schemas/rule/rule_protocol.hpp"
#include "schemas/rule/rule_secrets.hpp"

#include <memory>

/// Trying rules on what was: backtests. And looking on while a rule judges: debug streams.
namespace tobit::http {

using namespace storage;

namespace {

constexpr auto backtest_kind = "backtest";
constexpr std::chrono::minutes debug_usual{5};

// -- backtests ------------------------------------------------------------------------------------------------------

json shown_backtest(const job::job_view& view) {
  auto out = job::to_json(view);
  const auto& wish = view.order.wish;
  out["rule_id"] = view.order.subject;
  out.erase("subject");
  for (const auto* name : {"from", "to", "with_alerting", "warm_up_seconds", "version"})
    if (wish.contains(name)) out[name] = wish[name];
  out["rule"] = wish.contains("rule") && wish["rule"].is_object() ? rule::without_secrets(wish["rule"]) : json();
  return out;
}

auto answer_backtest(const exchange_ptr& ex, int status) {
  return ex->then([ex, status](const job::job_view& view) {
    header_list further;
    if (status == 202) further.emplace_back("Location", "/cep/backtests/" + view.id);
    ex->answer(status, {{"backtest", shown_backtest(view)}}, nullptr, std::move(further));
  });
}

void start_backtest(const route_deps& deps, const exchange_ptr& ex) {
  const auto ref = rule_ref(*ex);
  deps.store->read(
      {"SELECT e.version, d.body" TOBIT_RULE_TABLES
       " WHERE e.kind = $1 AND e.tenant = $2 AND e.entity_key = $3 AND e.deleted_at IS NULL",
       {ref.kind, ref.tenant.value, ref.key}},
      ex->then([deps, ex](const rows& found) {
        if (found.empty()) return ex->refuse({error_code::not_found, "There is no such rule."});
        job::job_order order{backtest_kind, ex->tenant(), ex->text("rule_id"), ex->body(), ex->who().user->username};
        order.wish["version"] = as_int(found[0][0]);
        order.wish["live"] = parse_json(as_text(found[0][1])).value_or(json::object());
        deps.jobs->submit(std::move(order), answer_backtest(ex, 202));
      }));
}

void list_backtests(const route_deps& deps, const exchange_ptr& ex) {
  deps.jobs->list(ex->tenant(), backtest_kind, ex->text("rule_id"), ex->whole("limit", 50),
                  ex->then([ex](const std::vector<job::job_view>& found) {
                    auto list = json::array();
                    for (const auto& one : found) list.push_back(shown_backtest(one));
                    ex->ok({{"backtests", std::move(list)}});
                  }));
}

void find_backtest(const route_deps& deps, const exchange_ptr& ex) {
  deps.jobs->find(ex->tenant(), backtest_kind, ex->text("backtest_id"), answer_backtest(ex, 200));
}

void call_off_backtest(const route_deps& deps, const exchange_ptr& ex) {
  deps.jobs->call_off(ex->tenant(), backtest_kind, ex->text("backtest_id"), answer_backtest(ex, 200));
}

/// The stream opens with the job as it is, so that a watcher who comes late misses nothing but the way.
void watch_backtest(const route_deps& deps, const exchange_ptr& ex) {
  const auto id = ex->text("backtest_id");
  deps.jobs->find(ex->tenant(), backtest_kind, id, ex->then([deps, ex, id](job::job_view view) {
    auto kind = std::make_shared<stream_kind>();
    kind->topic = job::topic_of(id);
    kind->needs = {"cep:read", "rule", ""};
    auto shown = job::to_json(view);
    shown["report"] = nullptr;
    std::vector<stream_message> first{{view.over() ? "finished" : "progress", std::move(shown)}};
    kind->opening = [first = std::move(first)](const tenant_id&, const stream_kind::messages_receiver& done) {
      done(first);
    };
    kind->summary = {};
    if (ex->incoming().method == "HEAD") {
      response head;
      head.content_type = "text/event-stream";
      return ex->send(std::move(head));
    }
    deps.streams->open(ex, kind);
  }));
}

// -- debug ----------------------------------------------------------------------------------------------------------

void debug_rule(const route_deps& deps, const exchange_ptr& ex) {
  rule::watch_rule wish;
  const auto lasts =
      ex->has("seconds") ? std::chrono::seconds{ex->whole("seconds")} : std::chrono::seconds{debug_usual};
  wish.until_us = to_micros(ex->now() + lasts);
  wish.per_second_max = ex->whole("per_second", 100);
  wish.total_max = ex->whole("total", 10'000);
  wish.only_matched = ex->text("only") == "matched";
  const auto topic = rule::debug_topic(ex->text("rule_id"), wish.only_matched);
  deps.entities->ask(
      rule_ref(*ex), ex->context(), message::of(std::move(wish)), ex->then([deps, ex, topic](const message& answer) {
        const auto* watched = answer.as<rule::rule_watched>();
        if (!watched) return ex->refuse(error{error_code::internal_server_error});
        auto kind = std::make_shared<stream_kind>();
        kind->topic = topic;
        kind->needs = {"cep:execute", "rule", ""};
        std::vector<stream_message> first{
            {"watching", {{"until", time_or_null(watched->until_us)}, {"total", watched->total_max}}}};
        kind->opening = [first = std::move(first)](const tenant_id&, const stream_kind::messages_receiver& done) {
          done(first);
        };
        if (ex->incoming().method == "HEAD") {
          response head;
          head.content_type = "text/event-stream";
          return ex->send(std::move(head));
        }
        deps.streams->open(ex, kind);
      }));
}

// -- the table ------------------------------------------------------------------------------------------------------

shape backtest_shape() {
  return object({required(
      "backtest",
      open_object({required("job_id", uuid_text()), required("rule_id", text()),
                   required("status", choice({"waiting", "running", "done", "failed", "cancelled", "interrupted"})),
                   required("progress", open_object()), required("report", anything())}))});
}

parameter backtest_id_parameter() { return in_path("backtest_id", uuid_text()); }

route rehearsal_route(std::string method, std::string path, std::string operation, std::string summary, access needs,
                      route_handler handler) {
  return {.method = std::move(method),
          .path = std::move(path),
          .operation = std::move(operation),
          .tag = "rehearsal",
          .summary = std::move(summary),
          .needs = std::move(needs),
          .errors = {error_code::not_found},
          .handler = std::move(handler)};
}

answer_rule stream_answer() { return {.type = text(), .content_type = "text/event-stream", .enveloped = false}; }

void add_backtest_routes(route_table& table, const route_deps& deps) {
  auto start = rehearsal_route("POST", "/cep/rules/{rule_id}/backtest", "start_backtest",
                               "Replays stored events through a rule, as long work.",
                               access::permitted("cep:execute", "rule", "rule_id"),
                               [deps](const exchange_ptr& ex) { start_backtest(deps, ex); });
  start.notes = "Nothing is sent and nothing of the rule changes. Answers 202 with the backtest; look at it, or at its "
                "stream, until its status is no longer waiting or running. `rule` holds fields to try instead of the "
                "live ones.";
  start.parameters = {rule_id_parameter()};
  start.body = body_rule{
      .type = object({required("from", time_text()), required("to", time_text()),
                      optional("rule", open_object().or_null()), optional("with_alerting", flag().or_else(true)),
                      optional("warm_up_seconds", whole(0, 86'400).or_null().described(
                                                      "Events before `from` that windows grow from; if missing, as "
                                                      "far as the rule looks back."))})};
  start.answers = {.status = 202, .type = backtest_shape()};
  start.errors = {error_code::not_found, error_code::address_refused, error_code::overloaded};
  table.add(std::move(start));

  auto list = rehearsal_route("GET", "/cep/backtests", "list_backtests", "Backtests, the latest first.",
                              access::permitted("cep:read", "rule"),
                              [deps](const exchange_ptr& ex) { list_backtests(deps, ex); });
  list.parameters = {in_query("rule_id", text(1, entity_key_length_max)), in_query("limit", whole(1, 200).or_else(50))};
  list.errors = {};
  list.answers.type = object({required("backtests", list_of(open_object({required("job_id", uuid_text())})))});
  table.add(std::move(list));

  auto one = rehearsal_route("GET", "/cep/backtests/{backtest_id}", "get_backtest",
                             "A backtest: how far it is, and its report once it is done.",
                             access::permitted("cep:read", "rule"),
                             [deps](const exchange_ptr& ex) { find_backtest(deps, ex); });
  one.parameters = {backtest_id_parameter()};
  one.answers.type = backtest_shape();
  table.add(std::move(one));

  auto off = rehearsal_route("DELETE", "/cep/backtests/{backtest_id}", "cancel_backtest",
                             "Calls a backtest off; one that is over stays as it is.",
                             access::permitted("cep:execute", "rule"),
                             [deps](const exchange_ptr& ex) { call_off_backtest(deps, ex); });
  off.parameters = {backtest_id_parameter()};
  off.answers.type = backtest_shape();
  off.errors = {error_code::not_found, error_code::conflict};
  table.add(std::move(off));

  if (!deps.streams) return;
  auto watch = rehearsal_route("GET", "/cep/backtests/{backtest_id}/stream", "watch_backtest",
                               "A backtest's progress as it happens: `progress`, then `finished`.",
                               access::permitted("cep:read", "rule"),
                               [deps](const exchange_ptr& ex) { watch_backtest(deps, ex); });
  watch.parameters = {backtest_id_parameter(), in_header("last-event-id", text(0, 40))};
  watch.answers = stream_answer();
  watch.errors = {error_code::not_found, error_code::overloaded};
  table.add(std::move(watch));
}

void add_debug_route(route_table& table, const route_deps& deps) {
  auto debug = rehearsal_route("GET", "/cep/rules/{rule_id}/debug", "debug_rule",
                               "Every evaluation of a rule as it happens: what came in, the verdict, what followed.",
                               access::permitted("cep:execute", "rule", "rule_id"),
                               [deps](const exchange_ptr& ex) { debug_rule(deps, ex); });
  debug.notes = "Server-sent events: `watching` {until, total}, then `evaluation` for each thing judged, and `expired` "
                "when the time or the budget is used up; ask again to go on. A rule that nobody watches pays nothing.";
  debug.parameters = {
      rule_id_parameter(),
      in_query("only", choice({"matched"})),
      in_query("seconds", whole(1, 3'600).described("How long; 300 if missing.")),
      in_query("per_second", whole(1, 1'000).described("Evaluations a second at most; 100 if missing.")),
      in_query("total", whole(1, 100'000).described("Evaluations in all; 10,000 if missing.")),
      in_header("last-event-id", text(0, 40))};
  debug.answers = stream_answer();
  debug.errors = {error_code::not_found, error_code::overloaded, error_code::quarantined};
  table.add(std::move(debug));
}

} // namespace

void add_rehearsal_routes(route_table& table, const route_deps& deps) {
  if (deps.jobs) add_backtest_routes(table, deps);
  if (deps.entities && deps.streams) add_debug_route(table, deps);
}

} // namespace tobit::http
