#include "cluster/membership/member_table.hpp"

#include <algorithm>

namespace tobit::cluster {

void member_table::take(const cluster_view& view, incarnation_no self, cluster_step& step) {
  if (view.version < version_) return;
  version_ = view.version;
  std::map<incarnation_no, member> now_there;
  for (const auto& row : view.members) {
    newest_ = std::max(newest_, row.incarnation);
    auto known = members_.find(row.incarnation);
    auto& m = now_there[row.incarnation];
    if (known != members_.end())
      m = known->second;
    else if (row.incarnation != self) {
      m.link_since = step.now;
      if (auto link = links_.find(row.incarnation); link != links_.end())
        m.linked = link->second ? member::link::up : member::link::down;
      step.say(connect_peer{row.incarnation, row.node, row.address});
    }
    m.row = row;
    const bool lapsed = row.lease_left.count() <= 0;
    m.lease_ends = step.now + (lapsed ? times_.retry : row.lease_left + std::chrono::milliseconds{1});
  }
  for (const auto& [id, m] : members_)
    if (id != self && !now_there.contains(id)) {
      links_.erase(id);
      step.say(disconnect_peer{id});
    }
  members_ = std::move(now_there);
}

void member_table::linked(incarnation_no peer, bool up, cluster_step& step) {
  links_[peer] = up;
  auto found = members_.find(peer);
  if (found == members_.end()) return;
  found->second.linked = up ? member::link::up : member::link::down;
  found->second.link_since = step.now;
}

void member_table::disconnect_all(cluster_step& step) {
  for (const auto& [id, m] : members_) links_.try_emplace(id, false);
  for (const auto& [id, up] : links_) step.say(disconnect_peer{id});
  members_.clear();
  links_.clear();
  version_ = 0;
}

const member_table::member* member_table::find(incarnation_no id) const {
  auto found = members_.find(id);
  return found == members_.end() ? nullptr : &found->second;
}

bool member_table::reachable(incarnation_no id) const {
  const auto* m = find(id);
  return m && m->linked == member::link::up;
}

bool member_table::cut_off(const member& m, steady_time now) const {
  return m.linked == member::link::down ||
         (m.linked == member::link::connecting && now >= m.link_since + times_.link_grace);
}

bool member_table::look_due(steady_time now) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& m) { return now >= m.second.lease_ends; });
}

void member_table::wake(std::optional<steady_time>& earliest, steady_time now) const {
  for (const auto& [id, m] : members_) {
    wake_by(earliest, m.lease_ends);
    const auto grace = m.link_since + times_.link_grace;
    if (m.linked == member::link::connecting && grace > now) wake_by(earliest, grace);
  }
}

} // namespace tobit::cluster
