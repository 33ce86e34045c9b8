#include "cluster/service/cluster_machine.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <time.h>

namespace tobit::cluster {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t open_requests_max = 100'000;
constexpr auto try_again = 20ms;

std::string_view state_of(const member_table::member& m) {
  return m.row.draining ? "draining" : m.row.lease_left.count() > 0 ? "up" : "overdue";
}

} // namespace

steady_time boot_now() noexcept {
  timespec at{};
  ::clock_gettime(CLOCK_BOOTTIME, &at);
  return steady_time{std::chrono::microseconds{std::int64_t{at.tv_sec} * 1'000'000 + at.tv_nsec / 1'000}};
}

void cluster_face::cast(const message& what, steady_time now) const {
  envelope e;
  e.kind = envelope_kind::cast;
  e.body = what;
  std::lock_guard lock{guard_};
  if (!links_ || linked_.empty()) return;
  const auto frame = encode_envelope(e, now);
  for (const auto peer : linked_) links_->send(peer, frame);
}

cluster_machine::cluster_machine(node_profile profile, const cluster_times& times, surroundings around, inbox& own)
    : around_(std::move(around)), own_(own), node_(std::move(profile), times) {}

void cluster_machine::begin(ways to, std::function<void(result<void>)> joined) {
  to_ = to;
  joined_ = std::move(joined);
  feed(start_node{});
}

void cluster_machine::detach() {
  detached_ = true;
  to_ = {};
  around_.face->set_acts_until(steady_time{});
  auto unanswered = std::move(open_);
  open_.clear();
  to_members_.clear();
  guests_.clear();
  for (auto& [token, one] : unanswered) one.what.reply(fail(error_code::unavailable));
  if (left_) std::exchange(left_, nullptr)();
}

void cluster_machine::leave(std::function<void()> done) {
  left_ = std::move(done);
  feed(drain_wanted{});
}

// -- running the protocol -------------------------------------------------------------------------------------------

void cluster_machine::feed(const cluster_input& input) {
  if (detached_) return;
  if (const auto* answer = std::get_if<database_answer>(&input); answer && answer->view.database_us != 0)
    if (around_.hooks.database_time) around_.hooks.database_time(from_micros(answer->view.database_us));
  inputs_.push_back(input);
  if (!handling_) handle_inputs();
}

void cluster_machine::handle_inputs() {
  handling_ = true;
  while (!inputs_.empty() && !detached_) {
    const auto input = std::move(inputs_.front());
    inputs_.pop_front();
    const auto outputs = node_.handle(input, boot_now());
    show(); // whoever may not act any more must not go on while the outputs are carried out
    for (const auto& output : outputs)
      if (!detached_) std::visit([this](const auto& o) { carry_out(o); }, output);
  }
  handling_ = false;
  if (detached_) return;
  try_members();
  arm();
}

/// What other threads see of this node.
void cluster_machine::show() {
  const auto& self = node_.self();
  around_.face->set_acts_until(self.member() ? self.acts_until() : steady_time{});
  if (self.incarnation() != greeted_as_) {
    greeted_as_ = self.incarnation();
    const auto& me = self.profile();
    to_.links->greet_as({me.cluster_id, me.node, greeted_as_, me.lowest_protocol, me.highest_protocol, me.build,
                         node_.leader().epoch(), node_.map().version()});
  }
  std::vector<incarnation_no> linked;
  for (const auto& [id, m] : node_.members().all())
    if (id != greeted_as_ && m.linked == member_table::member::link::up) linked.push_back(id);
  if (linked != linked_) around_.face->set_linked(linked_ = std::move(linked));
  std::vector<std::string> names;
  for (const auto& entry : node_.members().all()) names.push_back(entry.second.row.node);
  std::sort(names.begin(), names.end());
  if (names != member_names_ && self.member()) {
    member_names_ = std::move(names);
    if (around_.hooks.members) around_.hooks.members(member_names_);
  }
  if (node_.map().version() == shown_) return;
  shown_ = node_.map().version();
  std::vector<std::string> owners;
  for (shard_id shard = 0; shard < node_.map().size(); ++shard) owners.push_back(node_.map().at(shard).owner);
  around_.face->set_owners(std::move(owners));
}

void cluster_machine::arm() {
  const auto now = boot_now();
  const auto at = node_.wake_at(now);
  if (!at || (armed_for_ && *armed_for_ <= *at)) return;
  armed_for_ = at;
  own_.after(std::max(*at - now, std::chrono::microseconds{0}), [current = ++armed_](cluster_machine& self) {
    if (self.armed_ != current) return;
    self.armed_for_.reset();
    self.feed(time_passed{});
  });
}

void cluster_machine::carry_out(const run_command& o) { to_.store->run(o.id, o.command); }
void cluster_machine::carry_out(const close_liveness_session&) { to_.store->close_liveness_session(); }
void cluster_machine::carry_out(const connect_peer& o) { to_.links->connect(o.peer, o.node, o.address); }
void cluster_machine::carry_out(const disconnect_peer& o) { to_.links->disconnect(o.peer); }

void cluster_machine::carry_out(const tell_peer& o) {
  envelope e;
  e.kind = envelope_kind::say;
  e.body = o.what;
  send(o.peer, e);
}

void cluster_machine::carry_out(const activate_shard& o) {
  to_.entities->take_shard({o.shard, node_.self().profile().node, o.epoch});
}

void cluster_machine::carry_out(const stop_shard& o) {
  auto stopped = [post = own_.remote(), o](void*) {
    post([o](cluster_machine& self) { self.feed(shard_stopped{o.shard, o.epoch}); });
  };
  to_.entities->release_shard(o.shard, std::shared_ptr<void>(nullptr, std::move(stopped)));
}

void cluster_machine::carry_out(const abandon_shard& o) { to_.entities->abandon_shard(o.shard); }

void cluster_machine::carry_out(const start_leading& o) {
  if (around_.hooks.start_leading) around_.hooks.start_leading(o.epoch, node_.self().incarnation());
}
void cluster_machine::carry_out(const stop_leading& o) {
  if (around_.hooks.stop_leading) around_.hooks.stop_leading(o.epoch);
}

void cluster_machine::carry_out(const node_report& o) {
  using kind = node_report::kind;
  if (around_.hooks.report) around_.hooks.report(o);
  if (joined_ && o.what == kind::joined) std::exchange(joined_, nullptr)({});
  if (joined_ && o.what == kind::refused && node_.self().where() == member_state::phase::refused)
    std::exchange(joined_, nullptr)(fail(error_code::configuration_error, o.sentence));
  if (left_ && o.what == kind::left) std::exchange(left_, nullptr)();
}

// -- requests to entities -------------------------------------------------------------------------------------------

steady_time cluster_machine::to_boot(steady_time deadline) const {
  return deadline == steady_time::max() ? deadline : boot_now() + (deadline - around_.time->steady_now());
}

void cluster_machine::ask(asking one) {
  if (detached_) return one.reply(fail(error_code::unavailable));
  if (open_.size() >= open_requests_max)
    return one.reply(fail(error_code::overloaded, "Too many requests are on their way between the nodes; try again."));
  const auto token = ++last_token_;
  const auto at = open_.emplace(token, open_request{std::move(one), 0, 0, {}, false}).first;
  const auto& what = at->second.what;
  if (what.scope == request_scope::entity)
    return feed(request_arrived{token, what.shard, to_boot(what.context.deadline)});
  to_members_.insert(token);
  try_members();
}

void cluster_machine::carry_out(const serve_request& o) {
  if (auto entry = guests_.find(o.token); entry != guests_.end()) {
    auto one = std::move(entry->second);
    guests_.erase(entry);
    return serve_guest(o.token, std::move(one));
  }
  const auto entry = open_.find(o.token);
  if (entry == open_.end()) return;
  auto one = std::move(entry->second.what);
  open_.erase(entry);
  auto again = [post = own_.remote(), one](result<message> reply) {
    if (reply || reply.error().code != error_code::fenced) return one.reply(std::move(reply));
    // It left between two looks: the news of where it went are on their way.
    post([one](cluster_machine& self) {
      if (self.detached_) return one.reply(fail(error_code::unavailable));
      self.own_.after(try_again, [one](cluster_machine& later) { later.ask(one); });
    });
  };
  to_.entities->ask_here(one.ref, one.context, one.request, std::move(again));
}

void cluster_machine::carry_out(const forward_request& o) {
  const auto entry = open_.find(o.token);
  if (entry == open_.end()) return;
  auto& one = entry->second;
  one.at = o.to;
  one.attempt = o.attempt;
  envelope e;
  e.kind = envelope_kind::request;
  e.token = o.token;
  e.attempt = o.attempt;
  e.ref = one.what.ref;
  e.shard = o.shard;
  e.epoch = o.epoch;
  e.context = one.what.context;
  e.body = one.what.request;
  if (!send(o.to, e)) inputs_.push_back(request_returned{o.token, o.attempt});
}

void cluster_machine::carry_out(const return_request& o) {
  const auto entry = guests_.find(o.token);
  if (entry == guests_.end()) return;
  envelope e;
  e.kind = envelope_kind::returned;
  e.token = entry->second.request.token;
  e.attempt = entry->second.request.attempt;
  send(entry->second.from, e);
  guests_.erase(entry);
}

void cluster_machine::carry_out(const reject_request& o) {
  if (const auto entry = open_.find(o.token); entry != open_.end()) answer(entry, fail(o.code));
}

void cluster_machine::answer(open at, result<message> reply) {
  auto tell = std::move(at->second.what.reply);
  to_members_.erase(at->first);
  open_.erase(at);
  tell(std::move(reply));
}

void cluster_machine::take_guest(guest one) {
  if (detached_) return;
  const auto token = ++last_token_;
  const request_forwarded_here here{token, static_cast<shard_id>(one.request.shard), one.request.epoch};
  guests_.emplace(token, std::move(one));
  feed(here);
}

void cluster_machine::serve_guest(request_token, guest one) {
  auto reply = [post = own_.remote(), from = one.from, token = one.request.token,
                attempt = one.request.attempt](result<message> got) {
    post([from, token, attempt, got = std::move(got)](cluster_machine& self) {
      if (self.detached_) return;
      envelope e;
      e.token = token;
      e.attempt = attempt;
      e.kind = !got && got.error().code == error_code::fenced ? envelope_kind::returned : envelope_kind::reply;
      if (!got) e.problem = got.error();
      if (got) e.body = *got;
      self.send(from, e);
    });
  };
  auto& r = one.request;
  to_.entities->ask_here(std::move(r.ref), *r.context, std::move(r.body), std::move(reply));
}

void cluster_machine::take_reply(incarnation_no from, envelope got) {
  const auto entry = open_.find(got.token);
  if (entry == open_.end() || entry->second.at != from || entry->second.attempt != got.attempt) return;
  const bool entity = entry->second.what.scope == request_scope::entity;
  answer(entry, got.problem ? result<message>(fail(std::move(*got.problem))) : std::move(got.body));
  if (entity) feed(request_answered{got.token});
}

void cluster_machine::take_returned(incarnation_no from, const envelope& back) {
  const auto entry = open_.find(back.token);
  if (entry == open_.end() || entry->second.at != from || entry->second.attempt != back.attempt) return;
  if (entry->second.what.scope == request_scope::entity) return feed(request_returned{back.token, back.attempt});
  entry->second.at = 0;
  entry->second.next_try = boot_now() + try_again;
  try_members();
}

bool cluster_machine::send(incarnation_no to, const envelope& what) {
  return to_.links->send(to, encode_envelope(what, around_.time->steady_now()));
}

// -- requests to the leader and to nodes ----------------------------------------------------------------------------

void cluster_machine::try_members() {
  if (to_members_.empty()) return;
  const auto now = boot_now();
  for (const auto token : std::vector<request_token>(to_members_.begin(), to_members_.end()))
    if (const auto entry = open_.find(token); entry != open_.end()) try_member(entry, now);
  if (to_members_.empty() || std::exchange(ticking_, true)) return;
  own_.after(try_again, [](cluster_machine& self) {
    self.ticking_ = false;
    if (!self.detached_) self.try_members();
  });
}

void cluster_machine::try_member(open at, steady_time now) {
  auto& one = at->second;
  const auto& what = one.what;
  if (what.context.deadline <= around_.time->steady_now()) return answer(at, fail(error_code::deadline_exceeded));
  if (one.serving) return;
  if (one.at != 0) {
    if (node_.members().reachable(one.at)) return;
    // Whoever was asked is cut off: nobody knows what became of the request.
    if (!what.repeatable) return answer(at, fail(error_code::unavailable));
    one.at = 0;
  }
  if (now < one.next_try) return;
  const auto self = node_.self().incarnation();
  auto to = node_.leader().leader();
  if (what.scope == request_scope::node && what.node.empty()) {
    to = any_member();
  } else if (what.scope == request_scope::node) {
    const auto& all = node_.members().all();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& m) { return m.second.row.node == what.node; });
    if (self != 0 && found == all.end())
      return answer(at, fail(error_code::not_found, "The cluster has no node '" + what.node + "'."));
    to = found == all.end() ? 0 : found->first;
  }
  if (self == 0 || to == 0) return;
  if (to == self) return serve_here(at);
  if (!node_.members().reachable(to)) return;
  one.at = to;
  envelope e;
  e.kind = envelope_kind::request;
  e.scope = what.scope;
  e.token = at->first;
  e.attempt = ++one.attempt;
  e.context = what.context;
  e.body = what.request;
  if (send(to, e)) return;
  one.at = 0;
  one.next_try = now + try_again;
}

