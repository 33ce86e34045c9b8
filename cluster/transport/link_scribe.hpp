#pragma once

#include "cluster/transport/link_session.hpp"

#include <caf/actor_system.hpp>
#include <caf/io/scribe.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>

namespace tobit::cluster {

/// The session as CAF's broker for BASP wants it: its stream, with a guard before what is read and a bound on what
/// waits to be written. Owns the socket from now on; tells the session when CAF has let go of it. Precondition: CAF's
/// networking is loaded with its default multiplexer.
caf::io::scribe_ptr make_link_scribe(caf::actor_system& system, std::shared_ptr<link_session> session,
                                     std::uint32_t payload_max, std::size_t buffer_max);

} // namespace tobit::cluster
