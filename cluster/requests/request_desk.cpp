#include "cluster/requests/request_desk.hpp"

#include <algorithm>

namespace tobit::cluster {

void request_desk::arrived(const request_arrived& r, const surroundings& around, cluster_step& step) {
  if (r.shard >= around.map.size() && around.map.size() != 0)
    return step.say(reject_request{r.token, error_code::not_found});
  auto [at, fresh] = requests_.try_emplace(
      r.token,
      request{.shard = r.shard, .deadline = r.deadline, .give_up = std::min(r.deadline, step.now + times_.park)});
  if (fresh) send_on(at, around, step);
}

void request_desk::send_on(entry r, const surroundings& around, cluster_step& step) {
  auto& [token, wanted] = *r;
  if (around.self != 0 && wanted.shard < around.map.size()) {
    if (const auto epoch = around.local.active(wanted.shard)) {
      step.say(serve_request{token, wanted.shard, epoch});
      return forget(r);
    }
    const auto& place = around.map.at(wanted.shard);
    if (place.incarnation != 0 && place.incarnation != around.self && around.members.reachable(place.incarnation)) {
      unpark(r);
      wanted.at = place.incarnation;
      set_alarm(r, wanted.deadline);
      step.say(forward_request{token, ++wanted.attempt, place.incarnation, wanted.shard, place.epoch});
      return;
    }
  }
  const bool parked_already = parked_.contains(wanted.shard) && parked_[wanted.shard].contains(token);
  if (!parked_already && parked_count_ >= times_.parked_max) {
    step.say(reject_request{token, error_code::overloaded});
    return forget(r);
  }
  park(r, wanted.give_up);
}

void request_desk::came_back(const request_returned& r, cluster_step& step) {
  auto found = requests_.find(r.token);
  if (found == requests_.end() || found->second.at == 0 || found->second.attempt != r.attempt) return;
  found->second.at = 0;
  park(found, std::min(found->second.give_up, step.now + times_.park_retry));
}

void request_desk::answered(request_token token) {
  auto found = requests_.find(token);
  if (found != requests_.end() && found->second.at != 0) forget(found);
}

void request_desk::peer_lost(incarnation_no peer, cluster_step& step) {
  for (auto at = requests_.begin(); at != requests_.end();) {
    const auto here = at++;
    if (here->second.at != peer) continue;
    step.say(reject_request{here->first, error_code::unavailable});
    forget(here);
  }
}

void request_desk::shard_changed(shard_id shard) { changed_.insert(shard); }
void request_desk::look_again() { all_changed_ = true; }

void request_desk::advance(const surroundings& around, cluster_step& step) {
  if (std::exchange(all_changed_, false))
    for (const auto& [shard, tokens] : parked_) changed_.insert(shard);
  for (const auto shard : std::exchange(changed_, {})) {
    auto parked = parked_.find(shard);
    if (parked == parked_.end()) continue;
    const auto tokens = parked->second;
    for (const auto token : tokens) send_on(requests_.find(token), around, step);
  }
  while (!alarms_.empty() && alarms_.begin()->first <= step.now) {
    const auto r = requests_.find(alarms_.begin()->second);
    const auto& wanted = r->second;
    if (step.now >= wanted.deadline || (wanted.at == 0 && step.now >= wanted.give_up)) {
      step.say(reject_request{r->first,
                              step.now >= wanted.deadline ? error_code::deadline_exceeded : error_code::unavailable});
      forget(r);
    } else {
      send_on(r, around, step);
    }
  }
}

void request_desk::park(entry r, steady_time again) {
  if (parked_[r->second.shard].insert(r->first).second) ++parked_count_;
  set_alarm(r, again);
}

void request_desk::unpark(entry r) {
  auto parked = parked_.find(r->second.shard);
  if (parked == parked_.end() || parked->second.erase(r->first) == 0) return;
  --parked_count_;
  if (parked->second.empty()) parked_.erase(parked);
}

void request_desk::set_alarm(entry r, steady_time at) {
  alarms_.erase({r->second.alarm, r->first});
  r->second.alarm = at;
  alarms_.insert({at, r->first});
}

void request_desk::forget(entry r) {
  unpark(r);
  alarms_.erase({r->second.alarm, r->first});
  requests_.erase(r);
}

void request_desk::wake(std::optional<steady_time>& earliest) const {
  if (!alarms_.empty()) wake_by(earliest, alarms_.begin()->first);
}

} // namespace tobit::cluster
