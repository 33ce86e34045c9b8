#pragma once

#include "cluster/cluster_node.hpp"
#include "tests/cluster/simulation/chance.hpp"
#include "tests/cluster/simulation/history_checker.hpp"
#include "tests/cluster/simulation/simulated_database.hpp"

#include <functional>
#include <memory>
#include <queue>
#include <string>
#include <vector>

namespace tobit::cluster::simulation {

/// One mistake that the protocol or the database could make. For showing that the checker notices.
enum class mutation { none, no_self_fencing, no_shard_fence, no_leader_fence, wall_clock_schedules };

struct run_options {
  std::uint64_t seed = 1;
  mutation broken = mutation::none;
  bool trace = false; ///< print what happens
  bool faults = true;
  sim_time fault_time = 25'000'000;
};

/// What came of a run.
struct run_result {
  std::optional<std::string> violation;
  sim_time at = 0;         ///< of the violation, or of the end
  std::uint64_t steps = 0; ///< events
  std::uint64_t requests = 0, succeeded = 0, ticks = 0, fenced = 0, buried = 0, leaders = 0, moves = 0;
  sim_time settled_after = 0; ///< from the end of the faults until every shard was served and a leader led
};

/// Several nodes with the real protocol, a simulated database, network, clocks, clients and misfortunes; one seed, one
/// thread, one run.
class simulation {
public:
  explicit simulation(run_options options);
  run_result run();

private:
  static constexpr sim_time ms = 1'000, second = 1'000'000;

  /// One process of a node: from start to crash or leaving.
  struct process {
    std::size_t id = 0, node = 0;
    std::unique_ptr<cluster_node> protocol;
    bool alive = true, frozen = false, clock_stood = false, told_to_leave = false;
    double clock_rate = 1;
    sim_time clock_offset = 0, wall_offset = 0, started = 0, clock_stood_until = 0;
    incarnation_no incarnation = 0;             ///< the last one
    session_no session = 0;                     ///< the liveness session as the client sees it
    std::uint64_t wake = 0;                     ///< only the latest alarm counts
    std::vector<std::function<void()>> backlog; ///< what arrived while it was frozen
    struct shard_run {
      epoch_no epoch = 0;
      int busy = 0; ///< requests being processed
      bool stopping = false;
    };
    std::map<shard_id, shard_run> shards; ///< what its runtime holds
    epoch_no leading = 0;
    sim_time database_offset = 0; ///< database clock minus steady clock, as last seen
    std::map<std::pair<std::size_t, std::int64_t>, sim_time> ticks_sent;
    /// Requests that other nodes sent here: from which process, at which attempt.
    std::map<request_token, std::pair<std::size_t, std::uint32_t>> foreign;
  };
  struct session {
    std::size_t process = 0;
    bool server_side = true, client_side = true;
  };
  struct client_request {
    std::size_t edge = 0; ///< process
    shard_id shard = 0;
    sim_time deadline = 0;
    bool answered = false, excused = false, probe = false;
    std::optional<std::pair<std::size_t, std::int64_t>> tick; ///< it delivers a tick of the leader
  };
  struct event {
    sim_time at = 0;
    std::uint64_t order = 0;
    std::function<void()> what;
    bool operator<(const event& other) const { return at != other.at ? at > other.at : order > other.order; }
  };
  struct link_state {
    bool up = false;
    sim_time broken_since = 0;
  };

  // simulation.cpp: time and processes
  void at(sim_time when, std::function<void()> what);
  void after(sim_time delay, std::function<void()> what) { at(now_ + delay, std::move(what)); }
  /// Runs `what` in the process: now, when it goes on, or never if it is dead.
  void in_process(std::size_t id, std::function<void()> what);
  void give(std::size_t id, cluster_input input);
  void carry_out(process& p, const cluster_output& output);
  void on(process& p, const run_command& o);
  void on(process& p, const close_liveness_session& o);
  void on(process& p, const connect_peer& o);
  void on(process& p, const disconnect_peer& o);
  void on(process& p, const tell_peer& o);
  void on(process& p, const activate_shard& o);
  void on(process& p, const stop_shard& o);
  void on(process& p, const abandon_shard& o);
  void on(process& p, const start_leading& o);
  void on(process& p, const stop_leading& o);
  void on(process& p, const serve_request& o);
  void on(process& p, const forward_request& o);
  void on(process& p, const return_request& o);
  void on(process& p, const reject_request& o);
  void on(process& p, const node_report& o);
  void say_input(const process& p, const cluster_input& input) const;
  steady_time steady(const process& p) const;
  void set_alarm(process& p);
  void start_process(std::size_t node);
  void end_process(process& p, bool crash);
  process& proc(std::size_t id) { return *processes_[id]; }
  process* running(std::size_t node);
  process* process_of(incarnation_no incarnation);
  void say(const process* who, const std::string& what) const;

