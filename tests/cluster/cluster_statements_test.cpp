#define CAF_SUITE cluster_statements

#include "cluster/store/cluster_statements.hpp"
#include "runtime/storage/postgres_session.hpp"
#include "tests/cluster/simulation/chance.hpp"
#include "tests/cluster/simulation/simulated_database.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <map>

using namespace tobit;
using namespace tobit::cluster;
using simulation::simulated_database;
using namespace std::chrono_literals;

namespace {

constexpr shard_id shards = 6;

/// The cluster's tables on PostgreSQL, with a session per node for its liveness lock and one for everything else.
struct postgres_cluster {
  testing::scratch_database scratch{testing::database_kind::postgresql};
  std::unique_ptr<storage::session> work = open();
  std::map<std::uint64_t, std::unique_ptr<storage::session>> sessions;
  std::map<std::uint64_t, incarnation_no> locks;

  postgres_cluster() {
    CAF_REQUIRE(work->script("INSERT INTO cluster_value (name, value) VALUES ('cluster_id', 'c-1'),"
                             " ('shard_count', '6')")
                    .has_value());
  }

  std::unique_ptr<storage::session> open() {
    storage::database_options options;
    options.forget_client_after = 3s;
    auto made = storage::open_postgres_session(scratch.url(), options, storage::session_role::writer);
    CAF_REQUIRE(made.has_value());
    return std::move(*made);
  }

  /// False if the step's condition did not hold.
  bool run(storage::session& on, const command_step& step, database_answer& answer) {
    auto done = on.run(step.sql);
    if (!done) {
      CAF_MESSAGE(done.error().what.message << " in " << step.sql.sql);
      CAF_FAIL("a statement of the cluster failed");
    }
    take_rows(step, done->returned, answer);
    if (!step.sql.expect_rows || done->affected == *step.sql.expect_rows) return true;
    answer = {};
    answer.result = outcome::refused;
    answer.why = step.unless;
    return false;
  }

  database_answer execute(const database_command& command, std::uint64_t session) {
    database_answer answer;
    const bool joining = std::holds_alternative<register_node>(command);
    auto* on = work.get();
    if (joining) {
      run(*work, draw_incarnation(), answer);
      sessions[session] = open();
      on = sessions[session].get();
      run(*on, take_liveness_lock(answer.incarnation), answer);
    }
    const auto drawn = answer.incarnation;
    CAF_REQUIRE(on->begin().has_value());
    for (const auto& step : transaction_of(command, drawn))
      if (!run(*on, step, answer)) {
        on->rollback();
        if (joining) sessions.erase(session);
        return answer;
      }
    CAF_REQUIRE(on->commit().has_value());
    answer.result = outcome::done;
    if (joining) locks[session] = drawn;
    return answer;
  }

  /// Closes the session and waits until the server has noticed.
  void close(std::uint64_t session) {
    sessions.erase(session);
    auto wait = work->run({"SELECT pg_advisory_lock(1953456745, $1::int)", {locks.at(session)}});
    CAF_REQUIRE(wait.has_value());
    CAF_REQUIRE(work->run({"SELECT pg_advisory_unlock(1953456745, $1::int)", {locks.at(session)}}).has_value());
  }
};

node_profile profile_of(const std::string& name) {
  node_profile p;
  p.node = name;
  p.cluster_id = "c-1";
  return p;
}

std::string text(const std::vector<shard_place>& rows) {
  std::map<std::int64_t, std::string> sorted;
  for (const auto& r : rows)
    sorted[r.shard] = std::to_string(r.shard) + ":" + r.owner + "/" + std::to_string(r.incarnation) + "/" +
                      std::to_string(r.epoch) + "→" + std::to_string(r.target) + " ";
  std::string all;
  for (const auto& [shard, one] : sorted) all += one;
  return all;
}

} // namespace

