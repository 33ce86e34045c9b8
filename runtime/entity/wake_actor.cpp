#include "runtime/entity/wake_actor.hpp"

namespace tobit::entity {

caf::behavior wake_actor(caf::stateful_actor<wake_actor_state>* self, const entity_deps_ptr& deps,
                         const std::shared_ptr<entity_gateway>& entities, const std::string& owner,
                         const fence_lookup& rights) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::error&) {});
  self->state.start(deps, entities, owner, rights);
  return {[self](const job<wake_queue>& work) { work.run(self->state.queue()); }};
}

} // namespace tobit::entity
