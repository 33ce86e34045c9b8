#include "http/routes/cluster_view.hpp"

#include <chrono>
#include <map>
#include <utility>

namespace tobit::http {

namespace {

/// How long the others may take to tell of themselves; who takes longer is named, not waited for.
constexpr std::chrono::milliseconds account_patience{1'000};

/// The members with their own accounts beside what this node knows of them.
json accounted(const json& view, const json& accounts) {
  std::map<std::string, json> told;
  for (const auto& one : accounts) told[one.value("node", "")] = one;
  json nodes = view.value("nodes", json::array());
  for (auto& node : nodes) {
    const auto found = told.find(node.value("node", ""));
    const bool answered = found != told.end() && found->second.value("answered", false);
    node["answered"] = answered;
    node["build"] = answered ? found->second["document"].value("build", json()) : json();
    if (!answered)
      node["error"] = found == told.end() ? json("It was not asked.") : found->second.value("error", json());
  }
  return nodes;
}

void list_nodes(const route_deps& deps, const exchange_ptr& ex) {
  with_cluster(deps, ex, [deps, ex](const json& view) {
    if (!deps.cluster) {
      auto nodes = view.at("nodes");
      nodes[0]["answered"] = true;
      nodes[0]["build"] = deps.build;
      return ex->ok({{"cluster_id", nullptr}, {"nodes", std::move(nodes)}});
    }
    const auto call = ex->context().with_deadline(std::min(ex->deadline(), ex->steady_now() + account_patience));
    deps.cluster->inspect_nodes(call, [ex, view](const json& accounts) {
      ex->guarded([&] {
        ex->ok({{"cluster_id", view.at("cluster_id")},
                {"self", view.at("self")},
                {"version", view.at("version")},
                {"requests_parked", view.at("requests_parked")},
                {"nodes", accounted(view, accounts)}});
      });
    });
  });
}

/// A node of its own has no map: the rows are the truth.
void list_shards(const route_deps& deps, const exchange_ptr& ex) {
  if (deps.cluster) return with_cluster(deps, ex, [ex](const json& view) { ex->ok({{"shards", view.at("shards")}}); });
  deps.store->read({"SELECT id, owner, epoch FROM shard ORDER BY id", {}}, ex->then([ex](const storage::rows& rows) {
    json shards = json::array();
    for (const auto& row : rows.values)
      shards.push_back({{"shard", storage::as_int(row[0])},
                        {"owner", storage::as_text(row[1])},
                        {"incarnation", 1},
                        {"epoch", storage::as_int(row[2])},
                        {"target", nullptr}});
    ex->ok({{"shards", std::move(shards)}});
  }));
}

void drain(const route_deps& deps, const exchange_ptr& ex) {
  if (!deps.cluster)
    return ex->refuse({error_code::conflict, "This node is on its own; there is nobody to hand its work over to."});
  deps.cluster->drain_node(ex->text("node"), ex->body().value("reason", ""), ex->then([ex] {
    ex->answer(202, {{"node", ex->text("node")}, {"draining", true}});
  }));
}

void remove(const route_deps& deps, const exchange_ptr& ex) {
  if (!deps.cluster) return ex->refuse({error_code::conflict, "This node is on its own and cannot be removed."});
  deps.cluster->remove_node(ex->text("node"), ex->then([ex] {
    ex->ok({{"node", ex->text("node")}, {"removed", true}});
  }));
}

route reading(const char* path, const char* operation, const char* summary, shape answer, route_handler handler) {
  return {.method = "GET",
          .path = path,
          .operation = operation,
          .tag = "cluster",
          .summary = summary,
          .needs = access::permitted("cep:read", "actor"),
          .answers = {.type = std::move(answer)},
          .handler = std::move(handler)};
}

} // namespace

void add_cluster_routes(route_table& table, const route_deps& deps) {
  const std::vector<parameter> one{in_path("node", text(1, 64))};
  table.add(reading("/cluster/nodes", "list_cluster_nodes",
                    "The cluster's members, each with its own account; who does not answer in time is named.",
                    open_object({required("nodes", list_of(open_object({required("node", text())})))}),
                    [deps](const exchange_ptr& ex) { list_nodes(deps, ex); }));
  table.add(reading("/cluster/shards", "list_cluster_shards", "Where each shard is, with its epoch.",
                    object({required("shards", list_of(open_object({required("shard", whole(0, 65'535))})))}),
                    [deps](const exchange_ptr& ex) { list_shards(deps, ex); }));
  table.add(reading("/cluster/leader", "get_cluster_leader",
                    "Who leads, and under which epoch; null while nobody does.",
                    open_object({required("leader", open_object().or_null())}), [deps](const exchange_ptr& ex) {
                      with_cluster(deps, ex, [ex](const json& view) { ex->ok({{"leader", view.at("leader")}}); });
                    }));
  table.add({.method = "POST",
             .path = "/cluster/nodes/{node}/drain",
             .operation = "drain_cluster_node",
             .tag = "cluster",
             .summary = "Has a node hand over its shards and leave the cluster.",
             .needs = access::at_least(role::admin),
             .parameters = one,
             .body = body_rule{.type = object({optional("reason", text(0, 500).described("For the log."))}),
                               .required = false,
                               .bytes_max = 8u << 10},
             .answers = {.status = 202, .type = object({required("node", text()), required("draining", flag())})},
             .errors = {error_code::not_found, error_code::conflict, error_code::unavailable},
             .handler = [deps](const exchange_ptr& ex) { drain(deps, ex); }});
  table.add({.method = "DELETE",
             .path = "/cluster/nodes/{node}",
             .operation = "remove_cluster_node",
             .tag = "cluster",
             .summary = "Forgets a node that is gone for good.",
             .needs = access::at_least(role::admin),
             .parameters = one,
             .answers = {.type = object({required("node", text()), required("removed", flag())})},
             .errors = {error_code::not_found, error_code::conflict},
             .handler = [deps](const exchange_ptr& ex) { remove(deps, ex); }});
}

} // namespace tobit::http
