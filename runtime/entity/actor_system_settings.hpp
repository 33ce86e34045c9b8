#pragma once

#include <caf/fwd.hpp>

#include <cstddef>

namespace tobit::entity {

/// Messages one actor handles before another one gets its turn. Lower is fairer, higher is faster.
inline constexpr std::size_t messages_per_turn = 300;

/// Settings that every actor system of the program uses: shared job queue (the default, work stealing, starves actors),
/// bounded turns, one worker per core unless `workers` says otherwise. To be called before the system is built.
void configure_actors(caf::actor_system_config& config, std::size_t workers = 0);

} // namespace tobit::entity
