#pragma once

#include "cluster/store/database_command.hpp"

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tobit::cluster::simulation {

/// Microseconds of true time since the start of a run; also the database's clock.
using sim_time = std::int64_t;
using session_no = std::uint64_t;

/// Conditions that a correct database checks, switched off to see whether the checker notices.
struct database_sabotage {
  bool no_shard_fence = false;
  bool no_leader_fence = false;
};

/// What PostgreSQL would do with our statements: every command is one serialised transaction.
class simulated_database {
public:
  struct node {
    node_profile profile;
    enum class status { up, draining, dead, left } is = status::up;
    sim_time lease_until = 0;
    bool alive() const { return is == status::up || is == status::draining; }
  };
  struct schedule {
    sim_time interval = 0;
    std::int64_t next = 1; ///< the n-th tick is due at n * interval
    shard_id shard = 0;
  };
  struct tick {
    enum class status { open, fired, skipped } is = status::open;
    int effects = 0;
  };

  simulated_database(shard_id shards, std::string cluster_id) : cluster_id_(std::move(cluster_id)) {
    for (shard_id s = 0; s < shards; ++s) {
      shard_place row;
      row.shard = s;
      rows_.push_back(row);
    }
  }

  database_answer execute(const database_command& command, session_no session, sim_time now);
  void session_ended(session_no session);

  /// An entity's write: the token of the request, guarded by the shard's epoch.
  bool write(incarnation_no by, shard_id shard, epoch_no epoch, std::uint64_t token);
  /// An entity's handling of a tick, guarded likewise; repetitions do nothing.
  bool write_tick(incarnation_no by, shard_id shard, epoch_no epoch, std::size_t schedule, std::int64_t n);
  /// The leader puts tick `n` on record, guarded by its epoch and the ledger's position.
  bool open_tick(incarnation_no by, epoch_no epoch, std::size_t schedule, std::int64_t n, bool skipped);

  database_sabotage sabotage;
  /// Told before each fact takes effect, for the checker.
  std::function<void(const shard_place& before, const shard_place& after)> on_row;
  std::function<void(epoch_no before, epoch_no after, incarnation_no holder)> on_leader;
  std::function<void(incarnation_no by, shard_id shard, epoch_no epoch)> on_write;
  std::function<void(incarnation_no by, epoch_no epoch)> on_leader_act;
  std::function<void(std::uint64_t token)> on_doubled;

  const std::map<incarnation_no, node>& nodes() const { return nodes_; }
  const std::vector<shard_place>& rows() const { return rows_; }
  epoch_no leader_epoch() const { return leader_epoch_; }
  incarnation_no leader() const { return leader_; }
  cluster_version version() const { return version_; }
  bool holds(std::uint64_t token) const { return tokens_.contains(token); }
  std::vector<schedule> schedules;
  std::map<std::pair<std::size_t, std::int64_t>, tick> ticks;

private:
  database_answer run(const register_node& c, session_no session, sim_time now);
  database_answer run(const resume_node& c, session_no session, sim_time now);
  database_answer run(const renew_lease& c, session_no session, sim_time now);
  database_answer run(const read_cluster& c, session_no session, sim_time now);
  database_answer run(const claim_leadership& c, session_no session, sim_time now);
  database_answer run(const resign_leadership& c, session_no session, sim_time now);
  database_answer run(const bury_node& c, session_no session, sim_time now);
  database_answer run(const assign_shards& c, session_no session, sim_time now);
  database_answer run(const plan_moves& c, session_no session, sim_time now);
  database_answer run(const hand_over_shard& c, session_no session, sim_time now);
  database_answer run(const start_drain& c, session_no session, sim_time now);
  database_answer run(const leave_cluster& c, session_no session, sim_time now);

  cluster_view view(cluster_version known, sim_time now) const;
  node* living(incarnation_no id);
  bool leads(incarnation_no id, epoch_no epoch);
  bool provably_dead(incarnation_no id, bool by_lock, sim_time now) const;
  void bury(incarnation_no id, node::status as, std::vector<shard_place>& changed);
  void lead(epoch_no epoch, incarnation_no who);
  void put(shard_place row, std::vector<shard_place>& changed);
  void assign(const std::vector<assignment>& all, std::vector<shard_place>& changed);

  std::string cluster_id_;
  std::map<incarnation_no, node> nodes_;
  std::map<incarnation_no, session_no> locks_;
  std::vector<shard_place> rows_;
  epoch_no leader_epoch_ = 0;
  incarnation_no leader_ = 0, last_incarnation_ = 0;
  cluster_version version_ = 1;
  std::set<std::uint64_t> tokens_;
};

} // namespace tobit::cluster::simulation
