#pragma once

#include "runtime/entity/actor_inbox.hpp"
#include "runtime/entity/wake_queue.hpp"

#include <caf/behavior.hpp>
#include <caf/stateful_actor.hpp>

namespace tobit::entity {

/// The actor around the wake queue. One per node, for the life of the entity runtime; talks to entities as everybody
/// does; never blocks; a restart of the process finds all times in the rows.
class wake_actor_state {
public:
  static inline const char* name = "wake";
  explicit wake_actor_state(caf::event_based_actor* self) : inbox_(self) {}

  void start(entity_deps_ptr deps, std::shared_ptr<entity_gateway> entities, std::string owner, fence_lookup rights) {
    queue_ =
        std::make_unique<wake_queue>(std::move(deps), std::move(entities), std::move(owner), std::move(rights), inbox_);
    queue_->start();
  }
  wake_queue& queue() noexcept { return *queue_; }

private:
  actor_inbox<wake_queue> inbox_;
  std::unique_ptr<wake_queue> queue_;
};

caf::behavior wake_actor(caf::stateful_actor<wake_actor_state>* self, const entity_deps_ptr& deps,
                         const std::shared_ptr<entity_gateway>& entities, const std::string& owner,
                         const fence_lookup& rights);

} // namespace tobit::entity
