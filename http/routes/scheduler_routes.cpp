#include "http/routes/cluster_view.hpp"

#include <set>
#include <string>

namespace tobit::http {

namespace {

/// One member as the contract shows it. A node proves that it is alive by the lease that it renews: the heartbeat is
/// the moment up to which this node has looked.
json instance(const json& view, const json& node, utc_time now) {
  const auto& leader = view.at("leader");
  const auto lease = node.value("lease_left_ms", json());
  return {{"instance_id", node.at("node")},
          {"is_leader", node.at("leader")},
          {"leader_instance_id", leader.is_null() ? json() : leader.at("node")},
          {"leader_epoch", leader.is_null() ? json() : leader.at("epoch")},
          {"incarnation", node.at("incarnation")},
          {"status", node.at("status")},
          {"last_heartbeat_at", to_rfc3339(now)},
          {"updated_at", to_rfc3339(now)},
          {"leader_stale", leader.is_null() || (lease.is_number() && lease.get<std::int64_t>() <= 0)}};
}

json own_instance(const route_deps& deps, const json& view, utc_time now) {
  json shown;
  for (const auto& node : view.at("nodes"))
    if (node.at("node") == deps.instance) shown = instance(view, node, now);
  if (shown.is_null()) // it lost its place and is coming back
    shown =
        instance(view, {{"node", deps.instance}, {"leader", false}, {"incarnation", 0}, {"status", "outside"}}, now);
  shown["started_at"] = to_rfc3339(deps.started_at);
  return shown;
}

/// Goes on with the figures of the poll loop; null if there is none here.
void with_polling(const route_deps& deps, const exchange_ptr& ex, std::function<void(const json&)> go_on) {
  if (!deps.polling_figures) return go_on(nullptr);
  deps.polling_figures([ex, go_on = std::move(go_on)](const json& figures) { ex->guarded([&] { go_on(figures); }); });
}

/// A failure names addresses and what they said: only for those whose rules asked.
json shown_failures(const json& polling, const tenant_id& tenant) {
  json all = json::array();
  if (polling.is_object())
    for (auto one : polling.value("recent_failures", json::array())) {
      const auto asked = one.value("tenants", std::set<std::string>{});
      one.erase("tenants");
      if (asked.contains(tenant.value)) all.push_back(std::move(one));
    }
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
        with_cluster(deps, ex, [deps, ex](const json& view) {
          with_polling(deps, ex, [ex, answer = own_instance(deps, view, ex->now())](const json& polling) mutable {
            answer["metric_poll_enabled"] = polling.is_object() && polling.value("loaded", false);
            for (auto name : {"subscribers", "requests", "under_way", "polls", "failures"})
              answer["metric_poll_" + std::string(name)] = polling.is_object() ? polling.value(name, json()) : json();
            ex->ok(answer);
          });
        });
      }));
  table.add(scheduler_route("/cep/scheduler/instances", "list_scheduler_instances",
                            "The nodes that could run schedules and polls.",
                            object({required("instances", list_of(open_object()))}), [deps](const exchange_ptr& ex) {
                              with_cluster(deps, ex, [deps, ex](const json& view) {
                                json all = json::array();
                                for (const auto& node : view.at("nodes"))
                                  all.push_back(node.at("node") == deps.instance ? own_instance(deps, view, ex->now())
                                                                                 : instance(view, node, ex->now()));
                                ex->ok({{"instances", std::move(all)}});
                              });
                            }));
  table.add(scheduler_route(
      "/cep/scheduler/metric-polling", "get_metric_polling", "How polling of metrics goes, with the latest failures.",
      open_object({required("recent_failures", list_of(open_object()))}), [deps](const exchange_ptr& ex) {
        with_polling(deps, ex, [ex](const json& polling) {
          auto answer = polling.is_object() ? polling : json::object();
          answer["enabled"] = polling.is_object() && polling.value("loaded", false);
          answer["recent_failures"] = shown_failures(polling, ex->tenant());
          ex->ok(answer);
        });
      }));
}

} // namespace tobit::http
