#pragma once

#include "http/routes/route_deps.hpp"

#include <functional>

namespace tobit::http {

/// Goes on with what `mesh::cluster_access::inspect` gives; a node of its own shows itself as a cluster of one, without
/// `shards`.
void with_cluster(const route_deps& deps, const exchange_ptr& ex, std::function<void(const json& view)> go_on);

} // namespace tobit::http
