#pragma once

#include "tests/cluster/simulation/simulated_database.hpp"

#include <map>
#include <optional>
#include <set>
#include <string>

namespace tobit::cluster::simulation {

/// Watches a run from outside: what the database accepted, what nodes began to do, what clients were told. It keeps its
/// own books, so that it does not share the database's mistakes. The first violation ends the run.
class history_checker {
public:
  void row_changed(const shard_place& before, const shard_place& after);
  void leader_changed(epoch_no before, epoch_no after, incarnation_no holder);
  void wrote(incarnation_no by, shard_id shard, epoch_no epoch);
  void leader_acted(incarnation_no by, epoch_no epoch);
  /// A node begins an act: by its lease it must still be allowed to, in true time.
  void act_begins(incarnation_no by, sim_time lease_until, sim_time now);
  void joined(incarnation_no id);
  void activated(shard_id shard, epoch_no epoch, incarnation_no by);
  void led(epoch_no epoch, incarnation_no by);

  void violated(std::string what) {
    if (!violation_) violation_ = std::move(what);
  }
  const std::optional<std::string>& violation() const { return violation_; }

private:
  struct holding {
    epoch_no epoch = 0;
    incarnation_no holder = 0;
  };
  std::map<shard_id, holding> owners_;
  holding leader_;
  std::map<std::pair<shard_id, epoch_no>, incarnation_no> actors_, activations_;
  std::map<epoch_no, incarnation_no> leaders_;
  std::set<incarnation_no> incarnations_;
  std::optional<std::string> violation_;
};

} // namespace tobit::cluster::simulation
