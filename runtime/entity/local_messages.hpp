#pragma once

#include "runtime/entity/delivery.hpp"

#include <caf/allowed_unsafe_message_type.hpp>

#include <functional>
#include <memory>

/// What the runtime's own actors say to each other. Never leaves the process, therefore without serialisation.
namespace tobit::entity {

struct resident;
class shard_host;
class entity_machine;
class outbox_dispatcher;
class wake_queue;

/// Work to be done inside the actor that owns an `Owner`.
template <class Owner>
struct job {
  std::function<void(Owner&)> run;
};

} // namespace tobit::entity

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::delivery_ptr)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::job<tobit::entity::shard_host>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::job<tobit::entity::entity_machine>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::job<tobit::entity::outbox_dispatcher>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::job<tobit::entity::wake_queue>)
