#pragma once

#include "actors/event/event_appender.hpp"
#include "actors/event/event_router.hpp"
#include "runtime/entity/actor_inbox.hpp"

#include <caf/behavior.hpp>
#include <caf/stateful_actor.hpp>

namespace tobit::event {

/// The actor around the event appender. One per node, for the life of the event log; never blocks; writes through the
/// database's threads. A restart of the process reads the log's end and ids from the rows.
class event_appender_state {
public:
  static inline const char* name = "event_appender";
  explicit event_appender_state(caf::event_based_actor* self) : inbox_(self) {}
  void build(appender_deps deps) { owner_ = std::make_unique<event_appender>(std::move(deps), inbox_); }
  event_appender& owner() noexcept { return *owner_; }

private:
  entity::actor_inbox<event_appender> inbox_;
  std::unique_ptr<event_appender> owner_;
};
caf::behavior event_appender_actor(caf::stateful_actor<event_appender_state>* self, const appender_deps& deps);

/// The actor around the event router. One per node, for the life of the event log; never blocks. A restart of the
/// process begins at the stored watermark.
class event_router_state {
public:
  static inline const char* name = "event_router";
  explicit event_router_state(caf::event_based_actor* self) : inbox_(self) {}
  void build(const router_deps& deps, const router_limits& limits) {
    owner_ = std::make_unique<event_router>(deps, limits, inbox_);
  }
  event_router& owner() noexcept { return *owner_; }

private:
  entity::actor_inbox<event_router> inbox_;
  std::unique_ptr<event_router> owner_;
};
caf::behavior event_router_actor(caf::stateful_actor<event_router_state>* self, const router_deps& deps,
                                 const router_limits& limits);

} // namespace tobit::event

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::job<tobit::event::event_appender>)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::job<tobit::event::event_router>)
