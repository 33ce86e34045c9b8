#include "cluster/placement/placement_plan.hpp"
#include "tests/cluster/simulation/simulation.hpp"

namespace tobit::cluster::simulation {

void simulation::misfortune() {
  if (faults_over_) return;
  after(chance_.between(100, 4'000) * ms, [this] { misfortune(); });
  const auto some_node = [this] {
    return static_cast<std::size_t>(chance_.between(0, static_cast<std::int64_t>(node_count_) - 1));
  };
  // Half of the time the leader is hit, which is what hurts most.
  auto node = some_node();
  if (auto* leader = process_of(db_.leader()); leader && chance_.hit(0.4)) node = leader->node;
  const auto long_time = (chance_.hit(0.5) ? chance_.between(50, 1'000) : chance_.between(1'000, 9'000)) * ms;
  switch (chance_.between(0, 13)) {
  case 0:
  case 1:
  case 2:
    if (auto* p = running(node)) {
      end_process(*p, true);
      after(long_time, [this, node] { start_process(node); });
    }
    break;
  case 3:
  case 4:
    freeze(node, long_time, false);
    break;
  case 5:
    freeze(node, long_time, true);
    break;
  case 6:
    block(node, some_node(), chance_.hit(0.5), long_time);
    break;
  case 7:
    block(node, node_count_, true, chance_.hit(0.3) ? 2 * long_time : long_time);
    break;
  case 8:
    chance_.hit(0.5) ? block(node, node_count_, false, long_time) : block(node_count_, node, false, long_time);
    break;
  case 9:
    database_down(chance_.hit(0.7) ? chance_.between(100, 1'500) * ms : long_time);
    break;
  case 10:
    database_extra_delay_ = chance_.between(10, 1'500) * ms;
    after(long_time, [this] { database_extra_delay_ = 0; });
    break;
  case 11:
    commit_trouble_ = 0.3;
    after(long_time, [this] { commit_trouble_ = 0; });
    break;
  case 12:
    if (auto* p = running(node); p && p->session != 0) end_session(p->session, true);
    break;
  case 13:
    if (chance_.hit(0.5)) return drain(node);
    for (std::size_t i = 0; i < node_count_; ++i) // a rolling restart
      after(static_cast<sim_time>(i) * chance_.between(500, 4'000) * ms, [this, i] { drain(i); });
    break;
  }
}

void simulation::freeze(std::size_t node, sim_time how_long, bool clock_stands) {
  auto* p = running(node);
  if (!p || p->frozen) return;
  say(p, clock_stands ? "is suspended with its clocks" : "is stopped (SIGSTOP)");
  p->frozen = true;
  if (clock_stands) p->clock_stood = true;
  dead_requests_excused(p->id);
  after(how_long, [this, id = p->id, began = now_, clock_stands] { thaw(id, began, clock_stands); });
}

void simulation::thaw(std::size_t id, sim_time began, bool clock_stands) {
  auto& p = proc(id);
  if (!p.alive || !p.frozen) return;
  say(&p, "goes on");
  if (clock_stands) p.clock_stood_until = now_;
  if (clock_stands) p.clock_offset -= static_cast<sim_time>(static_cast<double>(now_ - began) * p.clock_rate);
  p.frozen = false;
  dead_requests_excused(id);
  // What piled up comes in any order: timers, sockets and other threads do not wait for each other.
  auto backlog = std::move(p.backlog);
  p.backlog.clear();
  for (std::size_t i = backlog.size(); i > 1; --i)
    std::swap(backlog[i - 1], backlog[static_cast<std::size_t>(chance_.between(0, static_cast<std::int64_t>(i) - 1))]);
  for (auto& what : backlog) in_process(id, std::move(what));
}

void simulation::block(std::size_t a, std::size_t b, bool both, sim_time how_long) {
  if (a == b || blocked_[a][b]) return;
  if (options_.trace)
    say(nullptr, "network cut " + std::to_string(a) + (both ? " ↔ " : " → ") + std::to_string(b) + " (" +
                     std::to_string(node_count_) + " is the database)");
  blocked_[a][b] = true;
  if (both) blocked_[b][a] = true;
  const auto node = std::min(a, b);
  const auto still = [this, a, b] { return blocked_[a][b]; };
  if (std::max(a, b) == node_count_) {
    // Keep-alives: the client's side gives up first, the server's later.
    after(6 * second, [this, node, still] {
      auto* p = still() ? running(node) : nullptr;
      if (!p || p->session == 0 || !std::exchange(sessions_[p->session].client_side, false)) return;
      give(p->id, liveness_session_lost{});
    });
    after(10 * second, [this, node, still] {
      if (!still()) return;
      for (auto& [id, s] : sessions_)
        if (proc(s.process).node == node) end_session(id, false);
    });
  }
  after(how_long, [this, a, b, both, node] {
    blocked_[a][b] = false;
    if (both) blocked_[b][a] = false;
    // The server closes what the client closed, and tells the client of what it closed itself.
    for (auto& [id, s] : sessions_)
      if (proc(s.process).node == node && s.server_side != s.client_side)
        after(chance_.between(1, 300) * ms, [this, number = id] { end_session(number, true); });
  });
}

void simulation::database_down(sim_time how_long) {
  if (!database_up_) return;
  say(nullptr, "the database goes down");
  database_up_ = false;
  std::vector<session_no> open; // whoever loses one opens another at once
  for (const auto& [id, s] : sessions_)
    if (s.server_side) open.push_back(id);
  for (const auto id : open) end_session(id, true);
  after(how_long, [this] {
    say(nullptr, "the database is back");
    database_up_ = true;
  });
}

void simulation::drain(std::size_t node) {
  auto* p = running(node);
  if (faults_over_ || !p || p->frozen) return;
  p->told_to_leave = true;
  give(p->id, drain_wanted{});
  after(26 * second + chance_.between(300, 3'000) * ms, [this, node] { start_process(node); });
  // It comes back soon after it has left.
  struct again {
    simulation* all;
    std::size_t node;
    void operator()() const {
      if (!all->running(node)) return all->start_process(node);
      if (!all->faults_over_) all->after(500 * ms, *this);
    }
  };
  after(1 * second, again{this, node});
}

void simulation::heal() {
  say(nullptr, "the faults are over");
  faults_over_ = true;
  for (auto& row : blocked_) row.assign(row.size(), false);
  for (auto& [id, s] : sessions_)
    if (s.server_side != s.client_side) after(ms, [this, number = id] { end_session(number, true); });
  database_up_ = true;
  database_extra_delay_ = 0;
  loss_ = duplication_ = commit_trouble_ = 0;
  for (auto& p : processes_)
    if (p->alive && p->frozen) thaw(p->id, now_, false);
  for (std::size_t node = 0; node < node_count_; ++node)
    after(chance_.between(1, 800) * ms, [this, node] { start_process(node); });
  after(second, [this, since = now_] { await_settled(since); });
}

void simulation::await_settled(sim_time since) {
  const auto why = unsettled();
  if (!why) {
    result_.settled_after = now_ - since;
    say(nullptr, "everything is served");
    for (auto& p : processes_)
      if (p->alive)
        for (shard_id shard = 0; shard < shard_count_; ++shard) ask(p->id, shard, 2 * second, true, {});
    return after(9 * second, [this] { final_checks(); });
  }
  if (now_ - since > 15 * second) return checker_.violated("not settled within 15 s after the faults: " + *why);
  after(50 * ms, [this, since] { await_settled(since); });
}

std::optional<std::string> simulation::unsettled() {
  std::vector<shard_taker> takers;
  for (std::size_t node = 0; node < node_count_; ++node) {
    auto* p = running(node);
    // A node that was told to leave comes back after it has left.
    if (!p) {
      start_process(node);
      return "node-" + std::to_string(node) + " does not run";
    }
    if (p->told_to_leave) return "node-" + std::to_string(node) + " has not left yet";
    if (p->protocol->self().where() != member_state::phase::up) return "node-" + std::to_string(node) + " is not up";
    takers.push_back({p->protocol->self().incarnation(), "node-" + std::to_string(node)});
  }
  auto* leader = process_of(db_.leader());
  if (!leader || leader->leading != db_.leader_epoch()) return "nobody leads";
  for (const auto& row : db_.rows()) {
    const auto shard = static_cast<shard_id>(row.shard);
    const auto text = "shard " + std::to_string(shard);
    auto* owner = process_of(row.incarnation);
    if (!owner) return text + " has no living owner";
    if (row.target != 0) return text + " is moving";
    if (owner->protocol->shards().active(shard) != row.epoch || !owner->shards.contains(shard))
      return text + " is not active at its owner";
    if (best_taker(takers, shard)->incarnation != row.incarnation) return text + " is not where it belongs";
  }
  return std::nullopt;
}

void simulation::final_checks() {
  over_ = true;
  if (const auto why = unsettled()) return checker_.violated("it did not stay settled: " + *why);
  for (std::size_t which = 0; which < db_.schedules.size(); ++which) {
    const auto& s = db_.schedules[which];
    if (s.next * s.interval < now_ - 3 * second)
      return checker_.violated("a tick that was due is not on record: " + std::to_string(s.next));
    for (std::int64_t n = 1; n < s.next; ++n) {
      const auto& t = db_.ticks.at({which, n});
      if (t.is == simulated_database::tick::status::open && n * s.interval < now_ - 5 * second)
        return checker_.violated("a tick was never handled: " + std::to_string(n));
      if (t.effects > 1) return checker_.violated("a tick was handled twice: " + std::to_string(n));
    }
  }
}

} // namespace tobit::cluster::simulation
