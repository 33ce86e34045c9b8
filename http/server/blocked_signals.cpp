#include "http/server/blocked_signals.hpp"

#include <csignal>
#include <pthread.h>

namespace tobit::http::edge {

void block_signals() noexcept {
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

} // namespace tobit::http::edge
