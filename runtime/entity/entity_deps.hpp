#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/entity/entity_options.hpp"
#include "runtime/entity/interest_listener.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "runtime/entity/placement.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/stream/event_bus.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span.hpp"
#include "runtime/time/clock.hpp"

#include <functional>
#include <memory>

namespace tobit::entity {

/// What all entities of a node share. Everything outlives them.
struct entity_deps {
  storage::database* db = nullptr;
  const clock* time = nullptr;
  const kind_registry* kinds = nullptr;
  std::vector<interest_listener*> listeners;
  stream::event_bus* bus = nullptr;      ///< may be null
  telemetry::metrics* figures = nullptr; ///< may be null
  telemetry::span_sink* spans = nullptr; ///< may be null
  /// A write of a shard was refused because somebody else owns it; may be empty. Thread-safe.
  std::function<void(const fence&)> shard_refused;
  /// What a request is told that was not carried out because its shard leaves. In a cluster `fenced`, by which the
  /// router knows that it may look for the shard elsewhere.
  error_code shard_gone = error_code::unavailable;
  entity_options options;
  std::function<double()> random;                              ///< from [0, 1); thread-safe
  std::function<void(std::vector<outgoing_effect>)> carry_out; ///< takes committed effects; thread-safe
  std::function<void(const entity_ref&, utc_time)> wake_later; ///< the entity's row says this time; thread-safe
};
using entity_deps_ptr = std::shared_ptr<const entity_deps>;

} // namespace tobit::entity
