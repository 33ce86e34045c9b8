#include "http/codec/envelope.hpp"
#include "http/identity/audit.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/resource_route.hpp"
#include "http/routes/route_deps.hpp"
#include "schemas/channel/channel_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

#define TOBIT_DEAD_LETTER_COLUMNS                                                                                      \
  "id, channel, channel_type, notice_id, reason, severity, title, error_name, error, attempts, tried, recipients, at," \
  " replayed_at, replayed_by"

constexpr auto unknown_letter = "There is no such dead letter; it may have been removed.";

json parsed(const value& text) {
  auto read = parse_json(as_text(text));
  return read ? *read : json(nullptr);
}

json shown(const std::vector<value>& row) {
  return {{"dead_letter_id", as_text(row[0])},
          {"channel_id", as_text(row[1])},
          {"channel_type", as_text(row[2])},
          {"notice_id", as_text(row[3])},
          {"reason", as_text(row[4])},
          {"severity", as_text(row[5])},
          {"title", as_text(row[6])},
          {"error_name", as_text(row[7])},
          {"error", as_text(row[8])},
          {"attempts", as_int(row[9])},
          {"tried", parsed(row[10])},
          {"recipients", parsed(row[11])},
          {"at", time_or_null(as_int(row[12]))},
          {"status", is_null(row[13]) ? "open" : "replayed"},
          {"replayed_at", is_null(row[13]) ? json(nullptr) : time_or_null(as_int(row[13]))},
          {"replayed_by", is_null(row[14]) ? json(nullptr) : json(as_text(row[14]))}};
}

void list_letters(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  const std::int64_t replayed = ex->text("status") == "replayed" ? 1 : ex->text("status") == "open" ? 0 : -1;
  deps.store->read(
      {"SELECT " TOBIT_DEAD_LETTER_COLUMNS " FROM dead_letter WHERE tenant = $1"
       " AND (at, id) < (CAST($2 AS BIGINT), CAST($3 AS TEXT)) AND (CAST($4 AS TEXT) = '' OR channel = $4)"
       " AND (CAST($5 AS TEXT) = '' OR severity = $5)"
       " AND (CAST($6 AS BIGINT) < 0 OR (CASE WHEN replayed_at IS NULL THEN 0 ELSE 1 END) = CAST($6 AS BIGINT))"
       " AND at >= CAST($7 AS BIGINT)"
       " ORDER BY at DESC, id DESC LIMIT CAST($8 AS BIGINT) OFFSET CAST($9 AS BIGINT)",
       {ex->tenant().value, place->before_us, place->before_key, ex->text("channel_id"), ex->text("severity"), replayed,
        ex->micros("since").value_or(0), place->limit, place->offset}},
      ex->then([ex, place = *place](const rows& found) {
        json letters = json::array();
        for (const auto& row : found.values) letters.push_back(shown(row));
        const auto last = found.empty() ? std::pair<std::int64_t, std::string>{}
                                        : std::pair{as_int(found.values.back()[12]), as_text(found.values.back()[0])};
        ex->ok({{"dead_letters", std::move(letters)}}, page_metadata(place, found.size(), last.first, last.second));
      }));
}

void with_letter(const route_deps& deps, const exchange_ptr& ex,
                 std::function<void(const std::vector<value>& row, json notice)> go_on) {
  deps.store->read({"SELECT " TOBIT_DEAD_LETTER_COLUMNS ", notice FROM dead_letter WHERE tenant = $1 AND id = $2",
                    {ex->tenant().value, ex->text("dead_letter_id")}},
                   ex->then([ex, go_on = std::move(go_on)](const rows& found) {
                     if (found.empty()) return ex->refuse({error_code::not_found, unknown_letter});
                     go_on(found[0], parsed(found[0][15]));
                   }));
}

void get_letter(const route_deps& deps, const exchange_ptr& ex) {
  with_letter(deps, ex, [ex](const std::vector<value>& row, json notice) {
    auto letter = shown(row);
    letter["notice"] = std::move(notice);
    ex->ok({{"dead_letter", std::move(letter)}});
  });
}

void note_replay(const route_deps& deps, const exchange_ptr& ex, const entity_ref& channel,
                 const std::string& outcome) {
  unit_of_work unit;
  unit.statements.push_back(audit_row(ex->context(),
                                      {"replay",
                                       "dead_letter",
                                       ex->text("dead_letter_id"),
                                       json::object(),
                                       {{"channel_id", channel.key}},
                                       json::object()},
                                      ex->now()));
  deps.store->write(std::move(unit), ex->then([ex, outcome, key = channel.key](const write_outcome&) {
    ex->answer(202, {{"dead_letter_id", ex->text("dead_letter_id")}, {"channel_id", key}, {"outcome", outcome}});
  }));
}

