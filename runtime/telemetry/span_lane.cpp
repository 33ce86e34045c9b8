#include "runtime/telemetry/span_lane.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace tobit::telemetry {

span_lane::span_lane(std::unique_ptr<span_outlet> outlet, const outlet_options& options, metrics* figures)
    : outlet_(std::move(outlet)), options_(options), figures_(figures) {
  // nop
}

void span_lane::add(const span_record& span) noexcept {
  std::lock_guard lock{guard_};
  try {
    if (waiting_.size() < options_.queue_max) {
      waiting_.push_back(span);
      return;
    }
  } catch (...) {
    // No memory: lost as if there was no place.
  }
  lose(1);
}

void span_lane::flush(steady_time now) {
  {
    std::lock_guard lock{guard_};
    if (busy_) return;
    if (pause_.count() > 0) resume_at_ = now + std::exchange(pause_, {});
    if (now < resume_at_) return;
    if (under_way_.empty()) {
      const auto count = static_cast<std::ptrdiff_t>(std::min(waiting_.size(), options_.batch_max));
      if (count == 0) return;
      under_way_.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(waiting_.begin() + count));
      waiting_.erase(waiting_.begin(), waiting_.begin() + count);
      attempts_ = 0;
    }
    busy_ = true;
    ++attempts_;
  }
  // While busy nobody else touches `under_way_`.
  outlet_->send(under_way_, [self = shared_from_this()](span_outlet::verdict verdict, std::chrono::milliseconds pause) {
    self->settled(verdict, pause);
  });
}

void span_lane::settled(span_outlet::verdict verdict, std::chrono::milliseconds pause) {
  std::lock_guard lock{guard_};
  busy_ = false;
  if (verdict == span_outlet::verdict::again && attempts_ < options_.attempts_max) {
    pause_ = std::max(pause, std::chrono::milliseconds{1});
    return;
  }
  if (verdict != span_outlet::verdict::taken) lose(under_way_.size());
  under_way_.clear();
}

void span_lane::close() {
  std::lock_guard lock{guard_};
  figures_ = nullptr;
  waiting_.clear();
}

void span_lane::lose(std::size_t spans) noexcept {
  if (figures_) figures_->count(metric::spans_dropped, {}, static_cast<double>(spans));
}

} // namespace tobit::telemetry
