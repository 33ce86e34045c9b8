#include "http/server/task_queue.hpp"

#include "http/server/blocked_signals.hpp"

#include <spdlog/spdlog.h>

#include <exception>
#include <pthread.h>

namespace tobit::http::edge {
namespace {

thread_local bool is_worker = false;

void run_safely(task& work) noexcept {
  try {
    work.run();
  } catch (const std::exception& failure) {
    spdlog::error("http.handler_threw a request failed: {}", failure.what());
  } catch (...) {
    spdlog::error("http.handler_threw a request failed with an unknown exception");
  }
}

void work(task_queue& queue) {
  is_worker = true;
  block_signals();
  while (const auto next = queue.take()) run_safely(*next);
}

} // namespace

void task_queue::submit(std::vector<std::unique_ptr<task>>& batch) {
  if (batch.empty()) return;
  std::size_t wake = 0;
  {
    const std::lock_guard lock{mutex_};
    if (!closed_)
      for (auto& one : batch) tasks_.push_back(std::move(one));
    waiting_.store(tasks_.size(), std::memory_order_relaxed);
    wake = std::min(idle_, tasks_.size());
  }
  // Tasks that were refused are destroyed here, outside of the lock.
  batch.clear();
  while (wake-- > 0) arrived_.notify_one();
}

void task_queue::submit(std::unique_ptr<task> one) {
  std::vector<std::unique_ptr<task>> batch;
  batch.push_back(std::move(one));
  submit(batch);
}

std::unique_ptr<task> task_queue::take() {
  std::unique_lock lock{mutex_};
  if (tasks_.empty() && !closed_) {
    ++idle_;
    arrived_.wait(lock, [this] { return closed_ || !tasks_.empty(); });
    --idle_;
  }
  if (tasks_.empty()) return nullptr;
  auto next = std::move(tasks_.front());
  tasks_.pop_front();
  waiting_.store(tasks_.size(), std::memory_order_relaxed);
  return next;
}

void task_queue::close() {
  std::deque<std::unique_ptr<task>> dropped;
  {
    const std::lock_guard lock{mutex_};
    closed_ = true;
    dropped.swap(tasks_);
    waiting_.store(0, std::memory_order_relaxed);
  }
  arrived_.notify_all();
}

worker_pool::worker_pool(std::shared_ptr<task_queue> queue, std::size_t threads) : queue_(std::move(queue)) {
  for (std::size_t i = 0; i < threads; ++i) {
    threads_.emplace_back([shared = queue_] { work(*shared); });
    pthread_setname_np(threads_.back().native_handle(), "http-worker");
  }
}

worker_pool::~worker_pool() {
  queue_->close();
  for (auto& thread : threads_) thread.join();
}

bool worker_pool::on_worker() noexcept { return is_worker; }

} // namespace tobit::http::edge
