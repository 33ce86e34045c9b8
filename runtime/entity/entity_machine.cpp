#include "runtime/entity/entity_machine.hpp"

#include <algorithm>

namespace tobit::entity {

entity_machine::entity_machine(entity_ref ref, fence right, entity_deps_ptr deps,
                               std::shared_ptr<entity_figures> figures, inbox<entity_machine>& in, entity_host& host)
    : ref_(std::move(ref))
    , right_(std::move(right))
    , deps_(std::move(deps))
    , figures_(std::move(figures))
    , inbox_(in)
    , host_(host)
    , kind_(deps_->kinds->find(ref_.kind)) {}

bool entity_machine::ready() const noexcept {
  return mode_ == mode::live || mode_ == mode::quarantined || mode_ == mode::vacant || mode_ == mode::deleted;
}

void entity_machine::deliver(const delivery_ptr& asked) {
  if (mode_ == mode::gone || mode_ == mode::departing) return asked->answer(fail(deps_->shard_gone));
  if (ready() && waiting_.empty()) return handle(asked);
  // Whoever looks into an entity that is in trouble, or wants to end its pause, need not wait for the pause's end.
  const bool now =
      mode_ == mode::backing_off && (asked->request().as<inspect_entity>() || asked->request().as<control_entity>());
  if (now) return handle(asked);
  if (leaving_at_once_) return answer(asked, fail(deps_->shard_gone));
  waiting_.push_back(asked);
  arm_expiry();
}

void entity_machine::handle(const delivery_ptr& asked) {
  if (asked->context().deadline <= deps_->time->steady_now())
    return hold(asked, fail(error_code::deadline_exceeded, "The deadline passed while the request waited."));
  if (handle_lifecycle(asked)) return;
  if (mode_ == mode::live) return asked->request().as<wake_entity>() ? wake(asked) : decide(asked);
  if (mode_ == mode::quarantined)
    return hold(asked,
                fail(error_code::quarantined,
                     to_string(ref_) + " was set aside on " + to_rfc3339(head_.quarantined_at.value_or(utc_time{})) +
                         ". Last error: " + head_.last_error + ". Correct it with a new version, or revive it."));
  if (introduce(asked)) return;
  hold(asked, fail(error_code::not_found, ref_.kind + " " + ref_.key + " is not known."));
}

void entity_machine::decide(const delivery_ptr& asked) {
  const auto id = new_uuid();
  const moment at{deps_->time->now(), asked->context(), id};
  try {
    auto wanted = logic_->decide(asked->request(), at);
    if (!wanted) return hold(asked, fail(std::move(wanted.error())));
    for (const auto& event : wanted->events) logic_->apply(event);
    if (wanted->awake_until)
      figures_->awake_until_us.store(
          (deps_->time->steady_now() + (*wanted->awake_until - at.now)).time_since_epoch().count(),
          std::memory_order_relaxed);
    commit_decision(asked, std::move(*wanted), at);
  } catch (const std::exception& e) {
    crash(e.what(), asked);
  } catch (...) {
    crash("an exception of unknown type", asked);
  }
}

/// A large state is written less often than a small one: once the journal has grown as large as the snapshot was, and
/// of a very large one, which holds up everybody for as long as it is written, twice as large. So the snapshots cost no
/// more than the journal, or half of it; but a restart must not read for ever.
bool entity_machine::snapshot_pays(std::int64_t further) const noexcept {
  constexpr std::int64_t events_factor_max = 100;
  constexpr std::size_t large_bytes = 4u << 20;
  const auto events = events_since_snapshot_ + further,
             every = static_cast<std::int64_t>(deps_->options.snapshot_every);
  return events >= every && (journal_bytes_ >= snapshot_bytes_ * (snapshot_bytes_ > large_bytes ? 2 : 1) ||
                             events >= every * events_factor_max);
}

void entity_machine::commit_decision(const delivery_ptr& asked, decision wanted, const moment& at) {
  const bool woken = asked->request().as<wake_entity>();
  if (const auto* report = asked->request().as<effect_settled>())
    wanted.statements.push_back(close_report(report->effect_id));
  const bool writes =
      !wanted.events.empty() || !wanted.effects.empty() || !wanted.statements.empty() || wake_wanted(at.now).write;
  if (!writes && (in_flight_.empty() || wanted.publications.empty())) {
    if (deps_->bus)
      for (const auto& item : wanted.publications) deps_->bus->publish(ref_.tenant, item.topic, item.event, item.body);
    if (const auto again = woken ? wake_to_note(at.now, true) : std::nullopt) deps_->wake_later(ref_, *again);
    return hold(asked, std::move(wanted.reply));
  }
  auto unit = fenced_unit(right_);
  const auto from = head_.journal_seq;
  const auto to = from + static_cast<std::int64_t>(wanted.events.size());
  if (to == from) {
    unit.statements.push_back(check_journal(ref_, from));
  } else if (snapshot_pays(to - from)) {
    auto state = logic_->snapshot();
    snapshot_bytes_ = state.size();
    journal_bytes_ = 0;
    advance_with_snapshot(unit, ref_, from, to, std::move(state));
    head_.snapshot_seq = to;
  } else {
    unit.statements.push_back(advance_journal(ref_, from, to));
    for (std::int64_t seq = from + 1; seq <= to; ++seq) {
      auto row = journal_row(ref_, seq, wanted.events[static_cast<std::size_t>(seq - from - 1)], at.now);
      for (const auto& param : row.params) journal_bytes_ += storage::as_text(param).size();
      unit.statements.push_back(std::move(row));
    }
  }
  head_.journal_seq = to;
  events_since_snapshot_ = to - head_.snapshot_seq;
  pending_commit pending;
  auto reply = std::move(wanted.reply);
  say(std::move(wanted), at, unit, pending);
  follow_wake(unit, pending, at.now, woken);
  pending.answers.push_back({asked, std::move(reply)});
  commit(std::move(unit), std::move(pending));
}

void entity_machine::commit(storage::unit_of_work unit, pending_commit pending) {
  pending.number = ++commits_;
  in_flight_.push_back(std::move(pending));
  deps_->db->write(std::move(unit), [send = inbox_.remote(), number = commits_](result<storage::write_outcome> done) {
    std::optional<error> problem;
    if (!done) problem = std::move(done.error());
    send([number, problem = std::move(problem)](entity_machine& self) { self.committed(number, problem); });
  });
}

void entity_machine::committed(std::uint64_t number, const std::optional<error>& problem) {
  auto entry = std::find_if(in_flight_.begin(), in_flight_.end(), [&](const auto& p) { return p.number == number; });
  if (entry == in_flight_.end()) return; // the shard was lost meanwhile
  auto pending = std::move(*entry);
  in_flight_.erase(entry);
  if (problem)
    lose(pending, *problem);
  else
    finish(pending);
  if (mode_ == mode::settling) settle();
  try_leave();
}

void entity_machine::finish(pending_commit& done) {
  if (!done.effects.empty() && deps_->carry_out) deps_->carry_out(std::move(done.effects));
  if (done.wake_later && deps_->wake_later) deps_->wake_later(ref_, *done.wake_later);
  if (deps_->bus)
    for (const auto& item : done.publications) deps_->bus->publish(ref_.tenant, item.topic, item.event, item.body);
  if (done.notice) {
    for (auto* listener : deps_->listeners) {
      std::optional<json> spec;
      for (const auto& wish : done.notice->wanted)
        if (wish.source == listener->source()) spec = wish.spec;
      listener->interest_changed(ref_, done.notice->version, std::move(spec));
    }
  }
  for (auto& held : done.answers) answer(held.to, std::move(held.reply));
  if (done.leave_after && !leaving_) host_.wants_to_leave();
}

void entity_machine::lose(pending_commit& failed, const error& problem) {
  // Only the decision itself gets the database's reason; those that merely saw its result were not at fault.
  for (std::size_t i = 0; i < failed.answers.size(); ++i) {
    if (i == 0)
      answer(failed.answers[i].to, fail(problem));
    else
      answer(failed.answers[i].to, fail(error_code::unavailable));
  }
  // Whoever waits for a restart waits for a commit that is lost now, or was built on one.
  auto askers = std::move(restart_askers_);
  restart_askers_.clear();
  for (const auto& asked : askers) answer(asked, fail(problem));
  if (problem.code == error_code::fenced) return shard_lost();
  if (mode_ == mode::gone) return;
  if (mode_ == mode::departing) return; // the journal still holds what the snapshot would have held
  logic_.reset();
  if (mode_ != mode::settling) mode_ = mode::settling;
}

void entity_machine::hold(const delivery_ptr& to, result<message> reply) {
  if (in_flight_.empty())
    answer(to, std::move(reply));
  else
    in_flight_.back().answers.push_back({to, std::move(reply)});
}

void entity_machine::answer(const delivery_ptr& to, result<message> reply) {
  const auto now = deps_->time->steady_now();
  const auto took = now - to->arrived();
  const bool failed = !reply.has_value();
  constexpr auto relaxed = std::memory_order_relaxed; // only this actor writes
  figures_->handled.store(figures_->handled.load(relaxed) + 1, relaxed);
  if (failed) figures_->failed.store(figures_->failed.load(relaxed) + 1, relaxed);
  figures_->time_total_us.store(figures_->time_total_us.load(relaxed) + took.count(), relaxed);
  if (took.count() > figures_->time_longest_us.load(relaxed)) figures_->time_longest_us.store(took.count(), relaxed);
  if (deps_->figures) {
    using telemetry::metric;
    deps_->figures->count(metric::entity_messages,
                          {ref_.kind, failed ? describe(reply.error().code).name : std::string_view{"ok"}});
    deps_->figures->observe(metric::entity_duration, std::chrono::duration<double>(took).count(), {ref_.kind});
  }
  if (deps_->spans && (failed || deps_->spans->wants(to->context()))) {
    const auto& context = to->context();
    telemetry::span_record span{context.trace,
                                context.span,
                                context.parent,
                                ref_.tenant,
                                ref_.kind + ' ' + std::string(to->request().name()),
                                deps_->time->now() - took,
                                took,
                                failed,
                                {{"entity", to_string(ref_)}}};
    if (failed) span.attributes.emplace_back("error", storable(reply.error().text(), 500));
    deps_->spans->record(std::move(span));
  }
  to->answer(std::move(reply));
}

void entity_machine::refuse_waiting(const error& why) {
  auto waiting = std::move(waiting_);
  waiting_.clear();
  for (const auto& asked : waiting) answer(asked, fail(why));
  auto askers = std::move(restart_askers_);
  restart_askers_.clear();
  for (const auto& asked : askers) answer(asked, fail(why));
}

void entity_machine::arm_expiry() {
  if (expiry_armed_) return;
  expiry_armed_ = true;
  inbox_.after(deps_->options.expiry_every, [](entity_machine& self) { self.expire(); });
}

void entity_machine::expire() {
  expiry_armed_ = false;
  const auto now = deps_->time->steady_now();
  std::deque<delivery_ptr> still;
  for (auto& asked : waiting_) {
    if (asked->context().deadline > now)
      still.push_back(std::move(asked));
    else
      answer(asked, fail(error_code::deadline_exceeded, "The deadline passed while the entity was not ready."));
  }
  waiting_ = std::move(still);
  if (!waiting_.empty() && !ready()) arm_expiry();
  try_leave();
}

} // namespace tobit::entity
