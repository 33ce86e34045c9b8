#define CAF_SUITE cluster_node

#include "cluster/cluster_node.hpp"
#include "tests/cluster/simulation/simulated_database.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>

using namespace tobit;
using namespace tobit::cluster;
using simulation::simulated_database;
using namespace std::chrono_literals;

namespace {

/// One node and a database that answers at once unless it is told to wait.
struct fixture {
  simulated_database db{4, "c-1"};
  cluster_times times;
  std::unique_ptr<cluster_node> node = make_node("node-1");
  steady_time now{1'000s};
  std::vector<cluster_output> said; ///< since the last look
  bool answering = true;
  std::vector<run_command> waiting;

  fixture() {
    db.on_row = [](const auto&, const auto&) {};
    db.on_leader = [](auto, auto, auto) {};
    db.on_write = [](auto, auto, auto) {};
    db.on_leader_act = [](auto, auto) {};
    db.on_doubled = [](auto) {};
  }

  std::unique_ptr<cluster_node> make_node(const std::string& name) const {
    node_profile profile;
    profile.node = name;
    profile.cluster_id = "c-1";
    return std::make_unique<cluster_node>(profile, times);
  }

  simulation::sim_time database_time() const { return now.time_since_epoch().count(); }

  database_answer answer_to(const run_command& c) {
    auto a = db.execute(c.command, 1, database_time());
    a.id = c.id;
    return a;
  }

  void give(const cluster_input& input) {
    auto outputs = node->handle(input, now);
    std::vector<run_command> commands;
    for (auto& o : outputs) {
      if (auto* c = std::get_if<run_command>(&o)) commands.push_back(*c);
      said.push_back(std::move(o));
    }
    for (auto& c : commands) {
      if (!answering)
        waiting.push_back(c);
      else
        give(answer_to(c));
    }
  }

  /// Lets time pass as the program would: waking the node when it asked for it.
  void pass(std::chrono::milliseconds d) {
    const auto end = now + d;
    for (auto at = node->wake_at(now); at && *at <= end; at = node->wake_at(now)) {
      now = *at;
      give(time_passed{});
    }
    now = end;
  }

  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& o : said)
      if (const auto* one = std::get_if<T>(&o)) found.push_back(*one);
    return found;
  }

  /// Another member that only exists in the database.
  incarnation_no other(const std::string& name, std::chrono::milliseconds lease = 1h) {
    node_profile profile;
    profile.node = name;
    profile.cluster_id = "c-1";
    return db.execute(register_node{profile, lease}, 99, database_time()).incarnation;
  }

  void start_alone() {
    give(start_node{});
    said.clear();
  }
};

} // namespace

CAF_TEST(the first node of a cluster joins leads and serves every shard) {
  fixture f;
  f.give(start_node{});
  CAF_CHECK_EQUAL(f.all<start_leading>().size(), 1u);
  CAF_CHECK_EQUAL(f.all<activate_shard>().size(), 4u);
  f.give(request_arrived{1, 2, f.now + 5s});
  CAF_REQUIRE_EQUAL(f.all<serve_request>().size(), 1u);
  CAF_CHECK_EQUAL(f.all<serve_request>()[0].epoch, 1);
}

CAF_TEST(a node renews its lease for ever) {
  fixture f;
  f.start_alone();
  f.pass(60s);
  CAF_CHECK(f.node->may_act(f.now));
  CAF_CHECK(f.all<node_report>().empty());
}

CAF_TEST(a node that was stopped for longer than its lease stops acting before anything else) {
  fixture f;
  f.start_alone();
  f.now += 10s; // nobody called it in between
  CAF_CHECK(!f.node->may_act(f.now));
  f.give(request_arrived{1, 2, f.now + 5s});
  CAF_REQUIRE(!f.said.empty());
  CAF_CHECK(std::holds_alternative<stop_leading>(f.said.front()));
  CAF_CHECK_EQUAL(f.all<abandon_shard>().size(), 4u);
  CAF_CHECK(f.all<serve_request>().empty());
}

