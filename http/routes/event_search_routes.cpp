#include "http/codec/envelope.hpp"
#include "http/routes/event_answer.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/route_deps.hpp"

namespace tobit::http {

using namespace storage;

namespace {

void search(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  deps.store->read({"SELECT " TOBIT_EVENT_COLUMNS " FROM rule_event WHERE tenant = $1"
                    " AND (triggered_at, event_id) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))"
                    " AND triggered_at >= CAST($4 AS BIGINT) AND triggered_at <= CAST($5 AS BIGINT)"
                    " AND (CAST($6 AS TEXT) = '' OR severity = $6) AND (CAST($7 AS TEXT) = '' OR rule_id = $7)"
                    " AND (LOWER(summary) LIKE $8 ESCAPE '\\' OR LOWER(rule_name) LIKE $8 ESCAPE '\\'"
                    " OR LOWER(payload) LIKE $8 ESCAPE '\\')"
                    " ORDER BY triggered_at DESC, event_id DESC LIMIT CAST($9 AS BIGINT) OFFSET CAST($10 AS BIGINT)",
                    {ex->tenant().value, place->before_us, place->before_key, ex->micros("since").value_or(0),
                     ex->micros("until").value_or(std::numeric_limits<std::int64_t>::max()), ex->text("severity"),
                     ex->text("rule_id"), like_pattern(ex->text("q")), place->limit, place->offset}},
                   ex->then([ex, place = *place](const rows& found) {
                     const auto last = found.empty()
                                           ? std::pair<std::int64_t, std::string>{}
                                           : std::pair{as_int(found.values.back()[1]), as_text(found.values.back()[0])};
                     ex->ok({{"events", shown_events(found)}, {"limit", place.limit}, {"offset", place.offset}},
                            page_metadata(place, found.size(), last.first, last.second));
                   }));
}

/// One execution (a simulation leaves one, too) with what it stored.
void run_detail(const route_deps& deps, const exchange_ptr& ex) {
  const auto id = ex->has("exec_log_id") ? ex->text("exec_log_id") : ex->text("simulation_id");
  if (id.empty()) return ex->refuse({error_code::validation_error, "Say which run: exec_log_id or simulation_id."});
  deps.store->read(
      {"SELECT exec_id, rule_id, version, triggered_at, status, duration_ms, executed_by, error_message, refs, trace_id"
       " FROM rule_execution WHERE exec_id = $1 AND tenant = $2",
       {id, ex->tenant().value}},
      ex->then([deps, ex, id](const rows& found) {
        if (found.empty()) return ex->refuse({error_code::not_found, "There is no such run."});
        const auto& row = found[0];
        json run{{"exec_id", as_text(row[0])},
                 {"rule_id", as_text(row[1])},
                 {"rule_version", as_int(row[2])},
                 {"triggered_at", time_or_null(as_int(row[3]))},
                 {"status", as_text(row[4])},
                 {"simulation", as_text(row[4]) == "dry_run"},
                 {"duration_ms", as_int(row[5])},
                 {"executed_by", as_text(row[6])},
                 {"error_message", is_null(row[7]) ? json(nullptr) : json(as_text(row[7]))},
                 {"references", parse_json(as_text(row[8])).value_or(json(nullptr))},
                 {"trace_id", as_text(row[9])}};
        deps.store->read({"SELECT " TOBIT_EVENT_COLUMNS " FROM rule_event WHERE tenant = $1 AND rule_id = $2"
                          " AND exec_id = $3 AND triggered_at >= CAST($4 AS BIGINT) ORDER BY triggered_at LIMIT 100",
                          {ex->tenant().value, as_text(row[1]), id, as_int(row[3]) - 60'000'000}},
                         ex->then([ex, run](const rows& events) {
                           ex->ok({{"run", run}, {"events", shown_events(events)}});
                         }));
      }));
}

route event_list_route(std::string path, std::string operation, std::string summary, route_handler handler) {
  return {.method = "GET",
          .path = std::move(path),
          .operation = std::move(operation),
          .tag = "events",
          .summary = std::move(summary),
          .needs = access::permitted("cep:read", "event"),
          .handler = std::move(handler)};
}

} // namespace

void add_event_search_routes(route_table& table, const route_deps& deps) {
  auto find = event_list_route("/cep/events/search", "search_events", "What rules stored, by words in it.",
                               [deps](const exchange_ptr& ex) { search(deps, ex); });
  find.notes = "The words are looked for in summaries, names of rules and payloads, in any case.";
  find.parameters = paging_parameters(50, 200);
  find.parameters.push_back(in_query("q", text(0, 200)));
  find.parameters.push_back(in_query("severity", text(0, 50)));
  find.parameters.push_back(in_query("rule_id", text(0, 200)));
  find.parameters.push_back(in_query("since", time_text()));
  find.parameters.push_back(in_query("until", time_text()));
  find.answers.type = object({required("events", list_of(open_object())), required("limit", whole(0, 1e9)),
                              required("offset", whole(0, 1e9))});
  table.add(std::move(find));

  auto run = event_list_route("/cep/events/run", "get_event_run", "One run of a rule and what it stored.",
                              [deps](const exchange_ptr& ex) { run_detail(deps, ex); });
  run.parameters = {in_query("exec_log_id", text(1, 100)), in_query("simulation_id", text(1, 100))};
  run.answers.type =
      object({required("run", open_object({required("exec_id", text())})), required("events", list_of(open_object()))});
  run.errors = {error_code::not_found};
  table.add(std::move(run));
}

} // namespace tobit::http
