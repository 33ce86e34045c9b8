#include "http/limit/step_window.hpp"

#include <mutex>
#include <utility>

namespace tobit::http {

struct step_window::progress {
  std::mutex guard;
  std::size_t begun = 0, ended = 0;
  bool pumping = false;
};

step_window::step_window(std::size_t count, std::size_t under_way_max, step begin, std::function<void()> finished)
    : count_(count)
    , under_way_max_(under_way_max)
    , begin_(std::move(begin))
    , finished_(std::move(finished))
    , progress_(std::make_unique<progress>()) {
  // nop
}

step_window::~step_window() = default;

void step_window::run(std::size_t count, std::size_t under_way_max, step begin, std::function<void()> finished) {
  if (count == 0) return finished();
  std::shared_ptr<step_window> window{new step_window(count, under_way_max, std::move(begin), std::move(finished))};
  window->pump();
}

// Keeps the window full. Steps that end while it runs, also on this very thread, only make room.
void step_window::pump() {
  std::unique_lock lock{progress_->guard};
  if (std::exchange(progress_->pumping, true)) return;
  while (progress_->begun < count_ && progress_->begun - progress_->ended < under_way_max_) {
    const auto index = progress_->begun++;
    lock.unlock();
    begin_(index, [self = shared_from_this()] { self->ended(); });
    lock.lock();
  }
  progress_->pumping = false;
}

void step_window::ended() {
  bool all = false;
  {
    std::lock_guard lock{progress_->guard};
    all = ++progress_->ended == count_;
  }
  if (all)
    finished_();
  else
    pump();
}

} // namespace tobit::http
