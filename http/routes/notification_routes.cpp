#include "http/codec/envelope.hpp"
#include "http/routes/alerting_document.hpp"
#include "http/routes/file_ownership.hpp"
#include "http/routes/paging.hpp"
#include "http/routes/resource_route.hpp"
#include "http/routes/route_deps.hpp"
#include "http/routes/rule_answer.hpp"

#include <algorithm>

namespace tobit::http {

using namespace storage;

namespace {

constexpr auto unknown_notification = "There is no such notification.";

json* find_notification(json& list, const std::string& id) {
  const auto found =
      std::find_if(list.begin(), list.end(), [&](const json& n) { return n.value("notification_id", "") == id; });
  return found == list.end() ? nullptr : &*found;
}

void answer_with(const exchange_ptr& ex, int status, json document, std::int64_t version, const std::string& id) {
  const auto* found = find_notification(document["notifications"], id);
  if (!found) return ex->refuse(error{error_code::internal_server_error});
  header_list further{{"ETag", '"' + std::to_string(version) + '"'}};
  if (status == 201) further.emplace_back("Location", "/cep/notifications/" + id);
  ex->answer(status, {{"notification", shown_notification(*found)}}, nullptr, std::move(further));
}

void list_notifications(const route_deps& deps, const exchange_ptr& ex) {
  with_alerting(deps, ex, [ex](const alerting_document& present) {
    json shown = json::array();
    const bool active_only = ex->whole("active_only", 1) != 0;
    for (const auto& n : present.body["notifications"])
      if (!active_only || n.value("is_active", true)) shown.push_back(shown_notification(n));
    ex->ok({{"notifications", std::move(shown)}});
  });
}

void get_notification(const route_deps& deps, const exchange_ptr& ex) {
  with_alerting(deps, ex, [ex](alerting_document present) {
    const auto* found = find_notification(present.body["notifications"], ex->text("notification_id"));
    if (!found) return ex->refuse({error_code::not_found, unknown_notification});
    ex->ok({{"notification", shown_notification(*found)}});
  });
}

void create_notification(const route_deps& deps, const exchange_ptr& ex) {
  auto wanted = std::move(ex->body());
  if (!wanted.contains("notification_id") || wanted["notification_id"].is_null())
    wanted["notification_id"] = new_uuid();
  if (!wanted["notification_id"].is_string())
    return ex->refuse({error_code::validation_error, "'notification_id' is a text.", "/notification_id"});
  const auto id = wanted["notification_id"].get<std::string>();
  wanted["created_at"] = wanted["updated_at"] = to_rfc3339(ex->now());
  edit_alerting(
      deps, ex, std::nullopt,
      [wanted, id](const json& present) -> result<json> {
        auto list = present["notifications"];
        if (find_notification(list, id))
          return fail(error_code::conflict, "There is a notification with this id already.", "/notification_id");
        list.push_back(wanted);
        return json{{"notifications", std::move(list)}};
      },
      [ex, id](const json& document, std::int64_t version) { answer_with(ex, 201, document, version, id); });
}

void update_notification(const route_deps& deps, const exchange_ptr& ex) {
  auto expected = expected_version(*ex);
  if (!expected) return ex->refuse(expected.error());
  auto wanted = std::move(ex->body());
  const auto id = ex->text("notification_id");
  wanted.erase("created_at");
  wanted["updated_at"] = to_rfc3339(ex->now());
  edit_alerting(
      deps, ex, *expected,
      [wanted, id](const json& present) -> result<json> {
        auto list = present["notifications"];
        auto* found = find_notification(list, id);
        if (!found) return fail(error_code::not_found, unknown_notification);
        if (wanted.value("notification_id", json(id)) != id)
          return fail(error_code::validation_error, "The notification_id differs from the one that is addressed.",
                      "/notification_id");
        if (wanted.contains("channel") && wanted["channel"] != found->value("channel", json())) found->erase("channel");
        for (const auto& [name, value] : wanted.items()) (*found)[name] = value;
        return json{{"notifications", std::move(list)}};
      },
      [ex, id](const json& document, std::int64_t version) { answer_with(ex, 200, document, version, id); });
}

void delete_notification(const route_deps& deps, const exchange_ptr& ex) {
  const auto id = ex->text("notification_id");
  edit_alerting(
      deps, ex, std::nullopt,
      [id](const json& present) -> result<json> {
        json kept = json::array();
        for (const auto& n : present["notifications"])
          if (n.value("notification_id", "") != id) kept.push_back(n);
        if (kept.size() == present["notifications"].size()) return fail(error_code::not_found, unknown_notification);
        return json{{"notifications", std::move(kept)}};
      },
      [ex, id](const json&, std::int64_t) {
        ex->ok({{"notification_id", id}, {"deleted", true}});
      });
}

void list_logs(const route_deps& deps, const exchange_ptr& ex) {
  auto place = read_place(*ex);
  if (!place) return ex->refuse(place.error());
  deps.store->read(
      {"SELECT log_id, fired_at, notification_id, status, reason, payload, response_status, response_body, dedup_key, "
       "ack,"
       " ack_at, ack_by, channel, alert_count, settled_at, trace_id, name FROM notification_log WHERE tenant = $1 AND"
       " notification_id = $2 AND (fired_at, log_id) < (CAST($3 AS BIGINT), CAST($4 AS TEXT))"
       " AND (CAST($5 AS TEXT) = '' OR status = $5)"
       " ORDER BY fired_at DESC, log_id DESC LIMIT CAST($6 AS BIGINT) OFFSET CAST($7 AS BIGINT)",
       {ex->tenant().value, ex->text("notification_id"), place->before_us, place->before_key, ex->text("status"),
        place->limit, place->offset}},
      ex->then([ex, place = *place](const rows& found) {
        const auto text_or_null = [](const value& v) { return is_null(v) ? json(nullptr) : json(as_text(v)); };
        json logs = json::array();
        for (const auto& row : found.values)
          logs.push_back({{"log_id", as_text(row[0])},
                          {"fired_at", time_or_null(as_int(row[1]))},
                          {"notification_id", as_text(row[2])},
                          {"status", as_text(row[3])},
                          {"reason", as_text(row[4])},
                          {"payload", parse_json(as_text(row[5])).value_or(json(nullptr))},
                          {"response_status", is_null(row[6]) ? json(nullptr) : json(as_int(row[6]))},
                          {"response_body", text_or_null(row[7])},
                          {"dedup_key", as_text(row[8])},
                          {"ack", as_int(row[9]) != 0},
                          {"ack_at", time_or_null(as_int(row[10]))},
                          {"ack_by", text_or_null(row[11])},
                          {"channel", as_text(row[12])},
                          {"alert_count", as_int(row[13])},
                          {"settled_at", time_or_null(as_int(row[14]))},
                          {"trace_id", as_text(row[15])},
                          {"name", as_text(row[16])}});
        const auto last_us = found.empty() ? 0 : as_int(found.values.back()[1]);
        const auto last_id = found.empty() ? std::string{} : as_text(found.values.back()[0]);
        ex->ok({{"logs", std::move(logs)}}, page_metadata(place, found.size(), last_us, last_id));
      }));
}

shape notification_shape() {
  return open_object({required("notification_id", text()), required("name", text()), required("is_active", flag()),
                      required("channels", list_of(text())), required("policy", open_object()),
                      required("trigger", open_object())});
}

route notification_route(std::string method, std::string path, std::string operation, std::string summary,
                         std::string permission, route_handler handler) {
  return on_resource({.method = std::move(method),
                      .path = std::move(path),
                      .operation = std::move(operation),
                      .tag = "notifications",
                      .summary = std::move(summary),
                      .answers = {.type = object({required("notification", notification_shape())})},
                      .handler = std::move(handler)},
                     std::move(permission), "notification");
}

void add_change_routes(route_table& table, const route_deps& deps) {
  auto create = notification_route("POST", "/cep/notifications", "create_notification",
                                   "Adds a notification: who is told of which alerts, when and how often.",
                                   "cep:create", [deps](const exchange_ptr& ex) { create_notification(deps, ex); });
  create.notes = "docs/alerting.md describes every field.";
  create.body = body_rule{.type = open_object({required("name", text(1, 200))})};
  create.answers.status = 201;
  create.parameters.push_back(force_parameter());
  create.errors = {error_code::conflict, error_code::address_refused, error_code::payload_too_large};
  table.add(std::move(create));
  auto update = notification_route("PUT", "/cep/notifications/{notification_id}", "update_notification",
                                   "Changes the fields that are sent.", "cep:update",
                                   [deps](const exchange_ptr& ex) { update_notification(deps, ex); });
  update.body = body_rule{.type = open_object()};
  for (auto& p : version_parameters()) update.parameters.push_back(std::move(p));
  update.parameters.push_back(force_parameter());
  update.errors = {error_code::not_found, error_code::conflict, error_code::address_refused};
  table.add(std::move(update));
  auto remove = notification_route("DELETE", "/cep/notifications/{notification_id}", "delete_notification",
                                   "Removes a notification; its log stays.", "cep:delete",
                                   [deps](const exchange_ptr& ex) { delete_notification(deps, ex); });
  remove.parameters.push_back(force_parameter());
  remove.answers.type = object({required("notification_id", text()), required("deleted", flag())});
  remove.errors = {error_code::not_found, error_code::conflict};
  table.add(std::move(remove));
}

} // namespace

void add_notification_routes(route_table& table, const route_deps& deps) {
  auto list = notification_route("GET", "/cep/notifications", "list_notifications", "Who is told of alerts.",
                                 "cep:read", [deps](const exchange_ptr& ex) { list_notifications(deps, ex); });
  list.parameters.push_back(in_query("active_only", flag().or_else(true)));
  list.answers.type = object({required("notifications", list_of(notification_shape()))});
  table.add(std::move(list));
  table.add(notification_route("GET", "/cep/notifications/{notification_id}", "get_notification", "One notification.",
                               "cep:read", [deps](const exchange_ptr& ex) { get_notification(deps, ex); }));
  auto logs = notification_route("GET", "/cep/notifications/{notification_id}/logs", "list_notification_logs",
                                 "What a notification told, or did not and why; latest first.", "cep:read",
                                 [deps](const exchange_ptr& ex) { list_logs(deps, ex); });
  for (auto& p : paging_parameters(200, 500)) logs.parameters.push_back(std::move(p));
  logs.parameters.push_back(in_query("status", choice({"pending", "sent", "skipped", "fail"})));
  logs.notes = "`rule:<rule_id>` as the notification shows what went to the channels that a rule names itself.";
  logs.answers.type = object({required("logs", list_of(open_object()))});
  table.add(std::move(logs));
  add_change_routes(table, deps);
}

} // namespace tobit::http
