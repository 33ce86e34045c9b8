#include "runtime/stream/topic.hpp"

#include <utility>

namespace tobit::stream {

bool topic::publish(const std::string& event, const std::shared_ptr<const std::string>& data) {
  std::lock_guard lock{lock_};
  if (retired_) return false;
  stream_item item{next_id_, event, data};
  kept_.push_back(item);
  pending_.push_back(std::move(item));
  ++next_id_;
  kept_bytes_ += data->size();
  while (!kept_.empty() && (kept_.size() > options_.replay_max || kept_bytes_ > options_.replay_bytes_max)) {
    kept_bytes_ -= kept_.front().data->size();
    kept_.pop_front();
  }
  // Published from inside a watcher: the delivery that called the watcher goes on with it, so that all see the same
  // order.
  if (!delivering_) deliver_pending();
  return true;
}

void topic::deliver_pending() {
  delivering_ = true;
  while (!pending_.empty()) {
    const auto item = std::move(pending_.front());
    pending_.pop_front();
    const auto now_watching = watchers_; // a watcher may change the list
    for (const auto& s : *now_watching) call(*s, item);
  }
  delivering_ = false;
}

void topic::call(subscription& s, const stream_item& item) noexcept {
  if (s.ended || item.id <= s.seen) return;
  s.seen = item.id;
  try {
    s.watch(item);
  } catch (...) {
    // A watcher that fails loses this item; the publisher and the other watchers have nothing to do with it.
  }
}

std::shared_ptr<void> topic::subscribe(std::uint64_t after_id, const event_bus::watcher& watch) {
  auto added = std::make_shared<subscription>();
  added->watch = watch;
  // The handle exists before the first call of `watch`, so that an exception below leaves no subscription behind.
  std::shared_ptr<void> handle(static_cast<void*>(added.get()),
                               [self = shared_from_this(), added](void*) { self->end(added); });
  std::lock_guard lock{lock_};
  if (retired_) return nullptr;
  const auto from_the_future = after_id >= next_id_;
  added->seen = after_id == 0 ? next_id_ - 1 : from_the_future ? 0 : after_id;
  const auto replay = kept_; // `watch` may publish
  for (const auto& item : replay) call(*added, item);
  auto next = std::make_shared<subscriptions>(*watchers_);
  next->push_back(added);
  watchers_ = std::move(next);
  return handle;
}

void topic::end(const std::shared_ptr<subscription>& gone) {
  std::lock_guard lock{lock_};
  gone->ended = true;
  auto next = std::make_shared<subscriptions>();
  next->reserve(watchers_->size());
  for (const auto& s : *watchers_)
    if (s != gone) next->push_back(s);
  watchers_ = std::move(next);
}

bool topic::try_retire() {
  std::unique_lock lock{lock_, std::try_to_lock};
  if (!lock || delivering_ || !watchers_->empty()) return false;
  retired_ = true;
  return true;
}

} // namespace tobit::stream
