#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tobit::http {

/// A few threads with a bounded queue, for work that would hold up others where it arises: password hashing, and going
/// on with a request after a storage thread brought what it needs. With zero threads, tasks run at once on the caller's
/// thread (tests).
class worker_pool {
public:
  worker_pool(std::size_t threads, std::size_t queue_max);
  ~worker_pool(); ///< finishes what runs, drops what waits
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;

  /// False if the queue is full or the pool stops; the task is dropped then. Tasks must not throw.
  bool post(std::function<void()> task);
  void stop();

private:
  void work();

  const std::size_t queue_max_;
  std::mutex guard_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> waiting_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

} // namespace tobit::http
