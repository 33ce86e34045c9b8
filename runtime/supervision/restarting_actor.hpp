#pragma once

#include <caf/all.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace tobit::supervision {

struct restart_policy {
  std::chrono::milliseconds first{1'000};    ///< pause before the first restart; doubles with each …
  std::chrono::milliseconds longest{60'000}; ///< … up to this
  std::chrono::milliseconds stable{60'000};  ///< after so long without a crash the pause starts over
};

/// Sent once to the handle: from now on every incarnation is sent the first words.
struct begin_incarnations {};

/// Keeps one actor running: the returned handle stands for whichever incarnation is alive. What is sent to it goes on
/// to that one, at the price of one more hop. While there is none, messages are dropped: for singletons that learn from
/// storage what they missed.
///
/// `make` spawns an incarnation. One that ends normally or is shut down ends the handle too; one that crashes is logged
/// as `<name>.crashed` and replaced after a pause. An exit message to the handle ends both.
caf::actor spawn_restarting(caf::actor_system& system, std::string name, std::function<caf::actor()> make,
                            caf::message first_words, const restart_policy& policy = {});

} // namespace tobit::supervision

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::supervision::begin_incarnations)
