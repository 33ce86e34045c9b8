#pragma once

#include "cluster/transport/link_outlet.hpp"
#include "cluster/transport/link_session.hpp"
#include "cluster/transport/link_table.hpp"
#include "cluster/transport/peer_frame.hpp"

#include <caf/all.hpp>
#include <caf/io/scribe.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

namespace tobit::cluster {

/// CAF has let go of the link's connection. Last message of a peer actor.
struct link_broken {};

/// What a peer actor is made of.
struct peer_actor_deps {
  std::shared_ptr<link_table> links;
  std::shared_ptr<link_session> session;
  std::shared_ptr<link_outlet> outlet;
  caf::io::scribe_ptr scribe; ///< of the dialling side; the listening side's is with CAF already
  std::chrono::milliseconds timeout{};
  std::size_t frame_max = 0;
};

struct peer_actor_state {
  static inline const char* name = "peer";
  peer_actor_state() = default;
  ~peer_actor_state();

  peer_actor_deps deps;
  caf::actor remote; ///< who opened the link, or whom we opened it with
  bool linked = false;
  std::string collected; ///< pieces of a frame
  bool collecting = false;
  std::uint64_t handled = 0, acknowledged = 0, acknowledge_every = 1; ///< in bytes of cost
};

/// What it is: one end of one link; tells the table when it opens, every frame, and when it breaks.
/// How long it lives: until CAF has let go of the connection; every link gets a new one.
/// What it sees: the other end, of which it believes nothing before it has shown the key of the greeting. It monitors
/// nobody: the end of the connection says more, and sooner, than CAF's down messages.
/// What it blocks on: nothing. What a restart does: there is none; if it dies its link is cut and made anew.
caf::behavior peer_actor(caf::stateful_actor<peer_actor_state>* self, peer_actor_deps deps);

} // namespace tobit::cluster

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::cluster::link_broken)
