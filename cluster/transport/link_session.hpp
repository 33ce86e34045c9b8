#pragma once

#include "cluster/transport/frame_guard.hpp"
#include "cluster/transport/secure_stream.hpp"
#include "schemas/cluster/cluster_protocol.hpp"

#include <caf/actor_control_block.hpp>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace tobit::cluster {

/// One connection that proved itself, from the end of its greeting until CAF has forgotten it. Shared by the thread
/// that reads and writes it (CAF's I/O thread), the peer actor and the table of links.
class link_session {
public:
  std::uint64_t no = 0; ///< of the link; never used twice
  incarnation_no peer = 0;
  frame_guard::side side = frame_guard::side::dialled;
  std::string key; ///< see `link_terms`
  std::unique_ptr<secure_stream> stream;

  explicit link_session(int fd) : fd_(fd) {}

  /// What to call when it is released. Before anybody else has the session.
  void on_release(std::function<void()> call) { on_release_ = std::move(call); }

  /// Ends the connection at once, whatever waits to be sent. Any thread; the first reason counts.
  void cut(const std::string& why);
  /// CAF does not know the connection any more and will close the socket. Called once, by the scribe.
  void release();
  std::string why() const;

  /// Who is told `link_broken` when it ends.
  void set_actor(caf::strong_actor_ptr actor);

private:
  mutable std::mutex mutex_;
  int fd_;
  std::string why_;
  caf::strong_actor_ptr actor_;
  bool released_ = false;
  std::function<void()> on_release_;
};

} // namespace tobit::cluster
