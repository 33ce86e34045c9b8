#include "http/codec/envelope.hpp"
#include "http/identity/audit.hpp"
#include "http/routes/alert_answer.hpp"
#include "http/routes/event_answer.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/resource_route.hpp"
#include "http/routes/route_deps.hpp"
#include "schemas/alert/alert_protocol.hpp"

#include <limits>

namespace tobit::http {

using namespace storage;

namespace {

constexpr auto unknown_event = "There is no such event.";

void list_events(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  const auto since = ex->micros("since").value_or(0);
  const auto until = ex->micros("until").value_or(std::numeric_limits<std::int64_t>::max());
  deps.store->read({"SELECT " TOBIT_EVENT_COLUMNS " FROM rule_event WHERE tenant = $1"
                    " AND (triggered_at, event_id) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))"
                    " AND triggered_at >= CAST($4 AS BIGINT) AND triggered_at <= CAST($5 AS BIGINT)"
                    " AND (CAST($6 AS BIGINT) < 0 OR ack = $6) AND (CAST($7 AS TEXT) = '' OR severity = $7)"
                    " AND (CAST($8 AS TEXT) = '' OR rule_id = $8)"
                    " ORDER BY triggered_at DESC, event_id DESC LIMIT CAST($9 AS BIGINT) OFFSET CAST($10 AS BIGINT)",
                    {ex->tenant().value, place->before_us, place->before_key, since, until, ex->whole("acked", -1),
                     ex->text("severity"), ex->text("rule_id"), place->limit, place->offset}},
                   ex->then([ex, place = *place](const rows& found) {
                     const auto last = found.empty()
                                           ? std::pair<std::int64_t, std::string>{}
                                           : std::pair{as_int(found.values.back()[1]), as_text(found.values.back()[0])};
                     ex->ok({{"events", shown_events(found)}, {"limit", place.limit}, {"offset", place.offset}},
                            page_metadata(place, found.size(), last.first, last.second));
                   }));
}

/// The event's row joined with the execution that made it; refuses if it is not the caller's.
void with_event(const route_deps& deps, const exchange_ptr& ex, std::function<void(const std::vector<value>&)> go_on) {
  deps.store->read(
      {"SELECT v.event_id, v.triggered_at, v.status, v.summary, v.severity, v.ack, v.ack_at, v.rule_id, v.rule_name,"
       " v.trace_id, v.ack_by, v.payload, v.exec_id, x.status, x.duration_ms, x.executed_by, x.error_message,"
       " x.refs, x.version FROM rule_event v LEFT JOIN rule_execution x ON x.exec_id = v.exec_id"
       " WHERE v.event_id = $1 AND v.tenant = $2",
       {ex->text("event_id"), ex->tenant().value}},
      ex->then([ex, go_on = std::move(go_on)](const rows& found) {
        if (found.empty()) return ex->refuse({error_code::not_found, unknown_event});
        go_on(found[0]);
      }));
}

json shown_in_full(const std::vector<value>& row) {
  auto event = shown_event(row);
  const auto references = parse_json(as_text(row[17])).value_or(json(nullptr));
  const auto trigger = references.is_object() ? references.value("trigger", references) : json(nullptr);
  const auto of_trigger = [&](const char* name) {
    return trigger.is_object() ? trigger.value(name, json(nullptr)) : json(nullptr);
  };
  event["ack_by"] = is_null(row[10]) ? json(nullptr) : json(as_text(row[10]));
  event["payload"] = parse_json(as_text(row[11])).value_or(json(nullptr));
  event["reason"] = of_trigger("reason");
  event["condition_evaluated"] = of_trigger("condition_evaluated");
  event["extracted_value"] = of_trigger("extracted_value");
  event["exec_log"] = nullptr;
  if (!is_null(row[13]))
    event["exec_log"] = {
        {"exec_id", as_text(row[12])},     {"rule_version", as_int(row[18])},
        {"status", as_text(row[13])},      {"duration_ms", as_int(row[14])},
        {"executed_by", as_text(row[15])}, {"error_message", is_null(row[16]) ? json(nullptr) : json(as_text(row[16]))},
        {"references", references}};
  return event;
}

std::string acknowledger(const exchange& ex) { return ex.text("ack_by").empty() ? caller_name(ex) : ex.text("ack_by"); }

/// An event that shows an alert is acknowledged by acknowledging the alert; alerting then marks both.
void acknowledge_alert(const route_deps& deps, const exchange_ptr& ex, const std::string& alert_id, json event) {
  event["ack"] = true;
  event["ack_at"] = to_rfc3339(ex->now());
  event["ack_by"] = acknowledger(*ex);
  ask_alerting<alert::alert_answer>(deps, ex, alert::acknowledge_alert{alert_id, acknowledger(*ex), {}},
                                    [ex, event](const alert::alert_answer&) {
                                      ex->ok({{"event", event}});
                                    });
}

void acknowledge_record(const route_deps& deps, const exchange_ptr& ex, const std::vector<value>& row);

void acknowledge(const route_deps& deps, const exchange_ptr& ex) {
  with_event(deps, ex, [deps, ex](const std::vector<value>& row) {
    const auto before = shown_event(row);
    if (before["ack"] == true) return ex->ok({{"event", before}}); // the first one counts
    deps.store->read(
        {"SELECT alert_id FROM alert WHERE event_id = $1 AND tenant = $2 AND status = 'firing' AND ack = 0",
         {as_text(row[0]), ex->tenant().value}},
        ex->then([deps, ex, row, before](const rows& alerts) {
          if (!alerts.empty() && deps.entities) return acknowledge_alert(deps, ex, as_text(alerts[0][0]), before);
          acknowledge_record(deps, ex, row);
        }));
  });
}

void acknowledge_record(const route_deps& deps, const exchange_ptr& ex, const std::vector<value>& row) {
  const auto before = shown_event(row);
  const auto now = ex->now();
  auto after = before;
  const auto by = acknowledger(*ex);
  after["ack"] = true;
  after["ack_at"] = to_rfc3339(now);
  after["ack_by"] = by;
  unit_of_work unit{
      {{"UPDATE rule_event SET ack = 1, ack_at = $1, ack_by = $2 WHERE event_id = $3 AND ack = 0",
        {to_micros(now), by, as_text(row[0])},
        1,
        error_code::conflict},
       audit_row(ex->context(),
                 {"ack", "event", as_text(row[0]), {{"ack", false}}, {{"ack", true}, {"ack_by", by}}, json::object()},
                 now)}};
  deps.store->write(std::move(unit), ex->then([deps, ex, after](const write_outcome&) {
    if (deps.bus) deps.bus->publish(ex->tenant(), "cep.events", "ack_event", after);
    ex->ok({{"event", after}});
  }));
}

shape event_shape() {
  return open_object({required("event_id", text()), required("triggered_at", time_text()), required("status", text()),
                      required("summary", text()), required("severity", text()), required("ack", flag()),
                      required("rule_id", text()), required("rule_name", text())});
}

route event_route(std::string method, std::string path, std::string operation, std::string summary,
                  std::string permission, route_handler handler) {
  return on_resource({.method = std::move(method),
                      .path = std::move(path),
                      .operation = std::move(operation),
                      .tag = "events",
                      .summary = std::move(summary),
                      .answers = {.type = object({required("event", event_shape())})},
                      .handler = std::move(handler)},
                     std::move(permission), "event");
}

} // namespace

json shown_event(const std::vector<value>& row) {
  return {{"event_id", as_text(row[0])},
          {"triggered_at", time_or_null(as_int(row[1]))},
          {"status", as_text(row[2])},
          {"summary", as_text(row[3])},
          {"severity", as_text(row[4])},
          {"ack", as_int(row[5]) != 0},
          {"ack_at", time_or_null(as_int(row[6]))},
          {"rule_id", as_text(row[7])},
          {"rule_name", as_text(row[8])},
          {"notification_id", nullptr},
          {"trace_id", as_text(row[9])}};
}

json shown_events(const rows& found) {
  json all = json::array();
  for (const auto& row : found.values) all.push_back(shown_event(row));
  return all;
}

void read_event_summary(database& store, const tenant_id& tenant, std::function<void(result<json>)> done) {
  store.read(
      {"SELECT severity, COUNT(*) FROM rule_event WHERE tenant = $1 AND ack = 0 GROUP BY severity", {tenant.value}},
      [done = std::move(done)](const result<rows>& found) {
        if (!found) return done(fail(found.error()));
        std::int64_t all = 0;
        json by_severity = json::object();
        for (const auto& row : found->values) {
          by_severity[as_text(row[0])] = as_int(row[1]);
          all += as_int(row[1]);
        }
        done(json{{"unacked_count", all}, {"by_severity", by_severity}});
      });
}

void add_event_routes(route_table& table, const route_deps& deps) {
  auto list = event_route("GET", "/cep/events", "list_events", "What rules stored, latest first.", "cep:read",
                          [deps](const exchange_ptr& ex) { list_events(deps, ex); });
  list.parameters = paging_parameters(200, 500);
  list.parameters.push_back(in_query("acked", flag()));
  list.parameters.push_back(in_query("severity", text(0, 50)));
  list.parameters.push_back(in_query("rule_id", text(0, 200)));
  list.parameters.push_back(in_query("since", time_text()));
  list.parameters.push_back(in_query("until", time_text()));
  list.answers.type = object({required("events", list_of(event_shape())), required("limit", whole(0, 1e9)),
                              required("offset", whole(0, 1e9))});
  table.add(std::move(list));

  auto summary = event_route("GET", "/cep/events/summary", "get_event_summary",
                             "How many events nobody acknowledged yet.", "cep:read", [deps](const exchange_ptr& ex) {
                               read_event_summary(*deps.store, ex->tenant(), ex->then([ex](const json& read) {
                                 ex->ok({{"summary", read}});
                               }));
                             });
  summary.answers.type = object({required(
      "summary", object({required("unacked_count", whole(0, 1e15)), required("by_severity", open_object())}))});
  table.add(std::move(summary));

  table.add(event_route(
      "GET", "/cep/events/{event_id}", "get_event", "One event with its payload and the execution that made it.",
      "cep:read", [deps](const exchange_ptr& ex) {
        with_event(deps, ex, [ex](const std::vector<value>& row) { ex->ok({{"event", shown_in_full(row)}}); });
      }));
  auto ack = event_route("POST", "/cep/events/{event_id}/ack", "acknowledge_event",
                         "Says that somebody takes care; the first one counts.", "cep:update",
                         [deps](const exchange_ptr& ex) { acknowledge(deps, ex); });
  ack.parameters.push_back(in_query("ack_by", text(0, 200).described("Who; the caller if missing.")));
  ack.errors.push_back(error_code::conflict);
  table.add(std::move(ack));
}

} // namespace tobit::http
