#include "cluster/store/deadline_watch.hpp"

#include <algorithm>
#include <utility>

namespace tobit::cluster {

deadline_watch::deadline_watch(std::function<void(const command_ticket&, outcome)> tell)
    : tell_(std::move(tell)), thread_([this] { run(); }) {}

void deadline_watch::add(ticket_ptr ticket) {
  {
    std::lock_guard lock{guard_};
    const auto later =
        std::upper_bound(waiting_.begin(), waiting_.end(), ticket->deadline,
                         [](auto deadline, const ticket_ptr& other) { return deadline < other->deadline; });
    const bool next = later == waiting_.begin();
    waiting_.insert(later, std::move(ticket));
    if (!next) return; // the thread waits for an earlier one
  }
  changed_.notify_one();
}

void deadline_watch::hurry(std::vector<ticket_ptr> tickets) {
  {
    std::lock_guard lock{guard_};
    for (auto& ticket : tickets) hurried_.push_back(std::move(ticket));
  }
  changed_.notify_one();
}

void deadline_watch::stop() {
  {
    std::lock_guard lock{guard_};
    stopping_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void deadline_watch::run() {
  std::unique_lock lock{guard_};
  while (true) {
    auto due = std::exchange(hurried_, {});
    const auto now = command_ticket::clock::now();
    while (!waiting_.empty() && (stopping_ || waiting_.front()->answered() || waiting_.front()->deadline <= now)) {
      due.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    if (!due.empty()) {
      lock.unlock();
      give_up(due);
      lock.lock();
      continue;
    }
    if (stopping_) return;
    if (waiting_.empty())
      changed_.wait(lock);
    else
      changed_.wait_until(lock, waiting_.front()->deadline);
  }
}

void deadline_watch::give_up(const std::vector<ticket_ptr>& tickets) {
  for (const auto& ticket : tickets)
    if (const auto result = ticket->give_up()) tell_(*ticket, *result);
}

} // namespace tobit::cluster
