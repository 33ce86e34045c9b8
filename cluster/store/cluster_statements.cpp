#include "cluster/store/cluster_statements.hpp"

#include <algorithm>

// The database's clock in microseconds; unlike now() it goes on within a transaction.
#define SQL_CLOCK "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
// Liveness locks have a key space of their own: (1953456745 = "tobi", incarnation).
#define SQL_LIVENESS_LOCK(incarnation) "(1953456745, (" incarnation ")::int)"
#define SQL_ALIVE "status IN ('up', 'draining')"
#define SQL_VERSION "(SELECT version FROM cluster_state)"
#define SQL_PLACE "shard.id, shard.owner, shard.incarnation, shard.epoch, shard.target, shard.version"

namespace tobit::cluster {

namespace {

using storage::statement;
using yields = command_step::yields;

std::int64_t micros(std::chrono::milliseconds d) { return std::chrono::microseconds{d}.count(); }

command_step plain(std::string_view sql, std::vector<storage::value> params, yields gives = yields::nothing) {
  command_step step;
  step.sql.sql = sql;
  step.sql.params = std::move(params);
  step.gives = gives;
  return step;
}

command_step guard(refusal unless, std::string_view sql, std::vector<storage::value> params,
                   yields gives = yields::nothing) {
  auto step = plain(sql, std::move(params), gives);
  step.sql.expect_rows = 1;
  step.unless = unless;
  return step;
}

command_step raise_version() {
  return plain("UPDATE cluster_state SET version = version + 1 WHERE one = 1 RETURNING version", {}, yields::version);
}

/// Those who wait in LISTEN hear of it when the transaction commits.
command_step notify() { return plain("SELECT pg_notify('tobit_cluster', version::text) FROM cluster_state", {}); }

/// Dead members hold nothing: their shards and the leadership belong to nobody.
void release_the_dead(std::vector<command_step>& to) {
  to.push_back(plain("UPDATE cluster_leader SET incarnation = 0 WHERE incarnation <> 0 AND NOT EXISTS"
                     " (SELECT 1 FROM cluster_node n WHERE n.incarnation = cluster_leader.incarnation"
                     " AND n." SQL_ALIVE ")",
                     {}));
  to.push_back(plain("UPDATE shard SET owner = '', incarnation = 0, target = 0, epoch = epoch + 1,"
                     " version = " SQL_VERSION " WHERE incarnation <> 0 AND NOT EXISTS"
                     " (SELECT 1 FROM cluster_node n WHERE n.incarnation = shard.incarnation AND n." SQL_ALIVE ")"
                     " RETURNING " SQL_PLACE,
                     {}, yields::changed));
}

void look(std::vector<command_step>& to, cluster_version known) {
  to.push_back(plain("SELECT s.version, l.epoch, l.incarnation,"
                     " (SELECT value::bigint FROM cluster_value WHERE name = 'shard_count'), " SQL_CLOCK
                     ", $1::bigint FROM cluster_state s, cluster_leader l",
                     {known}, yields::state));
  to.push_back(plain("SELECT incarnation, node, address, status, lease_until - " SQL_CLOCK
                     ", protocol_min, protocol_max FROM cluster_node WHERE " SQL_ALIVE " ORDER BY incarnation",
                     {}, yields::members));
  to.push_back(plain("SELECT " SQL_PLACE " FROM shard WHERE version > $1 ORDER BY id", {known}, yields::shards));
}

std::string joined(const std::vector<assignment>& all, auto number) {
  std::string text;
  for (const auto& a : all) text += (text.empty() ? "" : ",") + std::to_string(number(a));
  return text;
}

/// Three lists of equal length, which the statement turns into rows.
std::vector<storage::value> lists(const std::vector<assignment>& all) {
  return {joined(all, [](const auto& a) { return a.shard; }), joined(all, [](const auto& a) { return a.from_epoch; }),
          joined(all, [](const auto& a) { return a.to; })};
}
#define SQL_LISTS                                                                                                      \
  "(SELECT unnest(string_to_array($1, ',')::bigint[]) AS id, unnest(string_to_array($2, ',')::bigint[]) AS epoch,"     \
  " unnest(string_to_array($3, ',')::bigint[]) AS node) a"

void assign(const std::vector<assignment>& all, std::vector<command_step>& to) {
  if (all.empty()) return;
  if (std::any_of(all.begin(), all.end(), [](const auto& a) { return a.from_epoch == 0; }))
    to.push_back(plain("INSERT INTO shard (id, owner, epoch) SELECT a.id, '', 0 FROM " SQL_LISTS
                       " JOIN cluster_node n ON n.incarnation = a.node AND n.status = 'up'"
                       " WHERE a.epoch = 0 ON CONFLICT (id) DO NOTHING",
                       lists(all)));
  to.push_back(plain(
      "UPDATE shard SET owner = n.node, incarnation = n.incarnation, target = 0, epoch = shard.epoch + 1,"
      " version = " SQL_VERSION " FROM " SQL_LISTS " JOIN cluster_node n ON n.incarnation = a.node AND n.status = 'up'"
      " WHERE shard.id = a.id AND shard.epoch = a.epoch RETURNING " SQL_PLACE,
      lists(all), yields::changed));
}

command_step prove_leader(incarnation_no self, epoch_no epoch) {
  command_step step;
  step.sql = leader_fence(self, epoch);
  step.unless = refusal::not_leader;
  return step;
}

struct builder {
  incarnation_no drawn;
  std::vector<command_step> steps{};

