#pragma once

#include "runtime/entity/inbox.hpp"
#include "runtime/entity/local_messages.hpp"

#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/send.hpp>

namespace tobit::entity {

/// The inbox of an actor that takes `job<Owner>`. Lives inside that actor.
template <class Owner>
class actor_inbox final : public inbox<Owner> {
public:
  using typename inbox<Owner>::task;
  using typename inbox<Owner>::sender;

  explicit actor_inbox(caf::event_based_actor* self) : self_(self) {}

  sender remote() const override {
    return [target = caf::actor_cast<caf::actor>(self_)](task work) {
      caf::anon_send(target, job<Owner>{std::move(work)});
    };
  }

  void after(std::chrono::microseconds pause, task work) override {
    self_->delayed_send(self_, pause, job<Owner>{std::move(work)});
  }

private:
  caf::event_based_actor* self_;
};

} // namespace tobit::entity
