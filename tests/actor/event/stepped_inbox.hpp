#pragma once

#include "runtime/entity/inbox.hpp"
#include "runtime/time/clock.hpp"

#include <deque>
#include <map>
#include <memory>
#include <utility>

namespace tobit::testing {

/// An inbox whose work runs when the test says so; its timers follow a manual clock. For one thread.
template <class Owner>
class stepped_inbox final : public entity::inbox<Owner> {
public:
  using typename entity::inbox<Owner>::task;
  using typename entity::inbox<Owner>::sender;

  explicit stepped_inbox(manual_clock& time) : time_(time) {}

  sender remote() const override {
    return [work = work_](task t) { work->push_back(std::move(t)); };
  }
  void after(std::chrono::microseconds pause, task work) override {
    timers_.emplace(time_.steady_now() + pause, std::move(work));
  }

  /// Runs what is there and what is due, until nothing is left. True if anything ran.
  bool drain(Owner& owner) {
    bool any = false;
    while (true) {
      while (!timers_.empty() && timers_.begin()->first <= time_.steady_now()) {
        work_->push_back(std::move(timers_.begin()->second));
        timers_.erase(timers_.begin());
      }
      if (work_->empty()) return any;
      auto next = std::move(work_->front());
      work_->pop_front();
      next(owner);
      any = true;
    }
  }

private:
  manual_clock& time_;
  std::shared_ptr<std::deque<task>> work_ = std::make_shared<std::deque<task>>();
  std::multimap<steady_time, task> timers_;
};

} // namespace tobit::testing
