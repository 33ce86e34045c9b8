#include "tests/cluster/simulation/simulation.hpp"

namespace tobit::cluster::simulation {

void simulation::client_asks() {
  if (over_) return;
  if (auto* edge = running(static_cast<std::size_t>(chance_.between(0, static_cast<std::int64_t>(node_count_) - 1)));
      edge && !edge->frozen)
    ask(edge->id, static_cast<shard_id>(chance_.between(0, shard_count_ - 1)), chance_.between(500, 8'000) * ms, false,
        {});
  after(chance_.between(5, 80) * ms, [this] { client_asks(); });
}

void simulation::ask(std::size_t edge, shard_id shard, sim_time patience, bool probe,
                     std::optional<std::pair<std::size_t, std::int64_t>> tick) {
  const auto token = ++last_token_;
  requests_[token] = {edge, shard, now_ + patience, false, false, probe, tick};
  ++result_.requests;
  at(now_ + patience + 300 * ms, [this, token] {
    const auto& r = requests_.at(token);
    if (!r.answered && !r.excused)
      checker_.violated("request " + std::to_string(token) + " had no answer by its deadline");
    requests_.erase(token);
  });
  give(edge, request_arrived{token, shard, steady(proc(edge)) + std::chrono::microseconds{patience}});
}

/// What the node's runtime does with a request: some work, then a write that proves the shard's epoch.
void simulation::serve(process& p, std::size_t origin, request_token token, shard_id shard, epoch_no epoch) {
  auto held = p.shards.find(shard);
  if (held == p.shards.end() || held->second.epoch != epoch)
    return checker_.violated("a request went to a shard that is not active: " + std::to_string(shard));
  ++held->second.busy;
  // The node that takes a request from a client answers for what it processes itself, too.
  if (auto asked = requests_.find(token); asked != requests_.end() && origin == p.id)
    at(asked->second.deadline,
       [this, id = p.id, token] { in_process(id, [this, token] { client_answered(token, false); }); });
  after(chance_.between(0, 5'000), [this, id = p.id, origin, token, shard, epoch] {
    in_process(id, [this, id, origin, token, shard, epoch] {
      auto& me = proc(id);
      auto here = me.shards.find(shard);
      if (here == me.shards.end() || here->second.epoch != epoch) return finish(me, origin, token, false);
      const auto self = me.protocol->self().incarnation();
      if (!me.protocol->may_act(steady(me))) {
        --here->second.busy;
        return finish(me, origin, token, false);
      }
      act_begins(me);
      const auto asked = requests_.find(token);
      const auto tick = asked == requests_.end() ? std::nullopt : asked->second.tick;
      call_database(
          me, 0,
          [this, self, shard, epoch, token, tick] {
            database_answer a;
            const bool ok = tick ? db_.write_tick(self, shard, epoch, tick->first, tick->second)
                                 : db_.write(self, shard, epoch, token);
            a.result = ok ? outcome::done : outcome::refused;
            return a;
          },
          [this, id, origin, token, shard, epoch](const database_answer& a) {
            auto& then = proc(id);
            if (auto busy = then.shards.find(shard); busy != then.shards.end() && busy->second.epoch == epoch)
              --busy->second.busy;
            if (a.result == outcome::refused) give(id, shard_refused{shard, epoch});
            finish(then, origin, token, a.result == outcome::done);
          });
    });
  });
}

void simulation::finish(process& p, std::size_t origin, request_token token, bool ok) {
  if (origin == p.id) return client_answered(token, ok);
  send(
      p.id, origin,
      [this, origin, token, ok] {
        give(origin, request_answered{token});
        client_answered(token, ok);
      },
      false);
}

void simulation::client_answered(request_token token, bool ok) {
  auto found = requests_.find(token);
  if (found == requests_.end() || std::exchange(found->second.answered, true)) return;
  const auto& r = found->second;
  if (ok) ++result_.succeeded;
  if (ok && !r.tick && !db_.holds(token))
    checker_.violated("request " + std::to_string(token) + " was acknowledged and is not there");
  if (!ok && r.probe)
    checker_.violated("after the faults, node-" + std::to_string(proc(r.edge).node) + " cannot reach shard " +
                      std::to_string(r.shard));
}

/// Whoever dies or stands still owes no answer: the client's connection is gone.
void simulation::dead_requests_excused(std::size_t id) {
  for (auto& [token, r] : requests_)
    if (r.edge == id) r.excused = true;
}

void simulation::stop_shard_soon(process& p, shard_id shard, epoch_no epoch) {
  const auto slow = options_.faults && chance_.hit(0.02) ? 6 * second : 40 * ms;
  after(chance_.between(500, slow), [this, id = p.id, shard, epoch] {
    in_process(id, [this, id, shard, epoch] {
      auto& me = proc(id);
      auto held = me.shards.find(shard);
      if (held == me.shards.end() || held->second.epoch != epoch) return;
      if (held->second.busy > 0) return stop_shard_soon(me, shard, epoch);
      me.shards.erase(held);
      give(id, shard_stopped{shard, epoch});
    });
  });
}

/// The leader's schedules: what is due goes on record in a transaction that proves the epoch, then to the entity, until
/// the ledger says that it was handled. Due is what is due by the database's clock.
void simulation::look_at_schedules(std::size_t id, epoch_no epoch) {
  in_process(id, [this, id, epoch] {
    auto& p = proc(id);
    if (p.leading != epoch) return;
    after(chance_.between(50, 150) * ms, [this, id, epoch] { look_at_schedules(id, epoch); });
    if (!p.protocol->may_lead(epoch, steady(p))) return;
    act_begins(p);
    const auto self = p.protocol->self().incarnation();
    const auto clock = options_.broken == mutation::wall_clock_schedules
                           ? now_ + p.wall_offset
                           : steady(p).time_since_epoch().count() + p.database_offset;
    auto open = std::make_shared<std::vector<std::pair<std::size_t, std::int64_t>>>();
    call_database(
        p, 0,
        [this, self, epoch, clock, open] {
          database_answer a;
          a.result = outcome::done;
          for (std::size_t which = 0; which < db_.schedules.size(); ++which) {
            auto& s = db_.schedules[which];
            while (s.next * s.interval <= clock) {
              const auto due = s.next * s.interval;
              if (due > now_ + 100 * ms) checker_.violated("a tick was fired before it was due");
              if (!db_.open_tick(self, epoch, which, s.next, clock - due > 5 * second)) {
                a.result = outcome::refused;
                return a;
              }
              ++result_.ticks;
            }
          }
          for (const auto& [key, t] : db_.ticks)
            if (t.is == simulated_database::tick::status::open) open->push_back(key);
          return a;
        },
        [this, id, epoch, open](const database_answer& a) {
          auto& me = proc(id);
          if (a.result == outcome::refused) give(id, leading_refused{epoch});
          if (a.result != outcome::done || me.leading != epoch) return;
          for (const auto& key : *open) {
            auto& sent = me.ticks_sent[key];
            if (sent != 0 && now_ - sent < 500 * ms) continue;
            sent = now_;
            ask(id, db_.schedules[key.first].shard, 2 * second, false, key);
          }
        });
  });
}

void simulation::act_begins(const process& p) {
  // A machine whose clocks stood still cannot know; there only the database protects.
  if (p.clock_stood) return;
  const auto self = p.protocol->self().incarnation();
  checker_.act_begins(self, db_.nodes().at(self).lease_until, now_);
}

} // namespace tobit::cluster::simulation