CAF_TEST(a node joins leads and dies with its session) {
  postgres_cluster db;
  const auto one = db.execute(register_node{profile_of("node-1"), 1h}, 1);
  const auto two = db.execute(register_node{profile_of("node-2"), 1h}, 2);
  CAF_REQUIRE(one.result == outcome::done && two.result == outcome::done);
  CAF_CHECK_EQUAL(two.view.members.size(), 2u);
  CAF_CHECK(db.execute(register_node{profile_of("node-1"), 1h}, 3).why == refusal::name_in_use);
  const auto claim = db.execute(claim_leadership{one.incarnation, 0, false, 0}, 0);
  CAF_CHECK_EQUAL(claim.epoch, 1);
  CAF_CHECK_EQUAL(claim.view.leader, one.incarnation);
  CAF_CHECK(db.execute(claim_leadership{two.incarnation, 1, true, 0}, 0).why == refusal::leader_alive);
  std::vector<assignment> all;
  for (shard_id s = 0; s < shards; ++s) all.push_back({s, 0, one.incarnation});
  CAF_CHECK_EQUAL(db.execute(assign_shards{one.incarnation, 1, all}, 0).changed.size(), shards);
  db.close(1);
  CAF_CHECK(db.execute(claim_leadership{two.incarnation, 1, false, 0}, 0).why == refusal::leader_alive);
  const auto taken = db.execute(claim_leadership{two.incarnation, 1, true, 0}, 0);
  CAF_CHECK_EQUAL(taken.epoch, 2);
  CAF_CHECK_EQUAL(taken.changed.size(), shards);
  CAF_CHECK(db.execute(assign_shards{one.incarnation, 1, all}, 0).why == refusal::not_leader);
  CAF_CHECK(db.execute(renew_lease{one.incarnation, 1h, 0}, 0).why == refusal::node_dead);
}

CAF_TEST(a lease that has run out is not renewed and proves death) {
  postgres_cluster db;
  const auto one = db.execute(register_node{profile_of("node-1"), 0ms}, 1);
  const auto two = db.execute(register_node{profile_of("node-2"), 1h}, 2);
  CAF_CHECK(db.execute(renew_lease{one.incarnation, 1h, 0}, 0).why == refusal::node_dead);
  CAF_REQUIRE_EQUAL(db.execute(claim_leadership{two.incarnation, 0, false, 0}, 0).epoch, 1);
  CAF_CHECK(db.execute(bury_node{two.incarnation, 1, one.incarnation, false, {}}, 0).result == outcome::done);
  CAF_CHECK(db.execute(bury_node{two.incarnation, 1, one.incarnation, false, {}}, 0).why == refusal::node_dead);
}