/// In turn, of those that can be reached and are to stay; 0: this node is no member.
incarnation_no cluster_machine::any_member() {
  std::vector<incarnation_no> fit;
  for (const auto& [id, m] : node_.members().all())
    if (!m.row.draining && (id == node_.self().incarnation() || node_.members().reachable(id))) fit.push_back(id);
  if (node_.self().incarnation() == 0 || fit.empty()) return node_.self().incarnation();
  return fit[turn_++ % fit.size()];
}

void cluster_machine::serve_here(open at) {
  const auto server = around_.desks->servers.find(at->second.what.request.name());
  if (server == around_.desks->servers.end()) return answer(at, fail(error_code::not_implemented));
  at->second.serving = true;
  const auto& what = at->second.what;
  auto done = [post = own_.remote(), token = at->first](result<message> got) {
    post([token, got = std::move(got)](cluster_machine& self) {
      const auto entry = self.open_.find(token);
      if (entry == self.open_.end()) return;
      auto& one = entry->second;
      one.serving = false;
      one.next_try = boot_now() + try_again;
      const bool elsewhere = !got && got.error().code == error_code::fenced && one.what.scope == request_scope::leader;
      if (!elsewhere) self.answer(entry, got);
    });
  };
  server->second(what.context, what.request, std::move(done));
}