  // simulation_network.cpp: messages, links and the way to the database
  void send(std::size_t from, std::size_t to, std::function<void()> deliver, bool control);
  void tell(process& from, incarnation_no to, const message& what);
  bool path_open(std::size_t from_node, std::size_t to_node) const { return !blocked_[from_node][to_node]; }
  void check_links();
  void set_link(std::size_t a, std::size_t b, bool up);
  link_state& link(std::size_t a, std::size_t b) { return links_[{std::min(a, b), std::max(a, b)}]; }
  bool linked(std::size_t a, std::size_t b);
  void call_database(process& p, session_no on_session, std::function<database_answer()> execute,
                     std::function<void(const database_answer&)> answered);
  sim_time database_delay();
  void run_database_command(process& p, const run_command& c);
  void notify_all();
  void end_session(session_no id, bool tell_client);
  void close_session_of(process& p);

  // simulation_workload.cpp: entities, clients, the leader's schedules
  void client_asks();
  void ask(std::size_t edge, shard_id shard, sim_time patience, bool probe,
           std::optional<std::pair<std::size_t, std::int64_t>> tick);
  void serve(process& p, std::size_t origin, request_token token, shard_id shard, epoch_no epoch);
  void finish(process& p, std::size_t origin, request_token token, bool ok);
  void client_answered(request_token token, bool ok);
  void stop_shard_soon(process& p, shard_id shard, epoch_no epoch);
  void look_at_schedules(std::size_t id, epoch_no epoch);
  void act_begins(const process& p);

  // simulation_faults.cpp: misfortunes, and what has to hold afterwards
  void misfortune();
  void freeze(std::size_t node, sim_time how_long, bool clock_stands);
  void thaw(std::size_t id, sim_time began, bool clock_stands);
  void block(std::size_t a, std::size_t b, bool both, sim_time how_long);
  void database_down(sim_time how_long);
  void drain(std::size_t node);
  void heal();
  void await_settled(sim_time since);
  std::optional<std::string> unsettled();
  void final_checks();
  void dead_requests_excused(std::size_t id);

  run_options options_;
  chance chance_;
  history_checker checker_;
  cluster_times times_;
  std::size_t node_count_ = 0;
  shard_id shard_count_ = 0;
  simulated_database db_;
  sim_time now_ = 0;
  std::uint64_t order_ = 0;
  std::priority_queue<event> events_;
  std::vector<std::unique_ptr<process>> processes_;
  std::map<incarnation_no, std::size_t> by_incarnation_;
  std::vector<std::size_t> of_node_; ///< the node's latest process
  std::map<std::pair<std::size_t, std::size_t>, link_state> links_;
  std::set<std::pair<std::size_t, incarnation_no>> wanted_links_;
  std::vector<std::vector<bool>> blocked_; ///< [from][to]; the last index is the database
  std::map<session_no, session> sessions_;
  session_no last_session_ = 0;
  cluster_version notified_ = 0;
  bool database_up_ = true, over_ = false, faults_over_ = false;
  double loss_ = 0, duplication_ = 0, commit_trouble_ = 0;
  sim_time message_delay_most_ = 5 * ms, database_delay_most_ = 3 * ms, database_extra_delay_ = 0;
  std::map<request_token, client_request> requests_;
  request_token last_token_ = 0;
  run_result result_;
};

run_result run_seed(std::uint64_t seed, mutation broken = mutation::none, bool trace = false);
std::string_view to_string(mutation m) noexcept;

} // namespace tobit::cluster::simulation
