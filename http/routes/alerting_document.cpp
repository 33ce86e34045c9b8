#include "http/routes/alerting_document.hpp"

#include "http/routes/alert_answer.hpp"
#include "http/routes/file_ownership.hpp"
#include "http/routes/route_deps.hpp"
#include "schemas/entity/entity_protocol.hpp"

namespace tobit::http {

using namespace storage;

namespace {

constexpr int conflict_retries_max = 5;

json empty_document() {
  return {{"notifications", json::array()},
          {"inhibitions", json::array()},
          {"escalations", json::array()},
          {"on_call", json::array()}};
}

void try_edit(const route_deps& deps, const exchange_ptr& ex, std::optional<std::int64_t> expected, alerting_edit edit,
              std::function<void(const json&, std::int64_t)> done, int tries_left) {
  with_alerting(deps, ex, [=](const alerting_document& present) {
    auto changed = edit(present.body);
    if (!changed) return ex->refuse(changed.error());
    entity::define_entity wish;
    wish.body = std::move(*changed);
    wish.change = present.version == 0 ? "create" : "update";
    wish.expected_version = expected.value_or(present.version);
    deps.entities->ask(
        alerting_ref(*ex), ex->context(), message::of(std::move(wish)), [=](const result<message>& answer) {
          const bool again = !answer && answer.error().code == error_code::conflict && !expected && tries_left > 0;
          ex->guarded([&] {
            if (again) return try_edit(deps, ex, expected, edit, done, tries_left - 1);
            if (!answer) return ex->refuse(answer.error());
            const auto* live = answer->as<entity::definition_live>();
            if (!live) return ex->refuse(error{error_code::internal_server_error});
            done(live->definition, live->version);
          });
        });
  });
}

} // namespace

void with_alerting(const route_deps& deps, const exchange_ptr& ex, std::function<void(alerting_document)> go_on) {
  const auto ref = alerting_ref(*ex);
  deps.store->read(
      {"SELECT d.body, e.version FROM entity e JOIN definition d ON d.kind = e.kind AND d.tenant = e.tenant"
       " AND d.entity_key = e.entity_key AND d.version = e.version WHERE e.kind = $1 AND e.tenant = $2"
       " AND e.entity_key = $3 AND e.deleted_at IS NULL",
       {ref.kind, ref.tenant.value, ref.key}},
      ex->then([ex, go_on = std::move(go_on)](const rows& found) {
        if (found.empty()) return go_on({empty_document(), 0});
        auto body = parse_json(as_text(found[0][0]));
        if (!body) return ex->refuse(error{error_code::internal_server_error});
        go_on({std::move(*body), as_int(found[0][1])});
      }));
}

void edit_alerting(const route_deps& deps, const exchange_ptr& ex, std::optional<std::int64_t> expected,
                   alerting_edit edit, std::function<void(const json&, std::int64_t)> done) {
  unless_file_owns(deps, ex, alerting_ref(*ex), "alerting document",
                   [=] { try_edit(deps, ex, expected, edit, done, conflict_retries_max); });
}

json shown_notification(json notification) {
  if (!notification.is_object()) return notification;
  if (auto headers = notification.find("headers"); headers != notification.end() && headers->is_object())
    for (auto& value : *headers) value = "***";
  if (auto url = notification.find("webhook_url"); url != notification.end() && url->is_string()) {
    const auto& text = url->get_ref<const std::string&>();
    if (text.find('@') != std::string::npos || text.find('?') != std::string::npos) *url = "***";
  }
  if (notification.value("rule_id", json()) == "") notification["rule_id"] = nullptr;
  for (const auto* name : {"created_at", "updated_at"})
    if (notification.value(name, json()) == "") notification[name] = nullptr;
  return notification;
}

json shown_alerting(json document) {
  json out = empty_document();
  for (auto& [name, list] : out.items())
    if (document.contains(name)) list = document[name];
  for (auto& one : out["notifications"]) one = shown_notification(std::move(one));
  return out;
}

} // namespace tobit::http
