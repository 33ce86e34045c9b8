#include "http/codec/envelope.hpp"
#include "http/routes/alert_answer.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/resource_route.hpp"
#include "http/routes/route_deps.hpp"
#include "schemas/alert/alert_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

constexpr auto unknown_alert = "There is no such alert.";
constexpr std::int64_t history_max = 500;

// $1 tenant, $2 and $3 the place, $4 status, $5 severity, $6 rule, $7 label, $8 acknowledged, $9 limit, $10 offset.
#define TOBIT_ALERT_FILTER                                                                                             \
  " AND (CAST($4 AS TEXT) = '' OR status = $4 OR ($4 = 'live' AND status IN ('pending', 'firing')))"                   \
  " AND (CAST($5 AS TEXT) = '' OR severity = $5) AND (CAST($6 AS TEXT) = '' OR rule_id = $6)"                          \
  " AND (CAST($7 AS TEXT) = '' OR labels LIKE $7 ESCAPE '\\') AND (CAST($8 AS BIGINT) < 0 OR ack = $8)"
#define TOBIT_ALERT_PAGE " LIMIT CAST($9 AS BIGINT) OFFSET CAST($10 AS BIGINT)"

constexpr std::string_view by_update =
    "SELECT " TOBIT_ALERT_COLUMNS " FROM alert WHERE tenant = $1"
    " AND (updated_at, alert_id) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))" TOBIT_ALERT_FILTER
    " ORDER BY updated_at DESC, alert_id DESC" TOBIT_ALERT_PAGE;
constexpr std::string_view by_start =
    "SELECT " TOBIT_ALERT_COLUMNS " FROM alert WHERE tenant = $1"
    " AND (started_at, alert_id) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))" TOBIT_ALERT_FILTER
    " ORDER BY started_at DESC, alert_id DESC" TOBIT_ALERT_PAGE;

/// `name=value` as it stands in the labels' compact JSON. Errors: validation_error.
result<std::string> label_pattern(const std::string& asked) {
  if (asked.empty()) return std::string{};
  const auto equal = asked.find('=');
  if (equal == std::string::npos || equal == 0)
    return fail(error_code::validation_error, "The parameter 'label' reads like host=db-1.");
  const auto pair = to_text(json{{asked.substr(0, equal), asked.substr(equal + 1)}});
  std::string out = "%";
  for (const char c : pair.substr(1, pair.size() - 2)) {
    if (c == '%' || c == '_' || c == '\\') out.push_back('\\');
    out.push_back(c);
  }
  return out + '%';
}

void list_alerts(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  auto label = label_pattern(ex->text("label"));
  if (!label) return ex->refuse(label.error());
  const bool started = ex->text("sort") == "started";
  deps.store->read({started ? by_start : by_update,
                    {ex->tenant().value, place->before_us, place->before_key, ex->text("status"), ex->text("severity"),
                     ex->text("rule_id"), *label, ex->whole("acked", -1), place->limit, place->offset}},
                   ex->then([ex, place = *place, started](const rows& found) {
                     json alerts = json::array();
                     for (const auto& row : found.values) alerts.push_back(alert_of_row(row));
                     std::int64_t last_us = 0;
                     std::string last_id;
                     if (!found.empty()) {
                       last_us = as_int(found.values.back()[started ? 2 : 1]);
                       last_id = as_text(found.values.back()[0]);
                     }
                     ex->ok({{"alerts", std::move(alerts)}}, page_metadata(place, found.size(), last_us, last_id));
                   }));
}

json history_of_row(const std::vector<value>& row) {
  const auto text_or_null = [](const value& v) { return is_null(v) ? json(nullptr) : json(as_text(v)); };
  return {{"at", time_or_null(as_int(row[0]))},
          {"what", as_text(row[1])},
          {"reason", as_text(row[2])},
          {"by", text_or_null(row[3])},
          {"notification_id", text_or_null(row[4])},
          {"notice_id", text_or_null(row[5])},
          {"trace_id", as_text(row[6])}};
}

