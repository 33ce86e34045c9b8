#pragma once

#include "actors/poll/metric_source.hpp"
#include "runtime/time/clock.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace caf {
class actor_system;
}

namespace tobit::poll {

struct host_source_options {
  std::string proc = "/proc";
  std::chrono::milliseconds keep{1'000}; ///< a reading serves everybody for this long
};

/// The source "host": figures of the machine that this node runs on. Reads on a thread of its own, at most once per
/// `keep`; costs nothing while nobody asks. `system` and `time` outlive the source and its callbacks.
std::unique_ptr<metric_source> make_host_source(caf::actor_system& system, const clock& time,
                                                host_source_options options = {});

} // namespace tobit::poll
