#include "http/routes/readiness.hpp"

#include <algorithm>
#include <utility>

namespace tobit::http {

void readiness::add(std::string name, dependency_check check) {
  dependency added;
  added.name = std::move(name);
  added.check = std::move(check);
  dependencies_.push_back(std::move(added));
}

void readiness::set_phase(std::string phase) {
  std::lock_guard lock{guard_};
  phase_ = std::move(phase);
}

void readiness::look(std::function<void(const report&)> done) {
  std::vector<std::size_t> to_ask;
  std::optional<report> at_once;
  {
    std::lock_guard lock{guard_};
    const auto now = time_.steady_now();
    for (std::size_t i = 0; i < dependencies_.size(); ++i) {
      auto& d = dependencies_[i];
      if (d.asking || (d.known && now - d.asked_at < asked_every)) continue;
      d.asking = true;
      d.asked_at = now;
      to_ask.push_back(i);
    }
    if (all_known(now))
      at_once = write_report(now);
    else
      waiting_.push_back({now, std::move(done)});
  }
  if (at_once) done(*at_once);
  for (auto index : to_ask) ask(index);
}

void readiness::ask(std::size_t index) {
  dependencies_[index].check([self = weak_from_this(), index](const result<void>& outcome) {
    if (auto alive = self.lock()) alive->answered(index, outcome);
  });
}

void readiness::answered(std::size_t index, const result<void>& outcome) {
  std::vector<waiter> served;
  report now_known;
  {
    std::lock_guard lock{guard_};
    auto& d = dependencies_[index];
    const auto now = time_.steady_now();
    d.asking = false;
    d.known_at = now;
    d.known = verdict{d.name, outcome.has_value(), outcome ? std::string{} : std::string(outcome.error().text()),
                      now - d.asked_at};
    if (!all_known(now)) return;
    served.swap(waiting_);
    now_known = write_report(now);
  }
  for (auto& w : served) w.done(now_known);
}

void readiness::sweep() {
  std::vector<waiter> served;
  report as_it_is;
  {
    std::lock_guard lock{guard_};
    const auto now = time_.steady_now();
    const auto due =
        std::partition(waiting_.begin(), waiting_.end(), [&](auto& w) { return now - w.since < patience; });
    if (due == waiting_.end()) return;
    std::move(due, waiting_.end(), std::back_inserter(served));
    waiting_.erase(due, waiting_.end());
    as_it_is = write_report(now);
  }
  for (auto& w : served) w.done(as_it_is);
}

/// Whether each dependency has a verdict that is young enough to be told.
bool readiness::all_known(steady_time now) const {
  return std::all_of(dependencies_.begin(), dependencies_.end(), [now](const dependency& d) {
    return d.known && now - d.known_at < asked_every + patience && (!d.asking || now - d.asked_at < patience);
  });
}

readiness::report readiness::write_report(steady_time now) const {
  report out{phase_.empty(), {}};
  if (!phase_.empty()) out.checks.push_back({"node", false, "The node is " + phase_ + ".", {}});
  for (const auto& d : dependencies_) {
    const bool hangs = d.asking && now - d.asked_at >= patience;
    if (hangs || !d.known)
      out.checks.push_back({d.name, false, "No answer yet.", now - d.asked_at});
    else
      out.checks.push_back(*d.known);
    out.ready = out.ready && out.checks.back().ok;
  }
  return out;
}

} // namespace tobit::http
