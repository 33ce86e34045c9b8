#include "runtime/entity/entity_machine.hpp"

#include <algorithm>

/// How an entity is woken by time: what it wants, what its row says, and what the wake queue is told.
namespace tobit::entity {

wake_step entity_machine::wake_wanted(utc_time now) const {
  return logic_ ? next_wake(head_.wake_at, logic_->wake_at(), now) : wake_step{};
}

std::optional<utc_time> entity_machine::wake_to_note(utc_time now, bool woken) const {
  if (!head_.wake_at || !head_.enabled) return std::nullopt;
  // Whoever wants the next wake at once gets it, but not so that others get no turn.
  return woken ? std::max(*head_.wake_at, now + deps_->options.wake.pause_min) : *head_.wake_at;
}

void entity_machine::follow_wake(storage::unit_of_work& unit, pending_commit& pending, utc_time now, bool woken) {
  const auto step = wake_wanted(now);
  if (step.write) {
    unit.statements.push_back(wake_row(ref_, step.at));
    head_.wake_at = step.at;
  }
  if (step.write || woken) pending.wake_later = wake_to_note(now, woken);
}

void entity_machine::follow_wake_after_loading() {
  const auto now = deps_->time->now();
  if (wake_wanted(now).write) { // a newer release may see its state with other eyes
    auto unit = fenced_unit(right_);
    unit.statements.push_back(check_journal(ref_, head_.journal_seq));
    pending_commit pending;
    follow_wake(unit, pending, now, false);
    commit(std::move(unit), std::move(pending));
  } else if (const auto at = wake_to_note(now, false)) {
    deps_->wake_later(ref_, *at);
  }
}

void entity_machine::wake(const delivery_ptr& asked) {
  const auto now = deps_->time->now();
  std::optional<utc_time> wanted;
  try {
    wanted = logic_->wake_at();
  } catch (const std::exception& e) {
    return crash(std::string("wake_at: ") + e.what(), asked);
  }
  if (!head_.enabled) return hold(asked, message{});
  if (wanted && *wanted <= now) return decide(asked);
  // Too early: the entity has put its time off since the row was written. The logic need not know.
  const moment at{now, asked->context(), {}};
  commit_decision(asked, decision{}, at);
}

json entity_machine::timers() const {
  const auto wanted = logic_ && head_.enabled ? logic_->wake_at() : std::nullopt;
  return wanted ? json::array({{{"name", "wake"}, {"wake_at", to_rfc3339(*wanted)}}}) : json::array();
}

} // namespace tobit::entity
