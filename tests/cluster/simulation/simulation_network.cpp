#include "tests/cluster/simulation/simulation.hpp"

namespace tobit::cluster::simulation {

/// Protocol messages may be lost, doubled and overtaken; requests and answers may only be lost, as over TCP.
void simulation::send(std::size_t from, std::size_t to, std::function<void()> deliver, bool control) {
  if (control && chance_.hit(loss_)) return;
  const int copies = control && chance_.hit(duplication_) ? 2 : 1;
  for (int i = 0; i < copies; ++i)
    after(chance_.between(100, message_delay_most_), [this, from, to, deliver] {
      if (!path_open(proc(from).node, proc(to).node)) return;
      in_process(to, deliver);
    });
}

void simulation::tell(process& from, incarnation_no to, const message& what) {
  auto* target = process_of(to);
  if (!target || !linked(from.id, target->id)) return;
  // Over the wire it is its name and its JSON.
  const auto again = decode_message(what.name(), *parse_json(to_text(what.encode())));
  if (!again) return checker_.violated("a message did not survive the wire: " + std::string{what.name()});
  if (options_.trace)
    say(&from, "→ " + std::to_string(to) + " " + std::string{what.name()} + " " + to_text(what.encode()));
  send(
      from.id, target->id,
      [this, to_id = target->id, to, peer = from.protocol->self().incarnation(), m = *again] {
        if (proc(to_id).protocol->self().incarnation() == to) give(to_id, peer_said{peer, m});
      },
      true);
}

bool simulation::linked(std::size_t a, std::size_t b) {
  auto found = links_.find({std::min(a, b), std::max(a, b)});
  return found != links_.end() && found->second.up;
}

/// What the link layer does: connects those who want each other and can, and drops connections whose heartbeat has
/// been missing for a second.
void simulation::check_links() {
  const auto wanted = wanted_links_;
  std::set<std::pair<std::size_t, std::size_t>> seen;
  for (const auto& [from, peer] : wanted) {
    auto* other = process_of(peer);
    if (!other || !proc(from).alive || other->id == from) continue;
    const auto a = std::min(from, other->id), b = std::max(from, other->id);
    if (!seen.insert({a, b}).second) continue;
    const auto &one = proc(a), &two = proc(b);
    auto& l = link(a, b);
    const bool good = path_open(one.node, two.node) && path_open(two.node, one.node) && !one.frozen && !two.frozen;
    if (good) l.broken_since = 0;
    if (!good && l.broken_since == 0) l.broken_since = now_;
    if (good && !l.up && one.protocol->self().member() && two.protocol->self().member())
      set_link(a, b, true);
    else if (!good && l.up && now_ - l.broken_since >= second)
      set_link(a, b, false);
    else if (!good && !l.up && now_ - l.broken_since >= second) {
      // Attempts to connect fail, too.
      l.broken_since = now_;
      give(from, peer_unlinked{peer});
    }
  }
  after(100 * ms, [this] { check_links(); });
}

void simulation::set_link(std::size_t a, std::size_t b, bool up) {
  auto& l = link(a, b);
  if (l.up == up) return;
  l.up = up;
  l.broken_since = 0;
  for (const auto& [self, other] : {std::pair{a, b}, std::pair{b, a}}) {
    const auto peer = proc(other).incarnation;
    if (options_.trace) say(&proc(self), (up ? "linked to " : "unlinked from ") + std::to_string(peer));
    if (up)
      give(self, peer_linked{peer});
    else
      give(self, peer_unlinked{peer});
  }
}

sim_time simulation::database_delay() {
  return chance_.between(200, database_delay_most_) +
         (database_extra_delay_ ? chance_.between(0, database_extra_delay_) : 0);
}

/// One transaction over the network: to the database, executed there, and back. The client gives up after its timeout,
/// then nobody can say what happened. `answered` runs exactly once, in the process.
void simulation::call_database(process& p, session_no on_session, std::function<database_answer()> execute,
                               std::function<void(const database_answer&)> answered) {
  const auto id = p.id, node = p.node;
  auto open = std::make_shared<bool>(true);
  const auto reply = [this, id, open, answered = std::move(answered)](database_answer a) {
    in_process(id, [open, answered, a = std::move(a)] {
      if (std::exchange(*open, false)) answered(a);
    });
  };
  const auto failed = [reply](outcome how) {
    database_answer a;
    a.result = how;
    reply(std::move(a));
  };
  const auto patience = std::chrono::microseconds{times_.command_timeout}.count();
  after(patience, [failed] { failed(outcome::unknown); });
  if (!path_open(node, node_count_)) return;
  if (!database_up_) return after(ms, [failed] { failed(outcome::failed); });
  after(database_delay(), [this, node, on_session, execute = std::move(execute), reply, failed] {
    if (!path_open(node, node_count_)) return;
    if (!database_up_) return failed(outcome::unknown);
    if (on_session != 0 && !sessions_[on_session].server_side) return failed(outcome::unknown);
    // A connection that breaks in the middle of a commit leaves both possibilities.
    if (chance_.hit(commit_trouble_)) {
      if (chance_.hit(0.5)) {
        execute();
        notify_all();
      }
      return failed(outcome::unknown);
    }
    auto a = execute();
    notify_all();
    after(database_delay(), [this, node, reply, a = std::move(a)] {
      if (path_open(node_count_, node)) reply(a);
    });
  });
}

void simulation::run_database_command(process& p, const run_command& c) {
  session_no on_session = 0;
  if (std::holds_alternative<register_node>(c.command) || std::holds_alternative<resume_node>(c.command)) {
    close_session_of(p);
    p.session = on_session = ++last_session_;
    sessions_[on_session] = {p.id, true, true};
  }
  call_database(
      p, on_session, [this, command = c.command, on_session] { return db_.execute(command, on_session, now_); },
      [this, id = p.id, number = c.id](const database_answer& a) {
        auto& me = proc(id);
        auto mine = a;
        mine.id = number;
        if (a.view.version != 0) me.database_offset = a.view.database_us - steady(me).time_since_epoch().count();
        if (options_.trace)
          say(&me, "← database #" + std::to_string(number) + " " +
                       (a.result == outcome::done      ? "done"
                        : a.result == outcome::refused ? std::string{to_string(a.why)}
                        : a.result == outcome::failed  ? "failed"
                                                       : "unknown"));
        give(id, mine);
      });
}

/// NOTIFY after each commit that changed the cluster, to every session that is still there.
void simulation::notify_all() {
  if (db_.version() == std::exchange(notified_, db_.version())) return;
  for (const auto& [id, s] : sessions_) {
    if (!s.server_side || !s.client_side || chance_.hit(0.1)) continue;
    after(database_delay(), [this, to = s.process, version = db_.version()] {
      if (proc(to).alive && path_open(node_count_, proc(to).node)) give(to, database_notified{version});
    });
  }
}

void simulation::end_session(session_no id, bool tell_client) {
  auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  auto& s = found->second;
  if (std::exchange(s.server_side, false)) db_.session_ended(id);
  auto& owner = proc(s.process);
  if (!tell_client || !path_open(node_count_, owner.node) || !std::exchange(s.client_side, false)) return;
  if (owner.session == id) give(s.process, liveness_session_lost{});
}

void simulation::close_session_of(process& p) {
  if (p.session == 0) return;
  const auto id = std::exchange(p.session, 0);
  auto& s = sessions_[id];
  if (!std::exchange(s.client_side, false)) return;
  if (path_open(p.node, node_count_)) after(chance_.between(100, 4 * ms), [this, id] { end_session(id, false); });
}

} // namespace tobit::cluster::simulation
