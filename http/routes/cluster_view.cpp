#include "http/routes/cluster_view.hpp"

#include <utility>

namespace tobit::http {

void with_cluster(const route_deps& deps, const exchange_ptr& ex, std::function<void(const json& view)> go_on) {
  if (deps.cluster)
    return deps.cluster->inspect(
        [ex, go_on = std::move(go_on)](const json& view) { ex->guarded([&] { go_on(view); }); });
  const json self{{"node", deps.instance}, {"incarnation", 1}, {"acts", true}};
  json one{{"node", deps.instance}, {"incarnation", 1},         {"address", nullptr}, {"status", "up"},
           {"protocol", nullptr},   {"lease_left_ms", nullptr}, {"leader", true},     {"linked", true}};
  go_on({{"cluster_id", nullptr},
         {"self", self},
         {"version", 1},
         {"nodes", json::array({std::move(one)})},
         {"leader", {{"node", deps.instance}, {"incarnation", 1}, {"epoch", 1}}},
         {"requests_parked", 0},
         {"requests_open", 0}});
}

} // namespace tobit::http
