#include "runtime/entity/outbox_dispatcher.hpp"

#include "runtime/entity/outbox_rows.hpp"
#include "runtime/entity/restart_policy.hpp"
#include "runtime/entity/unit_parts.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <atomic>

namespace tobit::entity {

namespace {

constexpr std::chrono::milliseconds retry_after_max{3'600'000};
constexpr std::chrono::minutes purge_every{10};
constexpr std::size_t purge_rows = 5'000;
constexpr std::size_t lost_writes_max = 3;
constexpr std::chrono::milliseconds watch_every{100};

/// Tells the dispatcher how an attempt ended; at the latest when the handler has dropped it.
class attempt_ticket {
public:
  attempt_ticket(inbox<outbox_dispatcher>::sender to,
                 std::function<void(outbox_dispatcher&, const effect_outcome&)> report)
      : to_(std::move(to)), report_(std::move(report)) {}
  ~attempt_ticket() {
    report({effect_outcome::status::retry, "The attempt was given up.", error_code::unavailable, {}, {}});
  }
  attempt_ticket(const attempt_ticket&) = delete;
  attempt_ticket& operator=(const attempt_ticket&) = delete;
  void report(effect_outcome outcome) {
    if (used_.exchange(true)) return;
    to_([tell = report_, outcome = std::move(outcome)](outbox_dispatcher& self) { tell(self, outcome); });
  }

private:
  inbox<outbox_dispatcher>::sender to_;
  std::function<void(outbox_dispatcher&, const effect_outcome&)> report_;
  std::atomic<bool> used_{false};
};

} // namespace

outbox_dispatcher::outbox_dispatcher(entity_deps_ptr deps, std::vector<effect_handler*> handlers,
                                     std::shared_ptr<entity_gateway> entities, std::string owner, outbox_rights rights,
                                     inbox<outbox_dispatcher>& in)
    : deps_(std::move(deps))
    , owner_(std::move(owner))
    , rights_(std::move(rights))
    , inbox_(in)
    , messages_(entities, *deps_->time)
    , reports_(deps_, std::move(entities), owner_, rights_.settle, in,
               [this](const std::string& correlation) {
                 if (watchers_.watched(correlation)) compare(correlation);
               })
    , turns_(deps_->options.outbox.concurrency_per_source_max) {
  handlers_.emplace(messages_.type(), &messages_);
  for (auto* handler : handlers) handlers_.emplace(handler->type(), handler);
}

void outbox_dispatcher::start() {
  scan();
  reports_.scan();
  arm_scan();
  purge();
}

void outbox_dispatcher::stop(std::shared_ptr<void> until_stopped) {
  stopped_ = true;
  reports_.stop();
  until_stopped_ = std::move(until_stopped);
}

void outbox_dispatcher::take(std::vector<outgoing_effect> effects) {
  for (auto& effect : effects)
    if (!admit(std::move(effect))) rows_left_ = true;
  pump();
}

void outbox_dispatcher::take_up(shard_id shard) {
  taken_up_.push_back(shard);
  if (!taking_up_) write_taken_up();
}

/// One transaction for all shards that came meanwhile: after the death of a node that is many at a time.
void outbox_dispatcher::write_taken_up() {
  taking_up_ = !taken_up_.empty() && !stopped_;
  if (!taking_up_) return;
  storage::unit_of_work unit;
  for (const auto shard : std::exchange(taken_up_, {}))
    unit.statements.push_back(resume_shard_statement(shard, deps_->time->now()));
  deps_->db->write(std::move(unit), [send = inbox_.remote()](const result<storage::write_outcome>& done) {
    // Unwritten, the rows are due a little later by themselves.
    const bool written = done.has_value();
    send([written](outbox_dispatcher& self) {
      if (written && !self.stopped_) {
        self.scan();
        self.reports_.scan();
      }
      self.write_taken_up();
    });
  });
}

bool outbox_dispatcher::has_room(const entity_ref& source) const {
  const auto& limits = deps_->options.outbox;
  const auto of_source = held_of_.find(source);
  return held_.size() < limits.memory_max &&
         (of_source == held_of_.end() || of_source->second < limits.memory_per_source_max);
}

bool outbox_dispatcher::admit(outgoing_effect effect) {
  if (held_.count(effect.id) != 0) return true;
  if (!has_room(effect.source)) return false;
  auto& held_of_source = held_of_[effect.source];
  auto id = effect.id;
  const auto source = effect.source;
  auto handler = handlers_.find(effect.type);
  held_effect one{std::move(effect), handler == handlers_.end() ? nullptr : handler->second, {}, 0, {}};
  held_.emplace(id, std::move(one));
  ++held_of_source;
  turns_.wait(source, std::move(id));
  return true;
}

void outbox_dispatcher::pump() {
  while (!stopped_ && running_ < deps_->options.outbox.concurrency_max) {
    const auto id = turns_.next();
    if (!id) return;
    attempt(held_.at(*id)); // what waits is held: only what was attempted is let go of
  }
}

void outbox_dispatcher::attempt(held_effect& one) {
  ++running_;
  // Immediately before the act: a process that was frozen may have lost the shard meanwhile.
  const auto right = rights_.act(one.effect.source);
  if (!right) {
    return inbox_.remote()([id = one.effect.id, source = one.effect.source](outbox_dispatcher& self) {
      --self.running_;
      self.turns_.ended(source);
      if (const auto lost = self.held_.find(id); lost != self.held_.end()) self.forget(lost);
      self.pump();
    });
  }
  if (!one.acted_in) {
    one.acted_in = right->shard;
    ++acting_in_[right->shard];
  }
  one.attempt_at = deps_->time->now();
  if (one.effect.attempt > 1) one.effect.context = one.effect.context.child();
  auto ticket = std::make_shared<attempt_ticket>(
      inbox_.remote(),
      [id = one.effect.id, source = one.effect.source](outbox_dispatcher& self, const effect_outcome& outcome) {
        self.attempted(id, source, outcome);
      });
  if (!one.handler)
    return ticket->report({effect_outcome::status::failed,
                           "This node knows no effect '" + one.effect.type + "'.",
                           error_code::not_implemented,
                           {},
                           {}});
  try {
    one.handler->attempt(one.effect, [ticket](effect_outcome outcome) { ticket->report(std::move(outcome)); });
  } catch (const std::exception& e) {
    spdlog::error("effect_handler_threw effect={} id={} error=\"{}\"", one.effect.type, one.effect.id, e.what());
  }
}

void outbox_dispatcher::attempted(const std::string& id, const entity_ref& source, const effect_outcome& outcome) {
  --running_;
  turns_.ended(source);
  if (auto entry = held_.find(id); entry != held_.end()) {
    auto& one = entry->second;
    note_attempt(one, outcome);
    const bool again = outcome.status == effect_outcome::status::retry && one.handler &&
                       one.effect.attempt < one.handler->attempts_max();
    if (again) {
      postpone(id, outcome);
    } else {
      auto final_outcome = outcome;
      if (final_outcome.status == effect_outcome::status::retry) final_outcome.status = effect_outcome::status::failed;
      settle(id, final_outcome);
    }
  }
  pump();
}

void outbox_dispatcher::settle(const std::string& id, const effect_outcome& outcome) {
  auto entry = held_.find(id);
  if (entry == held_.end()) return;
  auto& one = entry->second;
  const auto right = rights_.settle(one.effect.source);
  if (!right) return forget(entry); // another node carries it on
  const auto now = deps_->time->now();
  auto unit = unit_of_settling(one.effect, *right, outcome, now);
  try {
    // Rows of the handler that cannot be written must not keep the effect from ending.
    if (one.handler && one.lost_writes < lost_writes_max)
      for (auto& row : one.handler->settle(one.effect, outcome, now)) unit.statements.push_back(std::move(row));
  } catch (const std::exception& e) {
    spdlog::error("effect_settle_threw effect={} id={} error=\"{}\"", one.effect.type, id, e.what());
  }
  deps_->db->write(std::move(unit), [send = inbox_.remote(), id, outcome](result<storage::write_outcome> done) {
    std::optional<error> problem;
    if (!done) problem = std::move(done.error());
    send([id, outcome, problem = std::move(problem)](outbox_dispatcher& self) { self.settled(id, outcome, problem); });
  });
}

void outbox_dispatcher::settled(const std::string& id, const effect_outcome& outcome,
                                const std::optional<error>& problem) {
  auto entry = held_.find(id);
  if (entry == held_.end()) return;
  const bool gone = problem && (problem->code == error_code::fenced || problem->code == error_code::not_found);
  if (problem && !gone) {
    // The act is done, only its record is missing: keep it and try to record it, never to act again.
    auto& one = entry->second;
    if (!describe(problem->code).retryable) ++one.lost_writes;
    spdlog::warn("effect_settle_failed id={} error=\"{}\"", id, problem->text());
    const auto& limits = deps_->options.outbox;
    inbox_.after(backed_off(one.lost_writes + 1, limits.pause_first, limits.pause_max, limits.jitter, deps_->random()),
                 [id, outcome](outbox_dispatcher& self) { self.settle(id, outcome); });
    return;
  }
  if (!problem && deps_->figures)
    deps_->figures->observe(telemetry::metric::outbox_delay,
                            std::chrono::duration<double>(deps_->time->now() - entry->second.effect.created_at).count(),
                            {entry->second.effect.type});
  const auto correlation = entry->second.effect.correlation;
  watchers_.note(correlation, id, outcome);
  if (const auto& effect = entry->second.effect; !problem && wants_report(effect, outcome))
    reports_.tell({effect.source, report_of(effect, outcome), effect.context, 0});
  forget(entry);
  if (watchers_.watched(correlation)) compare(correlation);
}

void outbox_dispatcher::postpone(const std::string& id, const effect_outcome& outcome) {
  auto entry = held_.find(id);
  if (entry == held_.end()) return;
  const auto& one = entry->second;
  const auto right = rights_.settle(one.effect.source);
  if (!right) return forget(entry);
  const auto& limits = deps_->options.outbox;
  const auto pause =
      std::max<std::chrono::microseconds>(backed_off(static_cast<std::size_t>(one.effect.attempt), limits.pause_first,
                                                     limits.pause_max, limits.jitter, deps_->random()),
                                          std::min(outcome.retry_after, retry_after_max));
  auto unit = unit_of_postponing(one.effect, *right, outcome.error, deps_->time->now() + pause);
  deps_->db->write(std::move(unit), [send = inbox_.remote(), id, pause](const result<storage::write_outcome>& done) {
    const bool stored = done.has_value();
    send([id, pause, stored](outbox_dispatcher& self) {
      auto held_one = self.held_.find(id);
      if (held_one == self.held_.end()) return;
      // Unstored, the row is due as before; the next look at the rows finds it.
      self.forget(held_one);
      if (stored && pause < self.deps_->options.outbox.scan_every)
        self.inbox_.after(pause, [](outbox_dispatcher& later) { later.scan(); });
    });
  });
}

void outbox_dispatcher::let_go(shard_id shard, std::shared_ptr<void> until_settled) {
  if (acting_in_.count(shard) != 0) let_go_[shard].push_back(std::move(until_settled));
}

void outbox_dispatcher::forget(held one) {
  if (const auto shard = one->second.acted_in) {
    if (auto acting = acting_in_.find(*shard); --acting->second == 0) {
      acting_in_.erase(acting);
      let_go_.erase(*shard);
    }
  }
  if (scanning_) ended_while_scanning_.insert(one->first);
  auto of_source = held_of_.find(one->second.effect.source);
  const auto left = --of_source->second;
  if (left == 0) held_of_.erase(of_source);
  held_.erase(one);
  const auto& limits = deps_->options.outbox;
  if (rows_left_ && held_.size() <= limits.memory_max / 2 && left <= limits.memory_per_source_max / 2) scan();
}

void outbox_dispatcher::note_attempt(const held_effect& one, const effect_outcome& outcome) {
  using status = enum effect_outcome::status;
  const bool failed = outcome.status != status::done;
  const auto word = !failed ? "done" : outcome.status == status::retry ? "retry" : "failed";
  if (deps_->figures) deps_->figures->count(telemetry::metric::outbox_effects, {one.effect.type, word});
  if (!deps_->spans || !(failed || deps_->spans->wants(one.effect.context))) return;
  const auto& context = one.effect.context;
  telemetry::span_record span{context.trace,
                              context.span,
                              context.parent,
                              one.effect.source.tenant,
                              "outbox " + one.effect.type,
                              one.attempt_at,
                              deps_->time->now() - one.attempt_at,
                              failed,
                              {{"effect", one.effect.id},
                               {"entity", to_string(one.effect.source)},
                               {"attempt", std::to_string(one.effect.attempt)}}};
  if (failed) span.attributes.emplace_back("error", storable(outcome.error, 500));
  deps_->spans->record(std::move(span));
}

void outbox_dispatcher::watch(const std::string& correlation, steady_time deadline, settle_watch::listener done) {
  if (correlation.empty()) return done(std::vector<effect_outcome>{});
  if (!watchers_.add(correlation, deadline, done)) return done(fail(error_code::overloaded));
  arm_expiry();
  compare(correlation);
}

void outbox_dispatcher::compare(const std::string& correlation) {
  deps_->db->read(correlated_effects_query(correlation),
                  [send = inbox_.remote(), correlation](result<storage::rows> rows) {
                    send([correlation, rows = std::move(rows)](outbox_dispatcher& self) {
                      if (rows)
                        self.watchers_.compare(correlation, *rows);
                      else
                        self.watchers_.fail_all(correlation, rows.error());
                    });
                  });
}

void outbox_dispatcher::arm_expiry() {
  if (expiry_armed_ || watchers_.empty()) return;
  expiry_armed_ = true;
  inbox_.after(watch_every, [](outbox_dispatcher& self) {
    self.expiry_armed_ = false;
    self.watchers_.expire(self.deps_->time->steady_now());
    // Other nodes settle effects too, and only the rows tell.
    if (self.deps_->shard_gone == error_code::fenced)
      for (const auto& correlation : self.watchers_.correlations()) self.compare(correlation);
    self.arm_expiry();
  });
}

void outbox_dispatcher::scan() {
  const auto memory = deps_->options.outbox.memory_max;
  scan_again_ = scanning_;
  if (scanning_ || stopped_ || held_.size() >= memory) return;
  scanning_ = true;
  // Rows that are held already are found again; so many more must be read to see new ones.
  const auto limit = std::min(memory, held_.size() + std::max<std::size_t>(memory / 4, 1));
  deps_->db->read(due_effects_query(owner_, deps_->time->now(), limit),
                  [send = inbox_.remote(), limit](result<storage::rows> rows) {
                    send([limit, rows = std::move(rows)](outbox_dispatcher& self) { self.scanned(rows, limit); });
                  });
}

void outbox_dispatcher::scanned(const result<storage::rows>& rows, std::size_t limit) {
  scanning_ = false;
  const auto ended = std::move(ended_while_scanning_);
  ended_while_scanning_.clear();
  if (!rows || stopped_) return;
  rows_left_ = rows->size() >= limit;
  for (const auto& row : rows->values) {
    const auto& id = storage::as_text(row[0]);
    if (held_.count(id) != 0 || ended.count(id) != 0) continue;
    if (!has_room({storage::as_text(row[1]), tenant_id{storage::as_text(row[2])}, storage::as_text(row[3])}) ||
        !admit(read_effect(row)))
      rows_left_ = true;
  }
  pump();
  if (scan_again_) scan();
}

void outbox_dispatcher::arm_scan() {
  inbox_.after(deps_->options.outbox.scan_every, [](outbox_dispatcher& self) {
    if (self.stopped_) return;
    if (self.deps_->figures)
      self.deps_->figures->set(telemetry::metric::outbox_waiting, static_cast<double>(self.held_.size()));
    self.scan();
    self.reports_.scan();
    self.arm_scan();
  });
}

void outbox_dispatcher::purge() {
  storage::unit_of_work unit;
  unit.statements.push_back(purge_statement(deps_->time->now() - deps_->options.outbox.retention, purge_rows));
  deps_->db->write(std::move(unit), [](const result<storage::write_outcome>&) {});
  inbox_.after(purge_every, [](outbox_dispatcher& self) {
    if (!self.stopped_) self.purge();
  });
}

} // namespace tobit::entity
