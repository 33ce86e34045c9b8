#pragma once

#include "runtime/entity/actor_inbox.hpp"
#include "runtime/entity/outbox_dispatcher.hpp"

#include <caf/behavior.hpp>
#include <caf/stateful_actor.hpp>

namespace tobit::entity {

/// The actor around the outbox dispatcher. One per node, for the life of the entity runtime; never blocks; a restart of
/// the process finds everything in the rows.
class outbox_actor_state {
public:
  static inline const char* name = "outbox";
  explicit outbox_actor_state(caf::event_based_actor* self) : inbox_(self) {}

  void start(entity_deps_ptr deps, std::vector<effect_handler*> handlers, std::shared_ptr<entity_gateway> entities,
             std::string owner, outbox_rights rights) {
    dispatcher_ = std::make_unique<outbox_dispatcher>(std::move(deps), std::move(handlers), std::move(entities),
                                                      std::move(owner), std::move(rights), inbox_);
    dispatcher_->start();
  }
  outbox_dispatcher& dispatcher() noexcept { return *dispatcher_; }

private:
  actor_inbox<outbox_dispatcher> inbox_;
  std::unique_ptr<outbox_dispatcher> dispatcher_;
};

caf::behavior outbox_actor(caf::stateful_actor<outbox_actor_state>* self, const entity_deps_ptr& deps,
                           const std::vector<effect_handler*>& handlers,
                           const std::shared_ptr<entity_gateway>& entities, const std::string& owner,
                           const outbox_rights& rights);

} // namespace tobit::entity
