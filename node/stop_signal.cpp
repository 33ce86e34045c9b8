#include "node/stop_signal.hpp"

#include <pthread.h>
#include <thread>
#include <unistd.h>

namespace tobit::node {

stop_signal::stop_signal() {
  std::signal(SIGPIPE, SIG_IGN);
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
}

void stop_signal::wait() {
  int received = 0;
  while (sigwait(&signals_, &received) != 0) {
    // interrupted by a debugger; wait on
  }
}

void stop_signal::end_at_once_next_time() {
  // All threads have the signals blocked; one that waits for them is the only way to hear the second one.
  std::thread([signals = signals_] {
    int received = 0;
    sigwait(&signals, &received);
    ::_exit(128 + received);
  }).detach();
}

} // namespace tobit::node
