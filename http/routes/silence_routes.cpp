#include "http/codec/envelope.hpp"
#include "http/routes/alert_answer.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/resource_route.hpp"
#include "http/routes/route_deps.hpp"
#include "schemas/alert/alert_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

#define TOBIT_SILENCE_COLUMNS                                                                                          \
  "silence_id, ends_at, matchers, starts_at, comment, created_by, created_at, updated_by, updated_at"

json silence_of_row(const std::vector<value>& row, utc_time now) {
  const auto starts = as_int(row[3]), ends = as_int(row[1]), at = to_micros(now);
  return {{"silence_id", as_text(row[0])},
          {"matchers", parse_json(as_text(row[2])).value_or(json::array())},
          {"starts_at", time_or_null(starts)},
          {"ends_at", time_or_null(ends)},
          {"comment", as_text(row[4])},
          {"created_by", as_text(row[5])},
          {"created_at", time_or_null(as_int(row[6]))},
          {"updated_by", as_text(row[7])},
          {"updated_at", time_or_null(as_int(row[8]))},
          {"status", at >= ends    ? "expired"
                     : at < starts ? "pending"
                                   : "active"}};
}

void list_silences(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  const auto now = to_micros(ex->now());
  const auto& status = ex->text("status");
  deps.store->read(
      {"SELECT " TOBIT_SILENCE_COLUMNS " FROM silence WHERE tenant = $1"
       " AND (ends_at, silence_id) < (CAST($2 AS BIGINT), CAST($3 AS TEXT))"
       " AND (CAST($4 AS TEXT) = '' OR ($4 = 'expired' AND ends_at <= $5) OR ($4 = 'active' AND starts_at <= $5 AND"
       " ends_at > $5) OR ($4 = 'pending' AND starts_at > $5) OR ($4 = 'live' AND ends_at > $5))"
       " ORDER BY ends_at DESC, silence_id DESC LIMIT CAST($6 AS BIGINT) OFFSET CAST($7 AS BIGINT)",
       {ex->tenant().value, place->before_us, place->before_key, status, now, place->limit, place->offset}},
      ex->then([ex, place = *place](const rows& found) {
        json silences = json::array();
        for (const auto& row : found.values) silences.push_back(silence_of_row(row, ex->now()));
        const auto last_us = found.empty() ? 0 : as_int(found.values.back()[1]);
        const auto last_id = found.empty() ? std::string{} : as_text(found.values.back()[0]);
        ex->ok({{"silences", std::move(silences)}}, page_metadata(place, found.size(), last_us, last_id));
      }));
}

void get_silence(const route_deps& deps, const exchange_ptr& ex) {
  deps.store->read({"SELECT " TOBIT_SILENCE_COLUMNS " FROM silence WHERE tenant = $1 AND silence_id = $2",
                    {ex->tenant().value, ex->text("silence_id")}},
                   ex->then([ex](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, "There is no such silence."});
                     ex->ok({{"silence", silence_of_row(found[0], ex->now())}});
                   }));
}

void put_silence(const route_deps& deps, const exchange_ptr& ex, int status) {
  alert::put_silence wish{ex->text("silence_id"), std::move(ex->body()), caller_name(*ex)};
  ask_alerting<alert::silence_answer>(deps, ex, std::move(wish), [ex, status](const alert::silence_answer& answer) {
    header_list further;
    if (status == 201)
      further.emplace_back("Location", "/cep/silences/" + answer.silence.value("silence_id", std::string{}));
    ex->answer(status, {{"silence", answer.silence}, {"affected", answer.affected}}, nullptr, std::move(further));
  });
}

shape silence_shape() {
  return open_object({required("silence_id", text()), required("matchers", list_of(open_object())),
                      required("starts_at", time_text()), required("ends_at", time_text()), required("comment", text()),
                      required("status", choice({"pending", "active", "expired"}))});
}

route silence_route(std::string method, std::string path, std::string operation, std::string summary,
                    std::string permission, route_handler handler) {
  return on_resource(
      {.method = std::move(method),
       .path = std::move(path),
       .operation = std::move(operation),
       .tag = "alerts",
       .summary = std::move(summary),
       .answers = {.type = object({required("silence", silence_shape()), optional("affected", whole(0, 1e9))})},
       .handler = std::move(handler)},
      std::move(permission), "silence");
}

} // namespace

void add_silence_routes(route_table& table, const route_deps& deps) {
  auto list = silence_route("GET", "/cep/silences", "list_silences", "Silences, also those that have ended.",
                            "cep:read", [deps](const exchange_ptr& ex) { list_silences(deps, ex); });
  list.parameters = paging_parameters(200, 1'000);
  list.parameters.push_back(
      in_query("status", choice({"live", "active", "pending", "expired"}).described("`live`: active or pending.")));
  list.answers.type = object({required("silences", list_of(silence_shape()))});
  table.add(std::move(list));
  table.add(silence_route("GET", "/cep/silences/{silence_id}", "get_silence", "One silence.", "cep:read",
                          [deps](const exchange_ptr& ex) { get_silence(deps, ex); }));

  auto create = silence_route("POST", "/cep/silences", "create_silence",
                              "Keeps alerts that fit all matchers quiet for a time. They stay visible.", "cep:update",
                              [deps](const exchange_ptr& ex) { put_silence(deps, ex, 201); });
  create.notes = "`matchers` (each an object {label, op, value} or a text like host=~\"db-.*\"), `starts_at` (now), "
                 "`ends_at` or `duration_seconds`, `comment`.";
  create.body = body_rule{.type = open_object({required("matchers", list_of(anything(), 20))})};
  create.answers.status = 201;
  create.errors = {error_code::overloaded};
  table.add(std::move(create));
  auto change = silence_route("PUT", "/cep/silences/{silence_id}", "change_silence",
                              "Changes a silence that has not ended: the fields that are sent.", "cep:update",
                              [deps](const exchange_ptr& ex) { put_silence(deps, ex, 200); });
  change.body = body_rule{.type = open_object()};
  table.add(std::move(change));
  auto end = silence_route(
      "DELETE", "/cep/silences/{silence_id}", "end_silence", "Ends a silence now; its alerts may be told of again.",
      "cep:update", [deps](const exchange_ptr& ex) {
        ask_alerting<alert::silence_answer>(deps, ex, alert::end_silence{ex->text("silence_id"), caller_name(*ex)},
                                            [ex](const alert::silence_answer& answer) {
                                              ex->ok({{"silence", answer.silence}, {"affected", answer.affected}});
                                            });
      });
  table.add(std::move(end));
}

} // namespace tobit::http