CAF_TEST(an answer that says there is still time is heard before a node gives up) {
  fixture f;
  f.start_alone();
  f.answering = false;
  f.pass(1'000ms); // the renewal is under way
  CAF_REQUIRE_EQUAL(f.waiting.size(), 1u);
  const auto renewed = f.answer_to(f.waiting[0]);
  f.now += 1'800ms; // beyond the first lease's end, not beyond the second's
  f.give(renewed);
  CAF_CHECK(f.node->may_act(f.now));
  CAF_CHECK(f.all<abandon_shard>().empty());
}

CAF_TEST(without the database a node stops acting before its lease ends there) {
  fixture f;
  f.start_alone();
  const auto lease_until = f.db.nodes().at(1).lease_until;
  f.answering = false;
  f.pass(2'499ms);
  CAF_CHECK(f.node->may_act(f.now));
  f.pass(1ms);
  CAF_CHECK(!f.node->may_act(f.now));
  CAF_CHECK(f.database_time() < lease_until);
  CAF_CHECK_EQUAL(f.all<abandon_shard>().size(), 4u);
}

CAF_TEST(after giving up a node comes back under a new incarnation) {
  fixture f;
  f.start_alone();
  f.now += 10s;
  f.give(time_passed{});
  f.db.session_ended(1);
  f.said.clear();
  f.pass(1s);
  CAF_CHECK_EQUAL(f.node->self().incarnation(), 2);
  CAF_CHECK_EQUAL(f.all<start_leading>().size(), 1u);
  CAF_REQUIRE_EQUAL(f.all<activate_shard>().size(), 4u);
  for (const auto& a : f.all<activate_shard>()) CAF_CHECK(a.epoch > 1);
}

// Simulation, seed 1: the answer to a claim shows the new leader before it is looked at as an answer.
CAF_TEST(a claim that was granted starts the leaders duties though its view tells of them already) {
  fixture f;
  f.give(start_node{});
  CAF_CHECK_EQUAL(f.node->leader().leading(), 1);
  CAF_CHECK(f.node->may_lead(1, f.now));
}

// Simulation, seed 1: the end of an old connection reached the node after it had given up.
CAF_TEST(a connection that broke before a node joined again does not make the leader look cut off) {
  fixture f;
  const auto leader = f.other("node-2");
  f.db.execute(claim_leadership{leader, 0, false, 0}, 99, f.database_time());
  f.give(start_node{});
  f.give(peer_linked{leader});
  f.now += 10s;
  f.give(time_passed{});
  f.give(peer_unlinked{leader});
  f.db.session_ended(1);
  f.said.clear();
  f.pass(300ms);
  CAF_CHECK(f.node->self().member());
  for (const auto& c : f.all<run_command>()) CAF_CHECK(!std::holds_alternative<claim_leadership>(c.command));
}

// Simulation, seed 762: a late row asked a leaving node to move shards that it had abandoned already.
CAF_TEST(an epoch is not activated again by a node that is leaving) {
  fixture f;
  const auto other = f.other("node-2");
  f.start_alone();
  f.give(drain_wanted{});
  f.pass(f.times.drain + f.times.leave - 1ms); // its shards never stop
  f.answering = false;
  f.pass(2ms);
  CAF_REQUIRE(!f.all<abandon_shard>().empty());
  const auto gone = f.all<abandon_shard>()[0];
  f.said.clear();
  shard_place row{gone.shard, "node-1", f.node->self().incarnation(), gone.epoch, other, 1'000};
  f.give(peer_said{other, message::of(shard_map_changed{1'000, {row}})});
  CAF_CHECK(f.all<activate_shard>().empty());
  CAF_CHECK(f.all<stop_shard>().empty());
}

CAF_TEST(a move stops the shard and hands it over under a new epoch) {
  fixture f;
  f.start_alone();
  const auto other = f.other("node-2");
  f.give(database_notified{f.db.version()});
  f.pass(10ms);
  const auto stops = f.all<stop_shard>();
  CAF_REQUIRE(!stops.empty()); // node-2 is the better place for some
  f.give(request_arrived{7, stops[0].shard, f.now + 5s});
  CAF_CHECK(f.all<serve_request>().empty());
  CAF_CHECK_EQUAL(f.node->requests().parked(), 1u);
  f.give(shard_stopped{stops[0].shard, stops[0].epoch});
  const auto& row = f.db.rows().at(stops[0].shard);
  CAF_CHECK_EQUAL(row.incarnation, other);
  CAF_CHECK_EQUAL(row.epoch, stops[0].epoch + 1);
  f.give(peer_linked{other});
  CAF_REQUIRE_EQUAL(f.all<forward_request>().size(), 1u);
  CAF_CHECK_EQUAL(f.all<forward_request>()[0].to, other);
}

CAF_TEST(a move that takes too long is made by force) {
  fixture f;
  f.start_alone();
  const auto other = f.other("node-2");
  f.give(database_notified{f.db.version()});
  f.pass(10ms);
  f.give(peer_linked{other});
  const auto stop = f.all<stop_shard>().at(0);
  f.pass(f.times.hand_over + 100ms);
  CAF_CHECK_EQUAL(f.db.rows().at(stop.shard).incarnation, other);
  const auto gone = f.all<abandon_shard>();
  CAF_CHECK(std::any_of(gone.begin(), gone.end(), [&](const auto& a) { return a.shard == stop.shard; }));
}

CAF_TEST(a member whose connection breaks is dead only when its lock is free) {
  fixture f;
  f.start_alone();
  const auto other = f.other("node-2");
  f.give(database_notified{f.db.version()});
  f.pass(10ms);
  f.give(peer_linked{other});
  f.give(peer_unlinked{other});
  f.pass(100ms);
  CAF_CHECK(f.db.nodes().at(other).alive());
  f.db.session_ended(99);
  f.pass(500ms);
  CAF_CHECK(!f.db.nodes().at(other).alive());
  for (const auto& row : f.db.rows()) CAF_CHECK_EQUAL(row.incarnation, 1);
}

CAF_TEST(a member whose connection is fine is not buried though its lock is free) {
  fixture f;
  f.start_alone();
  const auto other = f.other("node-2");
  f.give(database_notified{f.db.version()});
  f.pass(10ms);
  f.give(peer_linked{other});
  f.db.session_ended(99); // as when the database was restarted
  f.pass(3s);
  CAF_CHECK(f.db.nodes().at(other).alive());
}

CAF_TEST(a frozen leader is followed when its lease has run out) {
  fixture f;
  const auto leader = f.other("node-2", 2s);
  f.db.execute(claim_leadership{leader, 0, false, 0}, 99, f.database_time());
  f.give(start_node{});
  f.give(peer_linked{leader});
  f.pass(1'900ms);
  CAF_CHECK(f.all<start_leading>().empty());
  f.pass(200ms);
  CAF_CHECK_EQUAL(f.all<start_leading>().size(), 1u);
  CAF_CHECK_EQUAL(f.all<activate_shard>().size(), 4u);
}

CAF_TEST(a request that came back is sent again but not by a late copy of the refusal) {
  fixture f;
  const auto owner = f.other("node-2");
  f.db.execute(claim_leadership{owner, 0, false, 0}, 99, f.database_time());
  f.db.execute(assign_shards{owner, 1, {{0, 0, owner}, {1, 0, owner}, {2, 0, owner}, {3, 0, owner}}}, 99,
               f.database_time());
  f.give(start_node{});
  f.give(peer_linked{owner});
  f.give(request_arrived{5, 1, f.now + 5s});
  CAF_REQUIRE_EQUAL(f.all<forward_request>().size(), 1u);
  f.give(request_returned{5, 1});
  f.pass(f.times.park_retry);
  CAF_REQUIRE_EQUAL(f.all<forward_request>().size(), 2u);
  f.give(request_returned{5, 1});
  f.pass(100ms);
  CAF_CHECK_EQUAL(f.all<forward_request>().size(), 2u);
  f.give(peer_unlinked{owner}); // nobody knows whether it was processed
  CAF_REQUIRE_EQUAL(f.all<reject_request>().size(), 1u);
  CAF_CHECK(f.all<reject_request>()[0].code == error_code::unavailable);
}

CAF_TEST(requests wait bounded in number and time) {
  fixture f;
  f.times.parked_max = 2;
  f.node = f.make_node("node-1");
  for (request_token t = 1; t <= 3; ++t) f.give(request_arrived{t, 0, f.now + 60s});
  CAF_REQUIRE_EQUAL(f.all<reject_request>().size(), 1u);
  CAF_CHECK(f.all<reject_request>()[0].code == error_code::overloaded);
  f.pass(f.times.park);
  CAF_CHECK_EQUAL(f.all<reject_request>().size(), 3u);
  CAF_CHECK(f.all<reject_request>()[2].code == error_code::unavailable);
}

CAF_TEST(a draining node hands over the leadership and its shards and leaves) {
  fixture f;
  f.start_alone();
  const auto other = f.other("node-2");
  f.give(database_notified{f.db.version()});
  f.pass(10ms);
  f.give(drain_wanted{});
  CAF_CHECK_EQUAL(f.all<stop_leading>().size(), 1u);
  CAF_CHECK_EQUAL(f.db.leader(), 0);
  f.db.execute(claim_leadership{other, 1, false, 0}, 99, f.database_time());
  std::vector<assignment> moves;
  for (const auto& row : f.db.rows()) moves.push_back({static_cast<shard_id>(row.shard), row.epoch, other});
  f.db.execute(plan_moves{other, 2, moves}, 99, f.database_time());
  f.give(database_notified{f.db.version()});
  f.pass(10ms);
  for (const auto& stop : f.all<stop_shard>()) f.give(shard_stopped{stop.shard, stop.epoch});
  f.pass(10ms);
  for (const auto& row : f.db.rows()) CAF_CHECK_EQUAL(row.incarnation, other);
  CAF_CHECK(f.node->self().where() == member_state::phase::left);
  CAF_CHECK(!f.db.nodes().at(1).alive());
}

CAF_TEST(the last node leaves without waiting for anybody) {
  fixture f;
  f.start_alone();
  f.give(drain_wanted{});
  for (const auto& stop : f.all<stop_shard>()) f.give(shard_stopped{stop.shard, stop.epoch});
  CAF_CHECK(f.node->self().where() == member_state::phase::left);
  for (const auto& row : f.db.rows()) CAF_CHECK_EQUAL(row.incarnation, 0);
}

CAF_TEST(a node that does not fit is refused with a sentence) {
  fixture f;
  node_profile wrong;
  wrong.node = "node-1";
  wrong.cluster_id = "c-2";
  f.node = std::make_unique<cluster_node>(wrong, f.times);
  f.give(start_node{});
  f.pass(60s);
  CAF_REQUIRE_EQUAL(f.all<node_report>().size(), 1u);
  CAF_CHECK(f.all<node_report>()[0].sentence.find("another cluster") != std::string::npos);
  CAF_CHECK(f.node->self().where() == member_state::phase::refused);
}

CAF_TEST(a peer without a protocol version in common is refused on both sides) {
  fixture f;
  f.start_alone();
  const auto other = f.other("node-2");
  f.give(peer_linked{other});
  f.give(peer_said{other, message::of(hello{"c-1", "node-2", other, protocol_max + 1, protocol_max + 2, "9", 0, 0})});
  const auto told = f.all<tell_peer>();
  CAF_CHECK(std::any_of(told.begin(), told.end(), [](const auto& t) { return t.what.template as<refuse_peer>(); }));
  CAF_CHECK_EQUAL(f.all<disconnect_peer>().size(), 1u);
  CAF_CHECK(!f.all<node_report>().empty());
}

CAF_TEST(a peer of the next release is accepted) {
  fixture f;
  f.start_alone();
  const auto other = f.other("node-2");
  f.give(peer_linked{other});
  f.give(peer_said{other, message::of(hello{"c-1", "node-2", other, protocol_max, protocol_max + 1, "9", 0, 0})});
  CAF_CHECK(f.all<disconnect_peer>().empty());
}
