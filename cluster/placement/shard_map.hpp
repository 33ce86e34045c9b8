#pragma once

#include "cluster/store/database_command.hpp"

#include <vector>

namespace tobit::cluster {

/// The rows of the table `shard` as this node knows them. A row replaces an older one only, so the order in which news
/// arrive does not matter.
class shard_map {
public:
  /// Takes a row; false if it is not newer than what is known, or out of range.
  bool take(const shard_place& row);
  /// Everything up to this version is known: the view of a read since an earlier `version()`.
  void caught_up(cluster_version version);
  /// The change with this version is known, too. False if changes before it are missing: look into the database.
  bool changed(cluster_version version);
  void resize(shard_id count);

  const shard_place& at(shard_id shard) const { return rows_.at(shard); }
  shard_id size() const noexcept { return static_cast<shard_id>(rows_.size()); }
  cluster_version version() const noexcept { return version_; }
  bool holds_any(incarnation_no node) const;

private:
  std::vector<shard_place> rows_;
  cluster_version version_ = 0;
};

} // namespace tobit::cluster
