#include "node/cli/request_window.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <utility>

namespace tobit::cli {

struct request_window::inbox {
  std::mutex guard;
  std::condition_variable arrived;
  std::deque<finished> answers;
};

request_window::request_window(node_client& node, std::size_t in_flight_max)
    : node_(node), in_flight_max_(in_flight_max), inbox_(std::make_shared<inbox>()) {}

request_window::~request_window() = default;

void request_window::start(std::size_t id, planned_request request) {
  auto& one = requests_[id];
  one.request = std::move(request);
  send(id, one);
}

void request_window::send(std::size_t id, pending& one) {
  ++one.attempts;
  one.again_at.reset();
  node_.start(one.request.method, one.request.path, one.request.body, one.request.content_type,
              [id, box = inbox_](outcome<node_answer> answer) {
                const std::lock_guard lock(box->guard);
                box->answers.push_back({id, std::move(answer)});
                box->arrived.notify_one();
              });
}

void request_window::send_due(moment now) {
  for (auto& [id, one] : requests_)
    if (one.again_at && *one.again_at <= now) send(id, one);
}

std::optional<request_window::finished> request_window::next(std::chrono::milliseconds patience) {
  if (requests_.empty()) return std::nullopt;
  send_due(std::chrono::steady_clock::now());
  std::optional<finished> first;
  {
    std::unique_lock lock(inbox_->guard);
    inbox_->arrived.wait_for(lock, patience, [this] { return !inbox_->answers.empty(); });
    if (inbox_->answers.empty()) return std::nullopt;
    first.emplace(std::move(inbox_->answers.front()));
    inbox_->answers.pop_front();
  }
  auto& one = requests_.at(first->id);
  if (!first->answer && first->answer.error().retryable() && one.attempts < attempts_max) {
    const auto growing = std::chrono::milliseconds{100 << one.attempts};
    const auto asked = std::min(first->answer.error().retry_after, std::chrono::seconds{60});
    one.again_at = std::chrono::steady_clock::now() + std::max<std::chrono::milliseconds>(growing, asked);
    return std::nullopt;
  }
  requests_.erase(first->id);
  return first;
}

} // namespace tobit::cli
