#include "runtime/outbound/transfer_queue.hpp"

#include <utility>

namespace tobit::outbound {

void transfer_queue::stand_in_line(const std::string& authority, host& h) {
  if (h.in_line || h.waiting.empty() || h.active >= active_per_host_max_) return;
  h.in_line = true;
  line_.push_back(authority);
}

void transfer_queue::forget_if_idle(std::map<std::string, host>::iterator h) {
  if (h->second.active == 0 && h->second.waiting.empty() && !h->second.in_line) hosts_.erase(h);
}

void transfer_queue::add(pending_transfer t) {
  const auto* key = t.what.get();
  const auto deadline = t.what->deadline();
  const auto& authority = t.what->authority();
  auto& h = hosts_[authority];
  const auto position = h.waiting.insert(h.waiting.end(), std::move(t));
  deadline_of_[key] = deadlines_.emplace(deadline, place{key->authority(), position});
  stand_in_line(key->authority(), h);
}

std::optional<pending_transfer> transfer_queue::next() {
  while (active_ < active_max_ && !line_.empty()) {
    const auto authority = std::move(line_.front());
    line_.pop_front();
    const auto found = hosts_.find(authority);
    auto& h = found->second;
    h.in_line = false;
    if (h.waiting.empty()) { // expired meanwhile
      forget_if_idle(found);
      continue;
    }
    auto chosen = std::move(h.waiting.front());
    h.waiting.pop_front();
    const auto deadline = deadline_of_.extract(chosen.what.get());
    deadlines_.erase(deadline.mapped());
    ++h.active;
    ++active_;
    stand_in_line(authority, h);
    return chosen;
  }
  return std::nullopt;
}

void transfer_queue::finished(const std::string& authority) {
  const auto found = hosts_.find(authority);
  --found->second.active;
  --active_;
  stand_in_line(authority, found->second);
  forget_if_idle(found);
}

std::vector<pending_transfer> transfer_queue::expire(steady_time now) {
  std::vector<pending_transfer> gone;
  while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
    const auto late = std::move(deadlines_.begin()->second);
    deadlines_.erase(deadlines_.begin());
    deadline_of_.erase(late.position->what.get());
    gone.push_back(std::move(*late.position));
    const auto found = hosts_.find(late.authority);
    found->second.waiting.erase(late.position);
    forget_if_idle(found);
  }
  return gone;
}

std::vector<pending_transfer> transfer_queue::clear() { return expire(steady_time::max()); }

steady_time transfer_queue::next_deadline() const noexcept {
  return deadlines_.empty() ? steady_time::max() : deadlines_.begin()->first;
}

} // namespace tobit::outbound
