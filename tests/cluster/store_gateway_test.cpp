#define CAF_SUITE store_gateway

#include "cluster/store/cluster_statements.hpp"
#include "cluster/store/store_gateway.hpp"
#include "runtime/storage/postgres_session.hpp"
#include "tests/support/scratch_database.hpp"

#include <caf/test/unit_test.hpp>

#include <arpa/inet.h>
#include <condition_variable>
#include <map>
#include <mutex>
#include <netinet/in.h>
#include <set>
#include <sys/socket.h>
#include <unistd.h>

using namespace tobit;
using namespace tobit::cluster;
using namespace std::chrono_literals;

namespace {

using clock_type = std::chrono::steady_clock;
constexpr auto patience = 10s;

/// What a gateway told, to be waited for.
class told {
public:
  store_events events() {
    store_events to;
    to.answered = [this](database_answer answer) {
      change([&] {
        ++times[answer.id];
        answers[answer.id] = std::move(answer);
      });
    };
    to.session_lost = [this] { change([&] { lost_at.push_back(clock_type::now()); }); };
    to.notified = [this](cluster_version version) { change([&] { heard = std::max(heard, version); }); };
    return to;
  }
  bool wait(const std::function<bool()>& until, clock_type::duration longest = patience) {
    std::unique_lock lock{guard};
    return changed.wait_for(lock, longest, until);
  }

  std::map<std::uint64_t, database_answer> answers;
  std::map<std::uint64_t, int> times;
  std::vector<clock_type::time_point> lost_at;
  cluster_version heard = 0;
  std::mutex guard;
  std::condition_variable changed;

private:
  template <class Change>
  void change(Change what) {
    {
      std::lock_guard lock{guard};
      what();
    }
    changed.notify_all();
  }
};

/// A node's gateway.
struct gateway_user {
  gateway_user(const std::string& url, const cluster_times& times)
      : gateway(open_store_gateway(url, {}, times, heard.events())) {}
  ~gateway_user() { gateway->stop(); }

  std::uint64_t send(database_command command) {
    gateway->run(++ids, std::move(command));
    return ids;
  }
  database_answer answer(std::uint64_t id) {
    if (!heard.wait([&] { return heard.answers.contains(id); })) CAF_FAIL("a command was not answered");
    std::lock_guard lock{heard.guard};
    CAF_CHECK_EQUAL(heard.times[id], 1);
    return heard.answers[id];
  }
  database_answer ask(database_command command) { return answer(send(std::move(command))); }

  told heard;
  std::unique_ptr<store_gateway> gateway;
  std::uint64_t ids = 0;
};

/// A cluster's store and a session that disturbs it.
struct cluster_store {
  testing::scratch_database scratch{testing::database_kind::postgresql};
  std::unique_ptr<storage::session> other;
  cluster_times times;

  cluster_store() {
    auto made = storage::open_postgres_session(scratch.url(), {}, storage::session_role::writer);
    CAF_REQUIRE(made.has_value());
    other = std::move(*made);
    script("INSERT INTO cluster_value (name, value) VALUES ('cluster_id', 'c-1'), ('shard_count', '4')");
  }
  void script(const char* sql) {
    if (auto done = other->script(sql); !done) CAF_FAIL("the test's own statement failed");
  }
  std::unique_ptr<gateway_user> open() { return std::make_unique<gateway_user>(scratch.url(), times); }
  /// Ends the session that holds this liveness lock, as PostgreSQL's end would.
  void terminate(incarnation_no id) {
    storage::statement end{"SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
                           " AND classid = 1953456745 AND objid::bigint = $1 AND granted AND database ="
                           " (SELECT oid FROM pg_database WHERE datname = current_database())"};
    end.params = {id};
    auto ended = other->run(end);
    CAF_REQUIRE(ended.has_value());
    CAF_REQUIRE_EQUAL(ended->affected, 1);
  }
};

node_profile profile_of(const std::string& name) {
  node_profile p;
  p.node = name;
  p.address = "127.0.0.1:1";
  p.cluster_id = "c-1";
  p.settings = "same";
  return p;
}

/// An address where nobody answers: connections are taken by the kernel, and that is all.
class silent_server {
public:
  silent_server() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof at;
    CAF_REQUIRE(::bind(fd_, reinterpret_cast<sockaddr*>(&at), size) == 0 && ::listen(fd_, 64) == 0);
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &size);
    port_ = ntohs(at.sin_port);
  }
  ~silent_server() { ::close(fd_); }
  std::string url() const { return "postgresql://nobody@127.0.0.1:" + std::to_string(port_) + "/none"; }

