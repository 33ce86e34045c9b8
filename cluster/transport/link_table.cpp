#include "cluster/transport/link_table.hpp"

#include "cluster/transport/steady_now.hpp"

#include <algorithm>
#include <utility>

namespace tobit::cluster {

namespace {

constexpr std::chrono::seconds let_go_most{2};

refuse_peer later(std::string sentence) { return {std::string(not_ready), std::move(sentence)}; }

link_table::admission refuse(refuse_peer refusal) {
  return {link_table::admission::verdict::refused, 0, {}, std::move(refusal)};
}

} // namespace

link_table::link_table(const link_options& options, hello self, link_events events, std::function<void()> wake)
    : options_(options), gate_(std::move(events)), wake_(std::move(wake)), self_(std::move(self)) {}

// -- the node --------------------------------------------------------------------------------------------------------

void link_table::greet_as(const hello& self) {
  {
    const std::lock_guard lock(mutex_);
    auto next = self;
    next.cluster_id = self_.cluster_id; // what our certificate says
    next.node = self_.node;
    if (next.incarnation != self_.incarnation) {
      const auto now = steady_now();
      for (auto& [peer, e] : entries_) {
        if (e.session) e.session->cut("This node has another incarnation now.");
        e.pause = {};
        e.dial_at = now;
      }
    }
    self_ = std::move(next);
  }
  wake_();
}

void link_table::connect(incarnation_no peer, std::string node, std::string address) {
  {
    const std::lock_guard lock(mutex_);
    if (gate_.is_shut() || peer <= 0) return;
    auto& e = entries_[peer];
    e.wanted = true;
    e.node = std::move(node);
    e.address = std::move(address);
  }
  wake_();
}

void link_table::disconnect(incarnation_no peer) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(peer);
    if (found == entries_.end()) return;
    found->second.wanted = false;
    if (found->second.session) found->second.session->cut("This node does not want the link any more.");
    if (found->second.at == stage::idle) entries_.erase(found);
  }
  wake_(); // a greeting under way is given up
}

bool link_table::send(incarnation_no peer, std::string frame) {
  std::shared_ptr<link_outlet> outlet;
  {
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(peer);
    if (found == entries_.end()) return false;
    const auto& e = found->second;
    if (e.at != stage::linked || !e.wanted || e.self != self_.incarnation) return false; // closing, as far as we know
    outlet = e.outlet;
  }
  return outlet->send(std::move(frame));
}

std::vector<link_status> link_table::status() const {
  const std::lock_guard lock(mutex_);
  std::vector<link_status> all;
  for (const auto& [peer, e] : entries_) {
    if (!e.wanted) continue;
    all.push_back({peer, e.node, e.address, e.at == stage::linked, e.last_error,
                   e.at == stage::linked ? e.outlet->queued() : 0, e.counts->sent.load(), e.counts->received.load()});
  }
  return all;
}

void link_table::stop() {
  gate_.shut();
  std::unique_lock lock(mutex_);
  for (auto& [peer, e] : entries_) {
    e.wanted = false;
    if (e.session) e.session->cut("This node is stopping.");
  }
  let_go_.wait_for(lock, let_go_most, [&] {
    return std::none_of(entries_.begin(), entries_.end(), [](const auto& e) { return e.second.session != nullptr; });
  });
}

// -- whoever connects ------------------------------------------------------------------------------------------------

std::vector<link_table::dial> link_table::due(steady_time now) {
  const std::lock_guard lock(mutex_);
  std::vector<dial> all;
  if (self_.incarnation == 0 || gate_.is_shut()) return all;
  for (auto& [peer, e] : entries_) {
    if (!e.wanted || e.at != stage::idle || !dials(peer) || e.dial_at > now) continue;
    if (cut_others(peer, e.node)) continue; // woken again when that one is gone
    e.at = stage::greeting;
    e.no = ++last_no_;
    e.self = self_.incarnation;
    all.push_back({e.no, peer, e.node, e.address, self_});
  }
  return all;
}

std::optional<steady_time> link_table::next_due() const {
  const std::lock_guard lock(mutex_);
  std::optional<steady_time> earliest;
  const auto by = [&](steady_time at) {
    if (!earliest || at < *earliest) earliest = at;
  };
  for (const auto& [peer, e] : entries_) {
    if (e.at == stage::joining) by(e.deadline);
    const bool blocked = std::any_of(entries_.begin(), entries_.end(), [&, node = e.node, own = peer](const auto& o) {
      return o.first != own && o.second.node == node && o.second.session;
    });
    if (self_.incarnation != 0 && e.wanted && e.at == stage::idle && dials(peer) && !blocked) by(e.dial_at);
  }
  return earliest;
}

void link_table::expire(steady_time now) {
  const std::lock_guard lock(mutex_);
  for (auto& [peer, e] : entries_)
    if (e.at == stage::joining && e.deadline <= now) e.session->cut("The other side did not open the link in time.");
}

