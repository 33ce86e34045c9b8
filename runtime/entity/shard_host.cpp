#include "runtime/entity/shard_host.hpp"

#include "runtime/entity/entity_actor.hpp"

#include <spdlog/spdlog.h>

namespace tobit::entity {

void shard_host::start(fence right, entity_deps_ptr deps, std::shared_ptr<resident_table> table) {
  right_ = std::move(right);
  deps_ = std::move(deps);
  table_ = std::move(table);
}

void shard_host::wake(const resident_ptr& who) {
  if (stopping_) return; // the table has given the waiting messages back
  if (loading_ >= deps_->options.activations_max)
    to_wake_.push_back(who);
  else
    activate(who);
}

void shard_host::activate(const resident_ptr& who) {
  ++loading_;
  auto actor = self_->spawn<caf::monitored>(entity_actor, who, right_, deps_, caf::actor_cast<caf::actor>(self_));
  children_.emplace(actor.id(), child{who, actor});
  if (deps_->figures) deps_->figures->count(telemetry::metric::entity_active, {who->ref.kind});
  table_->open(*who, actor);
  arm_sweep();
}

void shard_host::activated(caf::actor_id id) {
  if (auto entry = children_.find(id); entry != children_.end()) finish_loading(entry->second);
}

void shard_host::finish_loading(child& one) {
  if (!one.loading) return;
  one.loading = false;
  --loading_;
  if (stopping_ || to_wake_.empty() || loading_ >= deps_->options.activations_max) return;
  auto next = std::move(to_wake_.front());
  to_wake_.pop_front();
  activate(next);
}

void shard_host::let_go(child& one, bool at_once) {
  caf::anon_send(one.actor, job<entity_machine>{[at_once](entity_machine& machine) { machine.leave(at_once); }});
}

void shard_host::release(caf::actor_id id) {
  auto entry = children_.find(id);
  if (entry != children_.end() && table_->close(*entry->second.who)) let_go(entry->second, false);
}

void shard_host::down(const caf::down_msg& message) {
  auto entry = children_.find(message.source.id());
  if (entry == children_.end()) return;
  auto who = entry->second.who;
  // Not through the entry: waking the next one may move the map's elements.
  const bool was_loading = entry->second.loading;
  children_.erase(entry);
  if (deps_->figures) deps_->figures->count(telemetry::metric::entity_active, {who->ref.kind}, -1);
  if (was_loading) {
    child ended{who, nullptr, true};
    finish_loading(ended);
  }
  if (table_->gone(*who)) wake(who);
  end_if_empty();
}

void shard_host::sweep() {
  sweep_armed_ = false;
  const auto since = deps_->time->steady_now() - deps_->options.idle_after;
  for (auto& [id, one] : children_)
    if (!one.loading && table_->close(*one.who, since)) let_go(one, false);
  arm_sweep();
}

void shard_host::arm_sweep() {
  if (sweep_armed_ || children_.empty() || stopping_) return;
  sweep_armed_ = true;
  self_->delayed_send(self_, deps_->options.sweep_every, job<shard_host>{[](shard_host& host) { host.sweep(); }});
}

void shard_host::fenced() {
  if (stopping_) return;
  spdlog::error("shard_fenced shard={} epoch={} owner={}: another process owns it now", right_.shard, right_.epoch,
                right_.owner);
  if (deps_->shard_refused) deps_->shard_refused(right_);
  stop(nullptr);
}

void shard_host::stop(std::shared_ptr<void> until_stopped) {
  until_stopped_.push_back(std::move(until_stopped));
  if (!stopping_) {
    stopping_ = true;
    for (auto& message : table_->shut()) message->answer(fail(deps_->shard_gone));
    to_wake_.clear();
    for (auto& [id, one] : children_) {
      table_->close(*one.who);
      let_go(one, true);
    }
  }
  end_if_empty();
}

void shard_host::abandon() {
  for (auto& [id, one] : children_) caf::anon_send_exit(one.actor, caf::exit_reason::kill);
}

void shard_host::end_if_empty() {
  if (!stopping_ || !children_.empty()) return;
  until_stopped_.clear();
  self_->quit();
}

caf::behavior shard_host_actor(caf::stateful_actor<shard_host>* self, const fence& right, const entity_deps_ptr& deps,
                               const std::shared_ptr<resident_table>& table) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::error&) {});
  self->set_down_handler([self](caf::down_msg& message) { self->state.down(message); });
  self->state.start(right, deps, table);
  return {[self](const job<shard_host>& work) { work.run(self->state); }};
}

} // namespace tobit::entity