private:
  int fd_;
  int port_ = 0;
};

bool within(clock_type::time_point since, clock_type::duration least, clock_type::duration most) {
  const auto took = clock_type::now() - since;
  CAF_MESSAGE("took " << std::chrono::duration_cast<std::chrono::milliseconds>(took).count() << " ms");
  return took >= least && took < most;
}

} // namespace

CAF_TEST(every command takes effect through the gateway) {
  cluster_store db;
  auto one = db.open(), two = db.open();
  const auto first = one->ask(register_node{profile_of("node-1"), 1h});
  const auto second = two->ask(register_node{profile_of("node-2"), 1h});
  CAF_REQUIRE(first.result == outcome::done && second.result == outcome::done);
  CAF_CHECK(first.incarnation > 0 && second.incarnation > first.incarnation);
  CAF_CHECK_EQUAL(second.view.members.size(), 2u);
  CAF_CHECK(one->ask(renew_lease{first.incarnation, 1h, 0}).result == outcome::done);
  CAF_CHECK_EQUAL(one->ask(read_cluster{0}).view.shard_count, 4);
  const auto claim = one->ask(claim_leadership{first.incarnation, 0, false, 0});
  CAF_CHECK(claim.result == outcome::done);
  CAF_CHECK_EQUAL(claim.epoch, 1);
  std::vector<assignment> all;
  for (shard_id s = 0; s < 4; ++s) all.push_back({s, 0, s < 2 ? first.incarnation : second.incarnation});
  const auto assigned = one->ask(assign_shards{first.incarnation, 1, all});
  CAF_CHECK_EQUAL(assigned.changed.size(), 4u);
  CAF_CHECK(two->heard.wait([&] { return two->heard.heard >= assigned.version; }));
  CAF_CHECK_EQUAL(one->ask(plan_moves{first.incarnation, 1, {{0, 1, second.incarnation}}}).changed.size(), 1u);
  const auto moved = one->ask(hand_over_shard{first.incarnation, 0, 1});
  CAF_REQUIRE_EQUAL(moved.changed.size(), 1u);
  CAF_CHECK_EQUAL(moved.changed[0].incarnation, second.incarnation);
  CAF_CHECK(two->ask(start_drain{second.incarnation}).result == outcome::done);
  CAF_CHECK(two->ask(leave_cluster{second.incarnation}).result == outcome::done);
  const auto third = two->ask(register_node{profile_of("node-2"), 1h});
  CAF_REQUIRE(third.result == outcome::done);
  two->gateway->close_liveness_session();
  // The server lets go of a closed session's locks a moment later.
  database_answer buried;
  const auto begun = clock_type::now();
  while (buried.result != outcome::done && clock_type::now() - begun < patience)
    buried = one->ask(bury_node{first.incarnation, 1, third.incarnation, true, {{0, 3, first.incarnation}}});
  CAF_CHECK(buried.result == outcome::done);
  CAF_CHECK(within(begun, 0ms, 1s));
  CAF_CHECK(two->heard.lost_at.empty());
  CAF_CHECK(one->ask(resign_leadership{first.incarnation, 1}).result == outcome::done);
}