link_table::admission link_table::admit(const said_hello& other, const std::string& address) {
  const std::lock_guard lock(mutex_);
  const auto id = other.who.incarnation;
  if (self_.incarnation == 0 || gate_.is_shut()) return refuse(later("Node '" + self_.node + "' has not joined yet."));
  if (other.link.to != self_.incarnation)
    return refuse(later("Node '" + self_.node + "' is incarnation " + std::to_string(self_.incarnation) + ", not " +
                        std::to_string(other.link.to) + " any more."));
  if (id <= self_.incarnation) return refuse(later("Node '" + self_.node + "' makes this connection itself."));
  const auto found = entries_.find(id);
  admission waiting{admission::verdict::wait,
                    0,
                    {},
                    later("Node '" + self_.node + "' does not know incarnation " + std::to_string(id) + " of '" +
                          tamed(other.who.node) + "' yet.")};
  if (found == entries_.end() || !found->second.wanted) return waiting;
  auto& e = found->second;
  if (e.node != other.who.node)
    return refuse({"wrong_node", "Incarnation " + std::to_string(id) + " is node '" + e.node +
                                     "' in the database, but '" + tamed(other.who.node) +
                                     "' uses it. Give each node its own name and database row."});
  waiting.refusal = later("The former link to node '" + e.node + "' is still closing.");
  if (cut_others(id, e.node)) return waiting;
  if (e.at == stage::greeting) waiting.no = e.no;
  if (e.session) e.session->cut("Node '" + e.node + "' made a new connection.");
  if (e.at != stage::idle) return waiting;
  e.at = stage::greeting;
  e.no = ++last_no_;
  e.self = self_.incarnation;
  if (!address.empty() && e.address.empty()) e.address = address;
  return {admission::verdict::welcome, e.no, self_, {}};
}

hello link_table::self() const {
  const std::lock_guard lock(mutex_);
  return self_;
}

void link_table::failed(std::uint64_t no, const std::string& why, steady_time now) {
  incarnation_no peer = 0;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [id, e] : entries_) {
      if (e.no != no || e.at != stage::greeting) continue;
      peer = id;
      e.last_error = why;
    }
  }
  if (peer == 0) return;
  tell_unlinked(peer); // still `greeting`: nobody else tells of this peer meanwhile
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = find(peer, no); found != entries_.end()) rest(found, now);
  }
  wake_();
}

std::shared_ptr<link_outlet> link_table::hand_over(const std::shared_ptr<link_session>& session, steady_time deadline) {
  const std::lock_guard lock(mutex_);
  const auto found = find(session->peer, session->no);
  if (found == entries_.end()) return nullptr;
  auto& e = found->second;
  if (!e.wanted || e.at != stage::greeting || e.self != self_.incarnation || gate_.is_shut()) return nullptr;
  if (cut_others(session->peer, e.node)) return nullptr;
  e.at = stage::joining;
  e.session = session;
  e.deadline = deadline;
  e.actor_ended = e.released = false;
  e.outlet = std::make_shared<link_outlet>(options_.frame_max, options_.queue_max, e.counts);
  return e.outlet;
}

void link_table::refused(const link_refusal& refusal) {
  gate_.tell([&](const link_events& events) {
    if (events.refused) events.refused(refusal);
  });
}

// -- the link's actor, and CAF's end of it ---------------------------------------------------------------------------

bool link_table::opened(std::uint64_t no, incarnation_no peer, steady_time now) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = find(peer, no);
    if (found == entries_.end()) return false;
    auto& e = found->second;
    if (e.at != stage::joining || !e.wanted || e.self != self_.incarnation) return false;
    e.at = stage::linked;
    e.linked_since = now;
    e.last_error.clear();
  }
  gate_.tell([&](const link_events& events) {
    if (events.linked) events.linked(peer);
  });
  return true;
}

void link_table::received(incarnation_no peer, std::string frame) {
  gate_.tell([&](const link_events& events) {
    if (events.received) events.received(peer, std::move(frame));
  });
}

void link_table::ended(std::uint64_t no, incarnation_no peer, const std::string& why) {
  std::shared_ptr<link_outlet> outlet;
  {
    const std::lock_guard lock(mutex_);
    const auto found = find(peer, no);
    if (found == entries_.end() || found->second.actor_ended) return;
    found->second.at = stage::closing;
    found->second.last_error = why;
    outlet = found->second.outlet;
  }
  outlet->close();
  tell_unlinked(peer);
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = find(peer, no); found != entries_.end()) {
      found->second.actor_ended = true;
      settle(found, steady_now());
    }
  }
  wake_();
}

void link_table::released(std::uint64_t no, incarnation_no peer) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = find(peer, no);
    if (found == entries_.end()) return;
    found->second.released = true;
    settle(found, steady_now());
  }
  wake_();
}

// -- inside ----------------------------------------------------------------------------------------------------------

link_table::entries::iterator link_table::find(incarnation_no peer, std::uint64_t no) {
  const auto found = entries_.find(peer);
  return found != entries_.end() && found->second.no == no ? found : entries_.end();
}

/// Cuts the connections of other incarnations of this node; true: there are some still.
bool link_table::cut_others(incarnation_no peer, const std::string& node) {
  bool some = false;
  for (auto& [id, e] : entries_) {
    if (id == peer || e.node != node || !e.session) continue;
    e.session->cut("Another incarnation of node '" + node + "' takes its place.");
    some = true;
  }
  return some;
}

/// Nothing is under way any more: dial again after a while, or forget it.
void link_table::rest(entries::iterator found, steady_time now) {
  auto& e = found->second;
  const bool lived = e.linked_since != steady_time{} && now - e.linked_since >= options_.dial_most;
  e.pause = lived || e.pause.count() == 0 ? options_.dial_first : std::min(e.pause * 2, options_.dial_most);
  e.linked_since = {};
  e.at = stage::idle;
  e.dial_at = now + e.pause;
  e.session.reset();
  e.outlet.reset();
  if (!e.wanted) entries_.erase(found);
}

void link_table::settle(entries::iterator found, steady_time now) {
  if (!found->second.actor_ended || !found->second.released) return;
  rest(found, now);
  let_go_.notify_all();
}

void link_table::tell_unlinked(incarnation_no peer) {
  gate_.tell([&](const link_events& events) {
    if (events.unlinked) events.unlinked(peer);
  });
}

} // namespace tobit::cluster
