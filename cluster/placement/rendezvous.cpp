#include "cluster/placement/rendezvous.hpp"

#include <xxhash.h>

namespace tobit::cluster {

std::uint64_t rendezvous_weight(std::string_view node, entity::shard_id shard) noexcept {
  return XXH3_64bits_withSeed(node.data(), node.size(), shard);
}

} // namespace tobit::cluster
