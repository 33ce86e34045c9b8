#pragma once

#include "actors/event/event_limits.hpp"
#include "actors/event/event_log.hpp"
#include "runtime/intake/event_intake.hpp"
#include "runtime/time/clock.hpp"
#include "schemas/cluster/node_protocol.hpp"
#include "schemas/message.hpp"

#include <functional>
#include <memory>

namespace tobit::event {

/// All of it outlives the intake.
struct forwarding_deps {
  const clock* time = nullptr;
  event_limits limits;
  std::function<std::shared_ptr<event_log>()> local; ///< the log, if it is kept on this node now; else null
  /// Asks whoever keeps the log. The request may be repeated.
  std::function<void(call_context, message, std::function<void(result<message>)>)> ask_leader;
};

/// Where events enter on any node of a cluster. They are checked here and get their ids here; then they go to the
/// leader, which keeps the log. Because of the ids a request whose fate is unknown is simply sent again: the log knows
/// duplicates. Thread-safe.
std::unique_ptr<event_intake> make_forwarding_intake(forwarding_deps deps);

/// The leader's side of it: appends what another node sent. `fenced`: the log is not kept here.
void append_forwarded(const std::shared_ptr<event_log>& log, const call_context& context,
                      const cluster::append_events& request, std::function<void(result<message>)> reply);

} // namespace tobit::event
