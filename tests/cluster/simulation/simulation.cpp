#include "tests/cluster/simulation/simulation.hpp"

#include <cinttypes>
#include <cstdio>

namespace tobit::cluster::simulation {

simulation::simulation(run_options options)
    : options_(options)
    , chance_(options.seed)
    , node_count_(static_cast<std::size_t>(chance_.between(3, 5)))
    , shard_count_(static_cast<shard_id>(chance_.between(4, 24)))
    , db_(shard_count_, "c-1") {
  blocked_.assign(node_count_ + 1, std::vector<bool>(node_count_ + 1, false));
  of_node_.assign(node_count_, SIZE_MAX);
  loss_ = chance_.hit(0.5) ? 0.0 : 0.05;
  duplication_ = chance_.hit(0.5) ? 0.0 : 0.05;
  message_delay_most_ = chance_.between(1, chance_.hit(0.2) ? 200 : 10) * ms;
  if (!options_.faults) {
    loss_ = duplication_ = 0;
    message_delay_most_ = 5 * ms;
  }
  times_.moves_at_once = static_cast<std::size_t>(chance_.between(1, 8));
  if (options_.broken == mutation::no_self_fencing) times_.margin = std::chrono::minutes{-10};
  db_.sabotage.no_shard_fence = options_.broken == mutation::no_shard_fence;
  db_.sabotage.no_leader_fence = options_.broken == mutation::no_leader_fence;
  db_.on_row = [this](const auto& before, const auto& after) {
    checker_.row_changed(before, after);
    ++result_.moves;
  };
  db_.on_leader = [this](auto before, auto after, auto holder) { checker_.leader_changed(before, after, holder); };
  db_.on_write = [this](auto by, auto shard, auto epoch) { checker_.wrote(by, shard, epoch); };
  db_.on_leader_act = [this](auto by, auto epoch) { checker_.leader_acted(by, epoch); };
  db_.on_doubled = [this](auto token) { checker_.violated("request " + std::to_string(token) + " was done twice"); };
  for (std::size_t i = 0; i < 3; ++i)
    db_.schedules.push_back({chance_.between(300, 3'000) * ms, 1, static_cast<shard_id>(i) % shard_count_});
}

run_result simulation::run() {
  for (std::size_t node = 0; node < node_count_; ++node)
    at(chance_.hit(0.5) ? 0 : chance_.between(0, 3'000) * ms, [this, node] { start_process(node); });
  at(0, [this] { check_links(); });
  at(1 * second, [this] { client_asks(); });
  if (options_.faults) at(chance_.between(0, 4) * second, [this] { misfortune(); });
  at(options_.fault_time, [this] { heal(); });
  while (!events_.empty() && !over_) {
    auto next = std::move(const_cast<event&>(events_.top()));
    events_.pop();
    now_ = next.at;
    next.what();
    ++result_.steps;
    if (checker_.violation()) break;
    if (result_.steps > 3'000'000) checker_.violated("the run does not end: something goes round in circles");
  }
  result_.violation = checker_.violation();
  result_.at = now_;
  if (result_.violation) say(nullptr, "VIOLATION: " + *result_.violation);
  return result_;
}

void simulation::at(sim_time when, std::function<void()> what) { events_.push({when, ++order_, std::move(what)}); }

void simulation::in_process(std::size_t id, std::function<void()> what) {
  auto& p = proc(id);
  if (!p.alive) return;
  if (p.frozen) return p.backlog.push_back(std::move(what));
  what();
}

steady_time simulation::steady(const process& p) const {
  return steady_time{std::chrono::microseconds{
      static_cast<sim_time>(static_cast<double>(now_ - p.started) * p.clock_rate) + p.clock_offset}};
}

void simulation::give(std::size_t id, cluster_input input) {
  in_process(id, [this, id, input = std::move(input)] {
    auto& p = proc(id);
    if (options_.trace) say_input(p, input);
    auto outputs = p.protocol->handle(input, steady(p));
    for (const auto& o : outputs) {
      if (!p.alive) return;
      carry_out(p, o);
    }
    if (p.alive) set_alarm(p);
  });
}

void simulation::set_alarm(process& p) {
  const auto number = ++p.wake;
  const auto wake = p.protocol->wake_at(steady(p));
  if (!wake) return;
  const auto left = (*wake - steady(p)).count();
  after(static_cast<sim_time>(static_cast<double>(left) / p.clock_rate) + 1, [this, id = p.id, number] {
    in_process(id, [this, id, number] {
      if (proc(id).wake == number) give(id, time_passed{});
    });
  });
}

void simulation::start_process(std::size_t node) {
  if (running(node)) return;
  auto p = std::make_unique<process>();
  p->id = processes_.size();
  p->node = node;
  p->started = now_;
  p->clock_rate = 1.0 + static_cast<double>(chance_.between(-50, 50)) / 10'000.0;
  p->clock_offset = chance_.between(0, 1'000) * second;
  p->wall_offset = chance_.hit(0.3) ? (chance_.hit(0.5) ? 3'600 : -3'600) * second : 0;
  node_profile profile;
  profile.node = "node-" + std::to_string(node);
  profile.address = "10.0.0." + std::to_string(node);
  profile.cluster_id = "c-1";
  p->protocol = std::make_unique<cluster_node>(profile, times_);
  of_node_[node] = p->id;
  say(p.get(), "starts");
  processes_.push_back(std::move(p));
  give(of_node_[node], start_node{});
}

void simulation::end_process(process& p, bool crash) {
  if (!p.alive) return;
  say(&p, crash ? "is killed" : "exits");
  p.alive = false;
  p.backlog.clear();
  p.shards.clear();
  dead_requests_excused(p.id);
  // The kernel closes the connections: peers and server see it at once, unless the network is cut.
  for (auto& [id, s] : sessions_)
    if (s.process == p.id && s.client_side) {
      s.client_side = false;
      if (path_open(p.node, node_count_))
        after(chance_.between(100, 4 * ms), [this, number = id] { end_session(number, false); });
    }
  for (auto& [ends, l] : links_)
    if (l.up && (ends.first == p.id || ends.second == p.id)) {
      const auto other = ends.first == p.id ? ends.second : ends.first;
      if (!path_open(p.node, proc(other).node)) continue;
      after(chance_.between(500, 3 * ms), [this, a = p.id, other] { set_link(a, other, false); });
    }
}

simulation::process* simulation::running(std::size_t node) {
  if (of_node_[node] == SIZE_MAX) return nullptr;
  auto& p = proc(of_node_[node]);
  return p.alive ? &p : nullptr;
}

simulation::process* simulation::process_of(incarnation_no incarnation) {
  auto found = by_incarnation_.find(incarnation);
  if (found == by_incarnation_.end()) return nullptr;
  auto& p = proc(found->second);
  return p.alive && p.protocol->self().incarnation() == incarnation ? &p : nullptr;
}

namespace {

std::string place(const auto& o) { return "shard " + std::to_string(o.shard) + "/" + std::to_string(o.epoch); }

std::string command_text(const database_command& c) {
  std::string text{name_of(c)};
  if (const auto* b = std::get_if<bury_node>(&c))
    text += " dead=" + std::to_string(b->dead) + (b->by_lock ? " by_lock" : "") +
            " shards=" + std::to_string(b->assignments.size());
  const auto list = [&](const std::vector<assignment>& all) {
    for (const auto& a : all)
      text += " " + std::to_string(a.shard) + "/" + std::to_string(a.from_epoch) + "→" + std::to_string(a.to);
  };
  if (const auto* a = std::get_if<assign_shards>(&c)) list(a->assignments);
  if (const auto* a = std::get_if<plan_moves>(&c)) list(a->moves);
  if (const auto* h = std::get_if<hand_over_shard>(&c))
    text += " " + std::to_string(h->shard) + "/" + std::to_string(h->epoch);
  return text;
}

} // namespace

void simulation::carry_out(process& p, const cluster_output& output) {
  std::visit([&](const auto& o) { on(p, o); }, output);
}

void simulation::on(process& p, const run_command& o) {
  if (options_.trace) say(&p, "→ database #" + std::to_string(o.id) + " " + command_text(o.command));
  run_database_command(p, o);
}

void simulation::on(process& p, const close_liveness_session&) { close_session_of(p); }
void simulation::on(process& p, const connect_peer& o) { wanted_links_.insert({p.id, o.peer}); }

void simulation::on(process& p, const disconnect_peer& o) {
  wanted_links_.erase({p.id, o.peer});
  if (auto found = by_incarnation_.find(o.peer); found != by_incarnation_.end())
    after(100, [this, a = p.id, b = found->second] { set_link(a, b, false); });
}

void simulation::on(process& p, const tell_peer& o) { tell(p, o.peer, o.what); }

void simulation::on(process& p, const activate_shard& o) {
  if (options_.trace) say(&p, "activates " + place(o));
  checker_.activated(o.shard, o.epoch, p.protocol->self().incarnation());
  p.shards[o.shard] = {o.epoch, 0, false};
}

void simulation::on(process& p, const stop_shard& o) {
  if (options_.trace) say(&p, "stops " + place(o));
  p.shards[o.shard].stopping = true;
  stop_shard_soon(p, o.shard, o.epoch);
}

void simulation::on(process& p, const abandon_shard& o) {
  if (options_.trace) say(&p, "abandons " + place(o));
  p.shards.erase(o.shard);
}

void simulation::on(process& p, const start_leading& o) {
  ++result_.leaders;
  p.leading = o.epoch;
  p.ticks_sent.clear();
  checker_.led(o.epoch, p.protocol->self().incarnation());
  after(0, [this, id = p.id, epoch = o.epoch] { look_at_schedules(id, epoch); });
}

void simulation::on(process& p, const stop_leading&) { p.leading = 0; }

void simulation::on(process& p, const serve_request& o) {
  auto from = p.foreign.find(o.token);
  const auto origin = from == p.foreign.end() ? p.id : from->second.first;
  if (from != p.foreign.end()) p.foreign.erase(from);
  if (options_.trace) say(&p, "serves request " + std::to_string(o.token) + " for " + place(o));
  serve(p, origin, o.token, o.shard, o.epoch);
}

void simulation::on(process& p, const forward_request& o) {
  if (options_.trace) say(&p, "→ " + std::to_string(o.to) + " request " + std::to_string(o.token) + " for " + place(o));
  auto* target = process_of(o.to);
  if (!target || !linked(p.id, target->id)) return;
  const request_forwarded_here here{o.token, o.shard, o.epoch};
  // The attempt travels with the message and comes back with it.
  send(
      p.id, target->id,
      [this, from = p.id, to = target->id, here, attempt = o.attempt, peer = o.to] {
        auto& receiver = proc(to);
        if (receiver.protocol->self().incarnation() != peer) return;
        receiver.foreign[here.token] = {from, attempt};
        give(to, here);
      },
      false);
}

void simulation::on(process& p, const return_request& o) {
  const auto [from, attempt] = p.foreign.at(o.token);
  p.foreign.erase(o.token);
  if (options_.trace) say(&p, "returns request " + std::to_string(o.token));
  send(
      p.id, from, [this, to = from, back = request_returned{o.token, attempt}] { give(to, back); }, false);
}

void simulation::on(process& p, const reject_request& o) {
  if (options_.trace) say(&p, "rejects request " + std::to_string(o.token) + ": " + std::string{describe(o.code).name});
  client_answered(o.token, false);
}

void simulation::on(process& p, const node_report& o) {
  say(&p, std::string{to_string(o.what)} + " incarnation=" + std::to_string(o.incarnation) +
              " epoch=" + std::to_string(o.epoch) + " " + o.sentence);
  result_.fenced += o.what == node_report::kind::fenced;
  result_.buried += o.what == node_report::kind::buried;
  if (o.what == node_report::kind::joined) {
    checker_.joined(o.incarnation);
    by_incarnation_[o.incarnation] = p.id;
    p.incarnation = o.incarnation;
    // The lease counts from when it was asked for.
    if (now_ > p.clock_stood_until + 2 * second) p.clock_stood = false;
  }
  if (o.what == node_report::kind::refused && !o.sentence.starts_with("Another running node"))
    checker_.violated("a node was refused: " + o.sentence);
  if (o.what == node_report::kind::left) after(500 * ms, [this, id = p.id] { end_process(proc(id), false); });
}

void simulation::say_input(const process& p, const cluster_input& input) const {
  if (std::holds_alternative<liveness_session_lost>(input)) say(&p, "lost its liveness session");
  if (std::holds_alternative<drain_wanted>(input)) say(&p, "is told to drain");
  if (const auto* e = std::get_if<peer_said>(&input))
    say(&p, "← " + std::to_string(e->peer) + " " + std::string{e->what.name()});
  if (const auto* e = std::get_if<request_arrived>(&input))
    say(&p, "← request " + std::to_string(e->token) + " for shard " + std::to_string(e->shard));
}

void simulation::say(const process* who, const std::string& what) const {
  if (!options_.trace) return;
  if (!who)
    std::printf("%10.6f            %s\n", static_cast<double>(now_) / 1e6, what.c_str());
  else
    std::printf("%10.6f node-%zu/%-3" PRId64 " %s\n", static_cast<double>(now_) / 1e6, who->node, who->incarnation,
                what.c_str());
}

run_result run_seed(std::uint64_t seed, mutation broken, bool trace) {
  run_options options;
  options.seed = seed;
  options.broken = broken;
  options.trace = trace;
  simulation one{options};
  return one.run();
}

std::string_view to_string(mutation m) noexcept {
  switch (m) {
  case mutation::none:
    return "none";
  case mutation::no_self_fencing:
    return "no_self_fencing";
  case mutation::no_shard_fence:
    return "no_shard_fence";
  case mutation::no_leader_fence:
    return "no_leader_fence";
  case mutation::wall_clock_schedules:
    return "wall_clock_schedules";
  }
  return "unknown";
}

} // namespace tobit::cluster::simulation