void replay_letter(const route_deps& deps, const exchange_ptr& ex) {
  with_letter(deps, ex, [deps, ex](const std::vector<value>& row, const json& notice) {
    if (!is_null(row[13]))
      return ex->refuse(
          {error_code::conflict, "This dead letter was replayed before; if that failed, there is a new one."});
    const auto other = ex->body().is_object() ? ex->body().value("channel_id", std::string{}) : std::string{};
    const entity_ref ref{std::string(channel::kind_name), ex->tenant(), other.empty() ? as_text(row[1]) : other};
    channel::replay_notice request;
    request.dead_letter_id = as_text(row[0]);
    try {
      request.notice = notice.get<channel::send_notice>();
      // Whoever was not reached through this channel; another channel has recipients of its own.
      if (other.empty()) request.recipients = parsed(row[11]).get<std::vector<std::string>>();
    } catch (const json::exception&) {
      return ex->refuse({error_code::unprocessable, "The stored notice cannot be read; remove this dead letter."});
    }
    deps.entities->ask(ref, ex->context(), message::of(std::move(request)), [deps, ex, ref](result<message> answer) {
      ex->guarded([&] {
        if (!answer && answer.error().code == error_code::not_found)
          return ex->refuse(
              {error_code::conflict,
               "The channel '" + ref.key + "' does not exist any more; name another one: {\"channel_id\": …}."});
        if (!answer) return ex->refuse(answer.error());
        const auto* taken = answer->as<channel::notice_taken>();
        note_replay(deps, ex, ref, taken ? taken->outcome : "sending");
      });
    });
  });
}

void delete_letter(const route_deps& deps, const exchange_ptr& ex) {
  unit_of_work unit;
  unit.statements = {{"DELETE FROM dead_letter WHERE tenant = $1 AND id = $2",
                      {ex->tenant().value, ex->text("dead_letter_id")},
                      1,
                      error_code::not_found},
                     audit_row(ex->context(), {"delete", "dead_letter", ex->text("dead_letter_id")}, ex->now())};
  deps.store->write(std::move(unit), [ex](const result<write_outcome>& done) {
    ex->guarded([&] {
      if (!done && done.error().code == error_code::not_found)
        return ex->refuse({error_code::not_found, unknown_letter});
      if (!done) return ex->refuse(done.error());
      ex->ok({{"dead_letter_id", ex->text("dead_letter_id")}, {"deleted", true}});
    });
  });
}

shape letter_shape() {
  return open_object({required("dead_letter_id", text()), required("channel_id", text()), required("title", text()),
                      required("error", text()), required("status", choice({"open", "replayed"}))});
}

route letter_route(std::string method, std::string path, std::string operation, std::string summary,
                   std::string permission, route_handler handler) {
  return on_resource({.method = std::move(method),
                      .path = std::move(path),
                      .operation = std::move(operation),
                      .tag = "channels",
                      .summary = std::move(summary),
                      .handler = std::move(handler)},
                     std::move(permission), "dead_letter");
}

} // namespace

void add_dead_letter_routes(route_table& table, const route_deps& deps) {
  auto list = letter_route("GET", "/cep/dead-letters", "list_dead_letters",
                           "Notices that no channel could deliver, latest first.", "cep:read",
                           [deps](const exchange_ptr& ex) { list_letters(deps, ex); });
  list.parameters = paging_parameters(100, 500);
  list.parameters.push_back(in_query("channel_id", text(0, 100)));
  list.parameters.push_back(in_query("severity", text(0, 50)));
  list.parameters.push_back(in_query("status", choice({"open", "replayed", "all"}).or_else("open")));
  list.parameters.push_back(in_query("since", time_text()));
  list.answers.type = object({required("dead_letters", list_of(letter_shape()))});
  table.add(std::move(list));

  auto one =
      letter_route("GET", "/cep/dead-letters/{dead_letter_id}", "get_dead_letter", "One dead letter with its notice.",
                   "cep:read", [deps](const exchange_ptr& ex) { get_letter(deps, ex); });
  one.answers.type = object({required("dead_letter", letter_shape())});
  table.add(std::move(one));

  auto replay = letter_route("POST", "/cep/dead-letters/{dead_letter_id}/replay", "replay_dead_letter",
                             "Tries a dead letter again, through its own channel or another one.", "cep:execute",
                             [deps](const exchange_ptr& ex) { replay_letter(deps, ex); });
  replay.notes = "A dead letter is replayed once; if that fails too, there is a new one.";
  replay.body = body_rule{.type = object({optional("channel_id", text(1, 100))}), .required = false};
  replay.answers.status = 202;
  replay.answers.type =
      object({required("dead_letter_id", text()), required("channel_id", text()), required("outcome", text())});
  replay.errors = {error_code::not_found, error_code::conflict, error_code::unprocessable};
  table.add(std::move(replay));

  auto remove = letter_route("DELETE", "/cep/dead-letters/{dead_letter_id}", "delete_dead_letter",
                             "Removes a dead letter for good.", "cep:delete",
                             [deps](const exchange_ptr& ex) { delete_letter(deps, ex); });
  remove.answers.type = object({required("dead_letter_id", text()), required("deleted", flag())});
  table.add(std::move(remove));
}

} // namespace tobit::http
