#include "cluster/transport/link_session.hpp"

#include "cluster/transport/peer_actor.hpp"

#include <caf/all.hpp>

#include <sys/socket.h>

namespace tobit::cluster {

void link_session::cut(const std::string& why) {
  const std::lock_guard lock(mutex_);
  if (why_.empty()) why_ = why;
  if (fd_ >= 0) ::shutdown(fd_, SHUT_RDWR);
}

void link_session::release() {
  caf::strong_actor_ptr actor;
  {
    const std::lock_guard lock(mutex_);
    fd_ = -1;
    released_ = true;
    actor = std::move(actor_);
  }
  if (actor) caf::anon_send(caf::actor_cast<caf::actor>(actor), link_broken{});
  if (on_release_) on_release_();
}

std::string link_session::why() const {
  const std::lock_guard lock(mutex_);
  return why_.empty() ? "The connection was closed." : why_;
}

void link_session::set_actor(caf::strong_actor_ptr actor) {
  {
    const std::lock_guard lock(mutex_);
    if (!released_) {
      actor_ = std::move(actor);
      return;
    }
  }
  caf::anon_send(caf::actor_cast<caf::actor>(actor), link_broken{});
}

} // namespace tobit::cluster
