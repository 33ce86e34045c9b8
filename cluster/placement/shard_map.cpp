#include "cluster/placement/shard_map.hpp"

#include <algorithm>

namespace tobit::cluster {

bool shard_map::take(const shard_place& row) {
  if (row.shard < 0 || row.shard >= static_cast<std::int64_t>(rows_.size())) return false;
  auto& known = rows_[static_cast<std::size_t>(row.shard)];
  if (row.version <= known.version) return false;
  known = row;
  return true;
}

void shard_map::caught_up(cluster_version version) { version_ = std::max(version_, version); }

bool shard_map::changed(cluster_version version) {
  if (version == version_ + 1) version_ = version;
  return version <= version_;
}

void shard_map::resize(shard_id count) {
  while (rows_.size() < count) {
    shard_place nobody;
    nobody.shard = static_cast<std::int64_t>(rows_.size());
    rows_.push_back(std::move(nobody));
  }
}

bool shard_map::holds_any(incarnation_no node) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const shard_place& row) { return row.incarnation == node; });
}

} // namespace tobit::cluster
