#include "runtime/entity/outbox_actor.hpp"

namespace tobit::entity {

caf::behavior outbox_actor(caf::stateful_actor<outbox_actor_state>* self, const entity_deps_ptr& deps,
                           const std::vector<effect_handler*>& handlers,
                           const std::shared_ptr<entity_gateway>& entities, const std::string& owner,
                           const outbox_rights& rights) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::error&) {});
  self->state.start(deps, handlers, entities, owner, rights);
  return {[self](const job<outbox_dispatcher>& work) { work.run(self->state.dispatcher()); }};
}

} // namespace tobit::entity
