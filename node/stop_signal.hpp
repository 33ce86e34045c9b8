#pragma once

#include <csignal>

namespace tobit::node {

/// SIGINT and SIGTERM as something to wait for. Blocks both for this thread and those that it starts later, and ignores
/// SIGPIPE. One per process.
class stop_signal {
public:
  stop_signal();
  /// Waits for one of the two.
  void wait();
  /// From now on one of the two ends the process at once, as it does without us.
  void end_at_once_next_time();

private:
  sigset_t signals_;
};

} // namespace tobit::node
