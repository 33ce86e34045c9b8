#pragma once

#include "runtime/entity/placement.hpp"
#include "schemas/error.hpp"

#include <string>

namespace tobit::cluster {

struct founded_cluster {
  entity::shard_id shard_count = 0; ///< a store that a single node used keeps its own
  bool had_rows = false;            ///< a single node used the store before
};

/// Makes a PostgreSQL store that of a new cluster; an empty one gets its tables first. Whatever a single node kept
/// there goes on in the cluster: its shards belong to nobody until the cluster gives them out.
///
/// Errors: configuration_error (not PostgreSQL, or not to be reached; the store belongs to a cluster already; a node of
/// it runs), each with what to do, and those of the database.
result<founded_cluster> found_cluster(const std::string& url, const std::string& cluster_id, entity::shard_id shards);

} // namespace tobit::cluster
