#pragma once

#include "runtime/entity/placement.hpp"

#include <cstdint>
#include <string_view>

namespace tobit::cluster {

/// Weight of a node for a shard; the node with the highest weight should own it (highest random weight, Thaler and
/// Ravishankar 1998). By name, so that a node that comes back gets the same shards. A join or leave moves only the
/// joiner's or leaver's share. Part of the protocol: all nodes must compute the same.
std::uint64_t rendezvous_weight(std::string_view node, entity::shard_id shard) noexcept;

} // namespace tobit::cluster