  void operator()(const register_node& c) {
    const auto& p = c.profile;
    steps.push_back(raise_version());
    steps.push_back(guard(refusal::wrong_cluster,
                          "SELECT 1 FROM cluster_value WHERE name = 'cluster_id' AND value = $1", {p.cluster_id}));
    steps.push_back(plain("WITH older AS MATERIALIZED (SELECT incarnation, lease_until FROM cluster_node"
                          " WHERE node = $1 AND " SQL_ALIVE " FOR UPDATE)"
                          " UPDATE cluster_node SET status = 'dead', ended_at = " SQL_CLOCK
                          " FROM older WHERE cluster_node.incarnation = older.incarnation AND (older.lease_until <="
                          " " SQL_CLOCK " OR pg_try_advisory_xact_lock" SQL_LIVENESS_LOCK("older.incarnation") ")",
                          {p.node}));
    steps.push_back(guard(refusal::name_in_use,
                          "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM cluster_node WHERE node = $1 AND " SQL_ALIVE ")",
                          {p.node}));
    steps.push_back(guard(
        refusal::settings_differ,
        "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM cluster_node WHERE settings <> $1 AND " SQL_ALIVE ")", {p.settings}));
    steps.push_back(guard(refusal::protocol_incompatible,
                          "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM cluster_node WHERE (protocol_min > $2"
                          " OR protocol_max < $1) AND " SQL_ALIVE ")",
                          {p.lowest_protocol, p.highest_protocol}));
    release_the_dead(steps);
    steps.push_back(
        plain("INSERT INTO cluster_node (incarnation, node, address, build, settings, protocol_min,"
              " protocol_max, status, lease_until, joined_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 'up',"
              " " SQL_CLOCK " + $8, " SQL_CLOCK ")",
              {drawn, p.node, p.address, p.build, p.settings, p.lowest_protocol, p.highest_protocol, micros(c.lease)}));
    steps.push_back(notify());
    look(steps, 0);
  }
  void renew(incarnation_no self, std::chrono::milliseconds lease, cluster_version known) {
    steps.push_back(guard(refusal::node_dead,
                          "UPDATE cluster_node SET lease_until = " SQL_CLOCK
                          " + $2 WHERE incarnation = $1 AND " SQL_ALIVE " AND lease_until > " SQL_CLOCK,
                          {self, micros(lease)}));
    look(steps, known);
  }
  void operator()(const resume_node& c) { renew(c.self, c.lease, 0); }
  void operator()(const renew_lease& c) { renew(c.self, c.lease, c.known); }
  void operator()(const read_cluster& c) { look(steps, c.known); }
  void operator()(const claim_leadership& c) {
    steps.push_back(raise_version());
    steps.push_back(guard(refusal::node_dead,
                          "SELECT 1 FROM cluster_node WHERE incarnation = $1 AND status = 'up' AND lease_until >"
                          " " SQL_CLOCK " FOR SHARE",
                          {c.self}));
    steps.push_back(
        guard(refusal::leader_changed, "SELECT 1 FROM cluster_leader WHERE epoch = $1 FOR UPDATE", {c.seen_epoch}));
    steps.push_back(plain("WITH leader AS MATERIALIZED (SELECT n.incarnation, n.lease_until FROM cluster_leader l"
                          " JOIN cluster_node n ON n.incarnation = l.incarnation WHERE n.incarnation <> $1"
                          " AND n." SQL_ALIVE " FOR UPDATE OF n)"
                          " UPDATE cluster_node SET status = 'dead', ended_at = " SQL_CLOCK
                          " FROM leader WHERE cluster_node.incarnation = leader.incarnation AND (leader.lease_until <="
                          " " SQL_CLOCK
                          " OR ($2 = 1 AND pg_try_advisory_xact_lock" SQL_LIVENESS_LOCK("leader.incarnation") "))",
                          {c.self, std::int64_t{c.by_lock}}));
    steps.push_back(guard(refusal::leader_alive,
                          "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM cluster_leader l JOIN cluster_node n"
                          " ON n.incarnation = l.incarnation WHERE n.incarnation <> $1 AND n." SQL_ALIVE ")",
                          {c.self}));
    release_the_dead(steps);
    steps.push_back(plain("UPDATE cluster_leader SET epoch = epoch + 1, incarnation = $1 RETURNING epoch", {c.self},
                          yields::epoch));
    steps.push_back(notify());
    look(steps, c.known);
  }
  void operator()(const resign_leadership& c) {
    steps.push_back(raise_version());
    steps.push_back(guard(refusal::not_leader,
                          "UPDATE cluster_leader SET incarnation = 0 WHERE epoch = $1 AND incarnation = $2",
                          {c.epoch, c.self}));
    steps.push_back(notify());
  }
  void operator()(const bury_node& c) {
    steps.push_back(raise_version());
    steps.push_back(prove_leader(c.self, c.leader_epoch));
    steps.push_back(
        guard(refusal::node_dead, "SELECT 1 FROM cluster_node WHERE incarnation = $1 AND " SQL_ALIVE, {c.dead}));
    steps.push_back(guard(refusal::node_alive,
                          "WITH suspect AS MATERIALIZED (SELECT incarnation, lease_until FROM cluster_node"
                          " WHERE incarnation = $1 FOR UPDATE)"
                          " UPDATE cluster_node SET status = 'dead', ended_at = " SQL_CLOCK
                          " FROM suspect WHERE cluster_node.incarnation = suspect.incarnation AND (suspect.lease_until"
                          " <= " SQL_CLOCK
                          " OR ($2 = 1 AND pg_try_advisory_xact_lock" SQL_LIVENESS_LOCK("suspect.incarnation") "))",
                          {c.dead, std::int64_t{c.by_lock}}));
    release_the_dead(steps);
    assign(c.assignments, steps);
    steps.push_back(notify());
  }
  void operator()(const assign_shards& c) {
    steps.push_back(raise_version());
    steps.push_back(prove_leader(c.self, c.leader_epoch));
    assign(c.assignments, steps);
    steps.push_back(notify());
  }
  void operator()(const plan_moves& c) {
    steps.push_back(raise_version());
    steps.push_back(prove_leader(c.self, c.leader_epoch));
    steps.push_back(plain("UPDATE shard SET target = a.node, version = " SQL_VERSION " FROM " SQL_LISTS
                          " WHERE shard.id = a.id AND shard.epoch = a.epoch AND shard.incarnation <> 0"
                          " AND (a.node = 0 OR EXISTS (SELECT 1 FROM cluster_node n WHERE n.incarnation = a.node"
                          " AND n.status = 'up')) RETURNING " SQL_PLACE,
                          lists(c.moves), yields::changed));
    steps.push_back(notify());
  }
  void operator()(const hand_over_shard& c) {
    steps.push_back(raise_version());
    steps.push_back(
        guard(refusal::not_owner,
              "UPDATE shard SET owner = coalesce(n.node, ''), incarnation = coalesce(n.incarnation, 0),"
              " target = 0, epoch = shard.epoch + 1, version = " SQL_VERSION
              " FROM shard old LEFT JOIN cluster_node n ON n.incarnation = old.target AND n.status = 'up'"
              " WHERE old.id = $1 AND shard.id = old.id AND shard.incarnation = $2 AND $2 <> 0 AND shard.epoch = $3"
              " RETURNING " SQL_PLACE,
              {std::int64_t{c.shard}, c.self, c.epoch}, yields::changed));
    steps.push_back(notify());
  }
  void operator()(const start_drain& c) {
    steps.push_back(raise_version());
    steps.push_back(guard(refusal::node_dead,
                          "UPDATE cluster_node SET status = 'draining' WHERE incarnation = $1 AND " SQL_ALIVE,
                          {c.self}));
    steps.push_back(notify());
  }
  void operator()(const leave_cluster& c) {
    steps.push_back(raise_version());
    steps.push_back(guard(refusal::node_dead,
                          "UPDATE cluster_node SET status = 'left', ended_at = " SQL_CLOCK
                          " WHERE incarnation = $1 AND " SQL_ALIVE,
                          {c.self}));
    release_the_dead(steps);
    steps.push_back(notify());
  }
};

shard_place place_of(const std::vector<storage::value>& row) {
  return {storage::as_int(row.at(0)), storage::as_text(row.at(1)), storage::as_int(row.at(2)),
          storage::as_int(row.at(3)), storage::as_int(row.at(4)),  storage::as_int(row.at(5))};
}

} // namespace

command_step draw_incarnation() {
  return guard(refusal::none,
               "UPDATE cluster_state SET last_incarnation = last_incarnation + 1 WHERE one = 1 RETURNING"
               " last_incarnation",
               {}, yields::incarnation);
}

command_step take_liveness_lock(incarnation_no self) {
  return guard(refusal::lock_busy, "SELECT 1 WHERE pg_try_advisory_lock" SQL_LIVENESS_LOCK("$1::bigint"), {self});
}

storage::statement leader_fence(incarnation_no self, epoch_no epoch) {
  auto proof = guard(refusal::not_leader,
                     "SELECT 1 FROM cluster_leader WHERE epoch = $1 AND incarnation = $2 {for_share}", {epoch, self})
                   .sql;
  proof.mismatch = error_code::fenced;
  return proof;
}

std::vector<command_step> transaction_of(const database_command& command, incarnation_no drawn) {
  builder b{drawn};
  std::visit(b, command);
  return std::move(b.steps);
}

void take_rows(const command_step& step, const storage::rows& rows, database_answer& answer) {
  if (rows.empty()) return;
  const auto& first = rows[0];
  auto& view = answer.view;
  switch (step.gives) {
  case yields::nothing:
    break;
  case yields::version:
    answer.version = storage::as_int(first.at(0));
    break;
  case yields::incarnation:
    answer.incarnation = storage::as_int(first.at(0));
    break;
  case yields::epoch:
    answer.epoch = storage::as_int(first.at(0));
    break;
  case yields::changed:
    // A shard that is taken from a dead node and given to another appears twice; the later row counts.
    for (const auto& row : rows.values) {
      const auto place = place_of(row);
      std::erase_if(answer.changed, [&](const auto& c) { return c.shard == place.shard; });
      answer.changed.push_back(place);
    }
    break;
  case yields::state:
    view.version = storage::as_int(first.at(0));
    view.leader_epoch = storage::as_int(first.at(1));
    view.leader = storage::as_int(first.at(2));
    view.shard_count = static_cast<shard_id>(storage::as_int(first.at(3)));
    view.database_us = storage::as_int(first.at(4));
    view.since = storage::as_int(first.at(5));
    break;
  case yields::members:
    for (const auto& row : rows.values)
      view.members.push_back({storage::as_int(row.at(0)), storage::as_text(row.at(1)), storage::as_text(row.at(2)),
                              storage::as_text(row.at(3)) == "draining",
                              std::chrono::microseconds{storage::as_int(row.at(4))}, storage::as_int(row.at(5)),
                              storage::as_int(row.at(6))});
    break;
  case yields::shards:
    for (const auto& row : rows.values) view.shards.push_back(place_of(row));
    break;
  }
}

} // namespace tobit::cluster
