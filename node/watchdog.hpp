#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <thread>
#include <unistd.h>

namespace tobit::node {

/// Ends the process if whoever made it has not finished after `patience`. For stopping: nothing acknowledged is lost by
/// a hard end, but a node that hangs while stopping keeps its successor from starting.
class watchdog {
public:
  explicit watchdog(std::chrono::milliseconds patience)
      : thread_([this, patience] {
        std::unique_lock lock{guard_};
        if (done_.wait_for(lock, patience, [this] { return finished_; })) return;
        std::fputs("tobit: stopping took too long and was cut off; what was acknowledged is stored.\n", stderr);
        ::_exit(3);
      }) {}
  ~watchdog() {
    {
      std::lock_guard lock{guard_};
      finished_ = true;
    }
    done_.notify_all();
    thread_.join();
  }
  watchdog(const watchdog&) = delete;
  watchdog& operator=(const watchdog&) = delete;

private:
  std::mutex guard_;
  std::condition_variable done_;
  bool finished_ = false;
  std::thread thread_;
};

} // namespace tobit::node
