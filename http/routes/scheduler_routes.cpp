#include "http/routes/route_deps.hpp"

namespace tobit::http {

namespace {

/// One node is its own leader, always; the fields are the contract's, which knows several.
json instance(const route_deps& deps, utc_time now) {
  return {{"instance_id", deps.instance},
          {"is_leader", true},
          {"leader_instance_id", deps.instance},
          {"last_heartbeat_at", to_rfc3339(now)},
          {"started_at", to_rfc3339(deps.started_at)},
          {"updated_at", to_rfc3339(now)},
          {"leader_stale", false}};
}

/// Goes on with the figures of the poll loop; null if there is none here.
void with_polling(const route_deps& deps, const exchange_ptr& ex, std::function<void(const json&)> go_on) {
  if (!deps.polling_figures) return go_on(nullptr);
  deps.polling_figures([ex, go_on = std::move(go_on)](const json& figures) { ex->guarded([&] { go_on(figures); }); });
}

json shown_failures(const json& polling) {
  json all = json::array();
  if (polling.is_object())
    for (const auto& one : polling.value("recent_failures", json::array())) all.push_back(one);
  return all;
}

route scheduler_route(std::string path, std::string operation, std::string summary, shape answer,
                      route_handler handler) {
  return {.method = "GET",
          .path = std::move(path),
          .operation = std::move(operation),
          .tag = "rules",
          .summary = std::move(summary),
          .needs = access::permitted("cep:read", "rule"),
          .answers = {.type = std::move(answer)},
          .handler = std::move(handler)};
}

} // namespace

void add_scheduler_routes(route_table& table, const route_deps& deps) {
  table.add(scheduler_route(
      "/cep/scheduler/status", "get_scheduler_status", "Who runs schedules and polls, and how polling goes.",
      open_object({required("instance_id", text()), required("is_leader", flag())}), [deps](const exchange_ptr& ex) {
        with_polling(deps, ex, [deps, ex](const json& polling) {
          auto answer = instance(deps, ex->now());
          answer["metric_poll_enabled"] = polling.is_object() && polling.value("loaded", false);
          for (auto name : {"subscribers", "requests", "under_way", "polls", "failures"})
            answer["metric_poll_" + std::string(name)] = polling.is_object() ? polling.value(name, json()) : json();
          ex->ok(answer);
        });
      }));
  table.add(scheduler_route("/cep/scheduler/instances", "list_scheduler_instances",
                            "The nodes that could run schedules and polls.",
                            object({required("instances", list_of(open_object()))}), [deps](const exchange_ptr& ex) {
                              ex->ok({{"instances", {instance(deps, ex->now())}}});
                            }));
  table.add(scheduler_route(
      "/cep/scheduler/metric-polling", "get_metric_polling", "How polling of metrics goes, with the latest failures.",
      open_object({required("recent_failures", list_of(open_object()))}), [deps](const exchange_ptr& ex) {
        with_polling(deps, ex, [ex](const json& polling) {
          auto answer = polling.is_object() ? polling : json::object();
          answer["enabled"] = polling.is_object() && polling.value("loaded", false);
          answer["recent_failures"] = shown_failures(polling);
          ex->ok(answer);
        });
      }));
}

} // namespace tobit::http
