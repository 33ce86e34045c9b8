#include "actors/event/event_actors.hpp"

namespace tobit::event {

caf::behavior event_appender_actor(caf::stateful_actor<event_appender_state>* self, const appender_deps& deps) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::error&) {});
  self->state.build(deps);
  return {[self](const entity::job<event_appender>& work) { work.run(self->state.owner()); }};
}

caf::behavior event_router_actor(caf::stateful_actor<event_router_state>* self, const router_deps& deps,
                                 const router_limits& limits) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::error&) {});
  self->state.build(deps, limits);
  return {[self](const entity::job<event_router>& work) { work.run(self->state.owner()); }};
}

} // namespace tobit::event
