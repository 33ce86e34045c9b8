#include "http/limit/worker_pool.hpp"

#include <utility>

namespace tobit::http {

worker_pool::worker_pool(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

worker_pool::~worker_pool() { stop(); }

bool worker_pool::post(std::function<void()> task) {
  if (threads_.empty()) {
    if (!stopping_) task();
    return !stopping_;
  }
  {
    std::lock_guard lock{guard_};
    if (stopping_ || waiting_.size() >= queue_max_) return false;
    waiting_.push_back(std::move(task));
  }
  wake_.notify_one();
  return true;
}

void worker_pool::stop() {
  std::deque<std::function<void()>> dropped;
  {
    std::lock_guard lock{guard_};
    stopping_ = true;
    dropped.swap(waiting_);
  }
  wake_.notify_all();
  // A task may hold the last reference to the pool's owner; a thread cannot join itself.
  for (auto& thread : threads_) {
    if (!thread.joinable()) continue;
    if (thread.get_id() == std::this_thread::get_id())
      thread.detach();
    else
      thread.join();
  }
}

void worker_pool::work() {
  std::unique_lock lock{guard_};
  while (true) {
    wake_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    if (stopping_) return;
    auto task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

} // namespace tobit::http