void get_alert(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read(
      {"SELECT " TOBIT_ALERT_COLUMNS " FROM alert WHERE tenant = $1 AND alert_id = $2",
       {ex->tenant().value, ex->text("alert_id")}},
      ex->then([deps, ex](const rows& found) {
        if (found.empty()) return ex->refuse({error_code::not_found, unknown_alert});
        deps.store->read(
            {"SELECT at, what, reason, done_by, policy_id, notice_id, trace_id FROM alert_history WHERE alert_id = $1"
             " AND tenant = $2 ORDER BY at DESC, history_id DESC LIMIT CAST($3 AS BIGINT)",
             {ex->text("alert_id"), ex->tenant().value, history_max}},
            ex->then([ex, shown = alert_of_row(found[0])](const rows& past) mutable {
              shown["history"] = json::array();
              for (auto row = past.values.rbegin(); row != past.values.rend(); ++row)
                shown["history"].push_back(history_of_row(*row));
              ex->ok({{"alert", std::move(shown)}});
            }));
      }));
}

template <class Request>
void change_alert(const route_deps& deps, const exchange_ptr& ex) {
  Request wish;
  wish.alert_id = ex->text("alert_id");
  wish.by = caller_name(*ex);
  wish.comment = ex->body().is_object() ? ex->body().value("comment", "") : "";
  ask_alerting<alert::alert_answer>(deps, ex, std::move(wish), [ex](const alert::alert_answer& answer) {
    ex->ok({{"alert", answer.alert}, {"changed", answer.changed}});
  });
}

route alert_route(std::string method, std::string path, std::string operation, std::string summary,
                  std::string permission, route_handler handler) {
  return on_resource({.method = std::move(method),
                      .path = std::move(path),
                      .operation = std::move(operation),
                      .tag = "alerts",
                      .summary = std::move(summary),
                      .answers = {.type = object({required("alert", alert_shape())})},
                      .handler = std::move(handler)},
                     std::move(permission), "alert");
}

} // namespace

void add_alert_routes(route_table& table, const route_deps& deps) {
  auto list = alert_route("GET", "/cep/alerts", "list_alerts", "Alerts, those that are live and those that were.",
                          "cep:read", [deps](const exchange_ptr& ex) { list_alerts(deps, ex); });
  list.parameters = paging_parameters(200, 1'000);
  list.parameters.push_back(in_query(
      "status", choice({"live", "pending", "firing", "resolved", "inactive"}).described("`live`: pending or firing.")));
  list.parameters.push_back(in_query("severity", text(0, 50)));
  list.parameters.push_back(in_query("rule_id", text(0, 200)));
  list.parameters.push_back(in_query("label", text(0, 500).described("One label, as in host=db-1.")));
  list.parameters.push_back(in_query("acked", flag()));
  list.parameters.push_back(in_query("sort", choice({"updated", "started"}).or_else("updated")));
  list.answers.type = object({required("alerts", list_of(alert_shape()))});
  table.add(std::move(list));

  table.add(alert_route("GET", "/cep/alerts/{alert_id}", "get_alert",
                        "One alert with its history: what happened to it, and who was told or not, and why.",
                        "cep:read", [deps](const exchange_ptr& ex) { get_alert(deps, ex); }));

  const body_rule comment{.type = object({optional("comment", text(0, 1'000).or_else(""))}), .required = false};
  auto ack =
      alert_route("POST", "/cep/alerts/{alert_id}/ack", "acknowledge_alert",
                  "Says that somebody takes care: no repeats, no further escalation. The first one counts.",
                  "cep:update", [deps](const exchange_ptr& ex) { change_alert<alert::acknowledge_alert>(deps, ex); });
  ack.body = comment;
  ack.answers.type = object({required("alert", open_object()), required("changed", flag())});
  table.add(std::move(ack));
  auto resolve = alert_route("POST", "/cep/alerts/{alert_id}/resolve", "resolve_alert",
                             "Closes an alert by hand; its rule may fire a new one.", "cep:update",
                             [deps](const exchange_ptr& ex) { change_alert<alert::resolve_alert>(deps, ex); });
  resolve.body = comment;
  resolve.answers.type = object({required("alert", open_object()), required("changed", flag())});
  table.add(std::move(resolve));
}

} // namespace tobit::http
