#include "runtime/entity/actor_system_settings.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/atom.hpp>

#include <algorithm>
#include <thread>

namespace tobit::entity {

void configure_actors(caf::actor_system_config& config, std::size_t workers) {
  if (workers == 0) workers = std::max(1u, std::thread::hardware_concurrency());
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-throughput", messages_per_turn);
  config.set("scheduler.max-threads", workers);
}

} // namespace tobit::entity
