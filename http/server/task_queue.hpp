#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace tobit::http::edge {

/// One piece of work for a worker. Destroyed unrun when the server stops.
class task {
public:
  virtual ~task() = default;
  virtual void run() = 0;
};

/// What waits for the workers. Thread-safe; may be kept longer than the workers live.
class task_queue {
public:
  /// Takes over all tasks; leaves the vector empty. After `close` they are dropped.
  void submit(std::vector<std::unique_ptr<task>>& batch);
  void submit(std::unique_ptr<task> one);
  /// Waits for a task; null once closed.
  std::unique_ptr<task> take();
  /// Wakes all workers for the last time and drops what waits.
  void close();
  std::size_t waiting() const noexcept { return waiting_.load(std::memory_order_relaxed); }

private:
  std::mutex mutex_;
  std::condition_variable arrived_;
  std::deque<std::unique_ptr<task>> tasks_;
  std::size_t idle_ = 0;
  bool closed_ = false;
  std::atomic<std::size_t> waiting_{0};
};

/// The threads that run tasks. A task that throws is logged and forgotten.
class worker_pool {
public:
  worker_pool(std::shared_ptr<task_queue> queue, std::size_t threads);
  ~worker_pool();
  worker_pool(const worker_pool&) = delete;
  worker_pool& operator=(const worker_pool&) = delete;
  /// True on a thread of any pool.
  static bool on_worker() noexcept;

private:
  std::shared_ptr<task_queue> queue_;
  std::vector<std::thread> threads_;
};

} // namespace tobit::http::edge