void cluster_machine::ask_all(call_context context, message request,
                              std::function<void(std::vector<cluster_service::node_answer>)> done) {
  struct gathering {
    std::vector<cluster_service::node_answer> answers;
    std::function<void(std::vector<cluster_service::node_answer>)> done;
    std::mutex guard;
    std::size_t open = 0;
  };
  auto all = std::make_shared<gathering>();
  all->done = std::move(done);
  std::vector<std::string> names;
  for (const auto& [id, m] : node_.members().all()) names.push_back(m.row.node);
  if (names.empty()) return all->done({});
  all->open = names.size();
  for (const auto& name : names) {
    auto take = [all, name](result<message> got) {
      std::unique_lock lock{all->guard};
      all->answers.push_back({name, std::move(got)});
      if (--all->open > 0) return;
      lock.unlock();
      all->done(std::move(all->answers));
    };
    ask({request_scope::node, {}, 0, context, request, std::move(take), false, name});
  }
}

// -- for people -----------------------------------------------------------------------------------------------------

json cluster_machine::inspect() const {
  const auto& self = node_.self();
  const auto& map = node_.map();
  std::map<incarnation_no, std::size_t> held;
  json shards = json::array();
  for (shard_id shard = 0; shard < map.size(); ++shard) {
    const auto& row = map.at(shard);
    ++held[row.incarnation];
    shards.push_back({{"shard", shard},
                      {"owner", row.owner},
                      {"incarnation", row.incarnation},
                      {"epoch", row.epoch},
                      {"target", row.target == 0 ? json(nullptr) : json(row.target)}});
  }
  json nodes = json::array();
  const auto leader = node_.leader().leader();
  std::string leader_name;
  for (const auto& [id, m] : node_.members().all()) {
    const bool me = id == self.incarnation();
    if (id == leader) leader_name = m.row.node;
    nodes.push_back({{"node", m.row.node},
                     {"incarnation", id},
                     {"address", m.row.address},
                     {"status", state_of(m)},
                     {"protocol", {m.row.lowest_protocol, m.row.highest_protocol}},
                     {"lease_left_ms", std::chrono::duration_cast<std::chrono::milliseconds>(m.row.lease_left).count()},
                     {"shards", held[id]},
                     {"leader", id == leader},
                     {"linked", me || m.linked == member_table::member::link::up}});
  }
  return {
      {"cluster_id", self.profile().cluster_id},
      {"self", {{"node", self.profile().node}, {"incarnation", self.incarnation()}, {"acts", around_.face->may_act()}}},
      {"version", map.version()},
      {"nodes", std::move(nodes)},
      {"shards", std::move(shards)},
      {"leader", leader == 0 ? json(nullptr)
                             : json{{"node", leader_name}, {"incarnation", leader}, {"epoch", node_.leader().epoch()}}},
      {"requests_parked", node_.requests().parked()},
      {"requests_open", open_.size()}};
}

void cluster_machine::drain_node(const std::string& node, const std::string& reason,
                                 std::function<void(result<void>)> done) {
  for (const auto& [id, m] : node_.members().all()) {
    if (m.row.node != node) continue;
    if (id == node_.self().incarnation()) {
      feed(drain_wanted{});
      return done({});
    }
    envelope e;
    e.kind = envelope_kind::say;
    e.body = message::of(::tobit::cluster::drain_node{node, reason});
    if (!send(id, e))
      return done(fail(error_code::unavailable, "The node '" + node + "' is not linked to this one; ask it directly."));
    return done({});
  }
  done(fail(error_code::not_found, "The cluster has no node '" + node + "'."));
}

} // namespace tobit::cluster