// The simulation is worth as much as its database: both get the same commands and must say the same.
CAF_TEST(the simulated database answers as PostgreSQL does) {
  const std::uint64_t seed = 20'261'120;
  CAF_MESSAGE("seed " << seed);
  simulation::chance chance{seed};
  postgres_cluster real;
  simulated_database simulated{shards, "c-1"};
  simulated.on_row = [](const auto&, const auto&) {};
  simulated.on_leader = [](auto, auto, auto) {};
  simulated.on_leader_act = [](auto, auto) {};
  std::map<incarnation_no, incarnation_no> same; // simulated → real: refused joins use numbers up in reality only
  same[0] = 0;
  std::vector<incarnation_no> known{0};
  std::map<std::uint64_t, bool> open;
  std::uint64_t last_session = 0;
  simulation::sim_time now = 1'000'000;
  const auto some = [&] {
    return known[static_cast<std::size_t>(chance.between(0, static_cast<std::int64_t>(known.size()) - 1))];
  };
  const auto living = [&] { // mostly somebody who is there
    for (int i = 0; i < 10; ++i)
      if (const auto id = some(); simulated.nodes().contains(id) && simulated.nodes().at(id).alive()) return id;
    return some();
  };
  for (int i = 0; i < 400; ++i) {
    now += 1'000;
    const auto shard = static_cast<shard_id>(chance.between(0, shards - 1));
    const auto& row = simulated.rows().at(shard);
    const auto epoch = row.epoch + (chance.hit(0.1) ? 1 : 0);
    const auto leader = chance.hit(0.8) ? simulated.leader() : some(), self = living(), to = living();
    const auto leader_epoch = simulated.leader_epoch() - (chance.hit(0.1) ? 1 : 0);
    if (chance.hit(0.05) && last_session > 0) {
      const auto gone = static_cast<std::uint64_t>(chance.between(1, static_cast<std::int64_t>(last_session)));
      if (std::exchange(open[gone], false)) {
        simulated.session_ended(gone);
        real.close(gone);
      }
    }
    const auto build = [&](auto id) -> database_command {
      switch (i < 5 ? 0 : chance.between(0, 9)) {
      case 0:
        return register_node{profile_of("node-" + std::to_string(chance.between(1, 4))),
                             chance.hit(0.1) ? 0ms : 3'600'000ms};
      default:
        return read_cluster{0};
      case 1:
        return renew_lease{id(self), 1h, 0};
      case 2:
        return claim_leadership{id(self), leader_epoch, chance.hit(0.5), 0};
      case 3:
        return bury_node{id(leader), leader_epoch, id(living()), chance.hit(0.7), {{shard, epoch + 1, id(to)}}};
      case 4:
      case 5:
        return assign_shards{id(leader), leader_epoch, {{shard, epoch, id(to)}}};
      case 6:
        return plan_moves{id(leader), leader_epoch, {{shard, epoch, id(to)}}};
      case 7:
        return hand_over_shard{id(chance.hit(0.9) ? row.incarnation : some()), shard, epoch};
      case 8:
        return chance.hit(0.2) ? database_command{leave_cluster{id(self)}}
                               : database_command{start_drain{id(chance.hit(0.3) ? self : 0)}};
      case 9:
        return resign_leadership{id(chance.hit(0.3) ? leader : 0), leader_epoch};
      }
    };
    auto again = chance; // both commands are made of the same draws
    const auto mine = build([](incarnation_no id) { return id; });
    std::swap(chance, again);
    const auto theirs = build([&](incarnation_no id) { return same.at(id); });
    const auto session = std::holds_alternative<register_node>(mine) ? ++last_session : 0;
    const auto a = simulated.execute(mine, session, now);
    const auto b = real.execute(theirs, session);
    CAF_MESSAGE(i << " " << name_of(mine) << " " << to_string(a.why));
    CAF_CHECK(a.result == b.result);
    CAF_CHECK_EQUAL(std::string{to_string(a.why)}, std::string{to_string(b.why)});
    if (session != 0 && a.result == outcome::done) {
      same[a.incarnation] = b.incarnation;
      known.push_back(a.incarnation);
      open[session] = true;
    }
    if (a.result != b.result) return;
    const auto translated = [&](std::vector<shard_place> rows) {
      for (auto& r : rows) r.incarnation = same.at(r.incarnation), r.target = same.at(r.target);
      return text(rows);
    };
    const auto look = simulated.execute(read_cluster{0}, 0, now).view, there = real.execute(read_cluster{0}, 0).view;
    CAF_CHECK_EQUAL(translated(a.changed), text(b.changed));
    CAF_CHECK_EQUAL(translated(look.shards), text(there.shards));
    CAF_CHECK_EQUAL(look.version, there.version);
    CAF_CHECK_EQUAL(look.leader_epoch, there.leader_epoch);
    CAF_CHECK_EQUAL(same.at(look.leader), there.leader);
    CAF_CHECK_EQUAL(look.members.size(), there.members.size());
    for (std::size_t m = 0; m < std::min(look.members.size(), there.members.size()); ++m) {
      CAF_CHECK_EQUAL(same.at(look.members[m].incarnation), there.members[m].incarnation);
      CAF_CHECK_EQUAL(look.members[m].draining, there.members[m].draining);
      CAF_CHECK_EQUAL(look.members[m].lease_left.count() > 0, there.members[m].lease_left.count() > 0);
    }
  }
}