CAF_TEST(what the database refuses is refused with its reason) {
  cluster_store db;
  auto one = db.open(), two = db.open();
  auto wrong = profile_of("node-1");
  wrong.cluster_id = "c-2";
  CAF_CHECK(one->ask(register_node{wrong, 1h}).why == refusal::wrong_cluster);
  const auto first = one->ask(register_node{profile_of("node-1"), 1h});
  CAF_REQUIRE(first.result == outcome::done);
  CAF_CHECK(two->ask(register_node{profile_of("node-1"), 1h}).why == refusal::name_in_use);
  auto other = profile_of("node-2");
  other.settings = "others";
  CAF_CHECK(two->ask(register_node{other, 1h}).why == refusal::settings_differ);
  other = profile_of("node-2");
  other.lowest_protocol = other.highest_protocol = protocol_max + 7;
  CAF_CHECK(two->ask(register_node{other, 1h}).why == refusal::protocol_incompatible);
  CAF_CHECK(two->ask(resume_node{first.incarnation, 1h}).why == refusal::lock_busy);
  CAF_CHECK(two->ask(resume_node{9'999, 1h}).why == refusal::node_dead);
  CAF_CHECK(two->ask(renew_lease{9'999, 1h, 0}).why == refusal::node_dead);
  CAF_CHECK(two->ask(claim_leadership{9'999, 0, false, 0}).why == refusal::node_dead);
  const auto second = two->ask(register_node{profile_of("node-2"), 1h});
  CAF_CHECK(one->ask(claim_leadership{first.incarnation, 7, false, 0}).why == refusal::leader_changed);
  CAF_REQUIRE(one->ask(claim_leadership{first.incarnation, 0, false, 0}).result == outcome::done);
  CAF_CHECK(two->ask(claim_leadership{second.incarnation, 1, true, 0}).why == refusal::leader_alive);
  CAF_CHECK(two->ask(resign_leadership{second.incarnation, 1}).why == refusal::not_leader);
  CAF_CHECK(two->ask(bury_node{second.incarnation, 1, first.incarnation, true, {}}).why == refusal::not_leader);
  CAF_CHECK(one->ask(bury_node{first.incarnation, 1, second.incarnation, true, {}}).why == refusal::node_alive);
  CAF_CHECK(one->ask(bury_node{first.incarnation, 1, 9'999, true, {}}).why == refusal::node_dead);
  CAF_CHECK(two->ask(assign_shards{second.incarnation, 1, {}}).why == refusal::not_leader);
  CAF_CHECK(two->ask(plan_moves{second.incarnation, 1, {}}).why == refusal::not_leader);
  CAF_CHECK(two->ask(hand_over_shard{second.incarnation, 0, 1}).why == refusal::not_owner);
  CAF_CHECK(two->ask(start_drain{9'999}).why == refusal::node_dead);
  CAF_CHECK(two->ask(leave_cluster{9'999}).why == refusal::node_dead);
}

CAF_TEST(the end of the liveness session is told within 100 ms and the node takes its lock again) {
  cluster_store db;
  auto one = db.open();
  const auto first = one->ask(register_node{profile_of("node-1"), 1h});
  CAF_REQUIRE(first.result == outcome::done);
  const auto begun = clock_type::now();
  db.terminate(first.incarnation);
  CAF_REQUIRE(one->heard.wait([&] { return one->heard.lost_at.size() == 1; }));
  CAF_CHECK(within(begun, 0ms, 100ms));
  CAF_CHECK(one->ask(resume_node{first.incarnation, 1h}).result == outcome::done);
  auto two = db.open();
  CAF_CHECK(two->ask(resume_node{first.incarnation, 1h}).why == refusal::lock_busy);
  db.terminate(first.incarnation);
  CAF_CHECK(one->heard.wait([&] { return one->heard.lost_at.size() == 2; }));
}

CAF_TEST(a session that is closed on purpose is not told as lost and its commands are answered) {
  cluster_store db;
  auto one = db.open();
  db.script("BEGIN; SELECT * FROM cluster_state FOR UPDATE");
  const auto stuck = one->send(register_node{profile_of("node-1"), 1h});
  const auto begun = clock_type::now();
  one->gateway->close_liveness_session();
  CAF_CHECK(one->answer(stuck).result == outcome::failed);
  CAF_CHECK(within(begun, 0ms, 300ms));
  db.script("COMMIT");
  const auto again = one->ask(register_node{profile_of("node-1"), 1h});
  CAF_CHECK(again.result == outcome::done);
  one->gateway->close_liveness_session();
  CAF_CHECK(one->ask(read_cluster{0}).view.members.size() == 1u);
  CAF_CHECK(one->heard.lost_at.empty());
}

CAF_TEST(a blocked command fails in time while renewals go on) {
  cluster_store db;
  db.times.command_timeout = 600ms;
  auto one = db.open();
  const auto first = one->ask(register_node{profile_of("node-1"), 1h});
  CAF_REQUIRE(first.result == outcome::done);
  db.script("BEGIN; SELECT * FROM cluster_state FOR UPDATE");
  const auto begun = clock_type::now();
  const auto blocked = one->send(claim_leadership{first.incarnation, 0, false, 0});
  const auto queued = one->send(start_drain{first.incarnation});
  for (int i = 0; i < 20; ++i) CAF_CHECK(one->ask(renew_lease{first.incarnation, 1h, 0}).result == outcome::done);
  CAF_CHECK(within(begun, 0ms, 500ms));
  CAF_CHECK(one->answer(blocked).result == outcome::failed);
  CAF_CHECK(one->answer(queued).result == outcome::failed);
  CAF_CHECK(within(begun, 500ms, 900ms));
  db.script("COMMIT");
  const auto claim = one->ask(claim_leadership{first.incarnation, 0, false, 0});
  CAF_CHECK(claim.result == outcome::done);
  CAF_CHECK_EQUAL(claim.epoch, 1); // what failed had no effect
  CAF_CHECK(!claim.view.members.at(0).draining);
}

CAF_TEST(a commit that hangs or loses its connection has an unknown outcome) {
  cluster_store db;
  db.times.command_timeout = 500ms;
  auto one = db.open();
  const auto first = one->ask(register_node{profile_of("node-1"), 1h});
  CAF_REQUIRE(first.result == outcome::done);
  db.script("CREATE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';"
            "CREATE CONSTRAINT TRIGGER hang AFTER UPDATE ON cluster_leader DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION hang()");
  const auto begun = clock_type::now();
  CAF_CHECK(one->ask(claim_leadership{first.incarnation, 0, false, 0}).result == outcome::unknown);
  CAF_CHECK(within(begun, 400ms, 800ms));
  // Until the commit ends nothing else runs there; it did take effect.
  const auto meanwhile = one->ask(read_cluster{0});
  CAF_CHECK(meanwhile.result == outcome::done || meanwhile.result == outcome::failed);
  const auto after = one->ask(claim_leadership{first.incarnation, 0, false, 0});
  CAF_CHECK(after.why == refusal::leader_changed);
  db.script("CREATE OR REPLACE FUNCTION hang() RETURNS trigger LANGUAGE plpgsql AS"
            " 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'");
  CAF_CHECK(one->ask(claim_leadership{first.incarnation, 1, false, 0}).result == outcome::unknown);
  db.script("DROP TRIGGER hang ON cluster_leader");
  CAF_CHECK(one->ask(claim_leadership{first.incarnation, 1, false, 0}).result == outcome::done);
}

CAF_TEST(sessions that the server ended are opened again by the next command) {
  cluster_store db;
  auto one = db.open();
  const auto first = one->ask(register_node{profile_of("node-1"), 1h});
  CAF_REQUIRE(first.result == outcome::done);
  CAF_REQUIRE(one->ask(renew_lease{first.incarnation, 1h, 0}).result == outcome::done);
  db.script("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND query LIKE '%COMMIT%' AND state = 'idle'");
  CAF_CHECK(one->ask(renew_lease{first.incarnation, 1h, 0}).result == outcome::done);
  CAF_CHECK(one->ask(read_cluster{0}).result == outcome::done);
}

CAF_TEST(a server that cannot be reached or stays silent fails in time) {
  cluster_times times;
  times.command_timeout = 400ms;
  silent_server silent;
  for (const auto& url : {std::string{"postgresql://nobody@127.0.0.1:1/none"}, silent.url()}) {
    gateway_user one{url, times};
    const auto begun = clock_type::now();
    const auto join = one.send(register_node{profile_of("node-1"), 3s});
    const auto renew = one.send(renew_lease{1, 3s, 0});
    const auto look = one.send(read_cluster{0});
    for (const auto id : {renew, look}) CAF_CHECK(one.answer(id).result == outcome::failed);
    CAF_CHECK(within(begun, 0ms, 700ms));
    // Joining may take what leaves time for a renewal.
    CAF_CHECK(one.answer(join).result == outcome::failed);
    CAF_CHECK(within(begun, 0ms, times.lease - times.margin - times.command_timeout + 300ms));
  }
}

CAF_TEST(stopping while something is stuck answers it and returns soon) {
  cluster_store db;
  db.times.command_timeout = 20s;
  auto one = db.open();
  const auto first = one->ask(register_node{profile_of("node-1"), 1h});
  CAF_REQUIRE(first.result == outcome::done);
  CAF_REQUIRE(one->ask(read_cluster{0}).result == outcome::done); // its session is there
  db.script("BEGIN; SELECT * FROM cluster_state FOR UPDATE");
  const auto stuck = one->send(claim_leadership{first.incarnation, 0, false, 0});
  const auto joining = one->send(register_node{profile_of("node-2"), 1h});
  const auto begun = clock_type::now();
  one->gateway->stop();
  CAF_CHECK(within(begun, 0ms, 2s));
  CAF_CHECK(one->answer(stuck).result == outcome::failed);
  CAF_CHECK(one->answer(joining).result == outcome::failed);
  CAF_CHECK(one->heard.lost_at.empty());
  db.script("COMMIT");
}

CAF_TEST(every command is answered once whatever happens to the sessions) {
  cluster_store db;
  const std::string name = "cut" + std::to_string(::getpid());
  gateway_user one{db.scratch.url() + "&application_name=" + name, db.times};
  const auto first = one.ask(register_node{profile_of("node-1"), 1h});
  CAF_REQUIRE(first.result == outcome::done);
  std::uint64_t last = 0;
  for (int i = 0; i < 300; ++i) {
    last = one.send(renew_lease{first.incarnation, 1h, 0});
    last = one.send(claim_leadership{first.incarnation, i, false, 0});
    if (i % 5 == 0) last = one.send(resume_node{first.incarnation, 1h});
    if (i % 7 == 0) last = one.send(register_node{profile_of("node-2"), 0ms});
    if (i % 11 == 0) one.gateway->close_liveness_session();
    if (i % 13 != 0) continue;
    auto cut = db.other->run(
        {"SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = $1", {name}});
    CAF_REQUIRE(cut.has_value());
  }
  CAF_REQUIRE(one.heard.wait([&] { return one.heard.answers.size() == last; }));
  std::map<outcome, int> results;
  std::lock_guard lock{one.heard.guard};
  for (const auto& [id, answer] : one.heard.answers) {
    CAF_CHECK_EQUAL(one.heard.times[id], 1);
    ++results[answer.result];
  }
  CAF_MESSAGE("done " << results[outcome::done] << ", refused " << results[outcome::refused] << ", failed "
                      << results[outcome::failed] << ", unknown " << results[outcome::unknown]);
  CAF_CHECK(results[outcome::done] > 0);
}
