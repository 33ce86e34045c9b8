#include "runtime/entity/entity_actor.hpp"

#include "runtime/entity/shard_host.hpp"

#include <spdlog/spdlog.h>

namespace tobit::entity {

void entity_actor_state::start(resident_ptr who, fence right, entity_deps_ptr deps, caf::actor host) {
  who_ = std::move(who);
  host_ = std::move(host);
  machine_ =
      std::make_unique<entity_machine>(who_->ref, std::move(right), std::move(deps), who_->figures, inbox_, *this);
  machine_->start();
}

void entity_actor_state::activated() {
  caf::anon_send(host_, job<shard_host>{[id = self_->id()](shard_host& host) { host.activated(id); }});
}

void entity_actor_state::wants_to_leave() {
  caf::anon_send(host_, job<shard_host>{[id = self_->id()](shard_host& host) { host.release(id); }});
}

void entity_actor_state::left() { self_->quit(); }

void entity_actor_state::fenced() {
  caf::anon_send(host_, job<shard_host>{[](shard_host& host) { host.fenced(); }});
}

caf::behavior entity_actor(caf::stateful_actor<entity_actor_state>* self, const resident_ptr& who, const fence& right,
                           const entity_deps_ptr& deps, const caf::actor& host) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::error&) {}); // nothing here asks anybody
  self->set_exception_handler([who](std::exception_ptr& problem) -> caf::error {
    try {
      std::rethrow_exception(problem);
    } catch (const std::exception& e) {
      spdlog::error("entity_actor_failed entity={} error=\"{}\"", to_string(who->ref), e.what());
    } catch (...) {
      spdlog::error("entity_actor_failed entity={} error=unknown", to_string(who->ref));
    }
    return caf::exit_reason::unhandled_exception;
  });
  self->state.start(who, right, deps, host);
  return {
      [self](const delivery_ptr& asked) { self->state.machine().deliver(asked); },
      [self](const job<entity_machine>& work) { work.run(self->state.machine()); },
  };
}

} // namespace tobit::entity
