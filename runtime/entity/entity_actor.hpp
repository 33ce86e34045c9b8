#pragma once

#include "runtime/entity/actor_inbox.hpp"
#include "runtime/entity/entity_machine.hpp"
#include "runtime/entity/resident_table.hpp"

#include <caf/actor.hpp>
#include <caf/behavior.hpp>
#include <caf/stateful_actor.hpp>

namespace tobit::entity {

/// The actor around one `entity_machine`: mailbox, storage answers and timers in, calls to the shard host out.
///
/// Lives from activation to passivation; sees its shard host and what `entity_deps` shares; never blocks. A crash of
/// the entity's logic does not end it (the machine restarts the logic and the messages behind wait); an exception of
/// the machine itself does, then the host starts another one for the next message.
class entity_actor_state : public entity_host {
public:
  static inline const char* name = "entity";
  explicit entity_actor_state(caf::event_based_actor* self) : self_(self), inbox_(self) {}

  void start(resident_ptr who, fence right, entity_deps_ptr deps, caf::actor host);
  entity_machine& machine() noexcept { return *machine_; }

  void activated() override;
  void wants_to_leave() override;
  void left() override;
  void fenced() override;

private:
  caf::event_based_actor* self_;
  actor_inbox<entity_machine> inbox_;
  resident_ptr who_;
  caf::actor host_;
  std::unique_ptr<entity_machine> machine_;
};

caf::behavior entity_actor(caf::stateful_actor<entity_actor_state>* self, const resident_ptr& who, const fence& right,
                           const entity_deps_ptr& deps, const caf::actor& host);

} // namespace tobit::entity
