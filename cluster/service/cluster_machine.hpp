#pragma once

#include "cluster/cluster_node.hpp"
#include "cluster/service/cluster_service.hpp"
#include "cluster/service/envelope.hpp"
#include "runtime/entity/inbox.hpp"

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <unordered_map>

namespace tobit::cluster {

/// The clock that the protocol runs on: CLOCK_BOOTTIME, which also counts while the process, or the machine, sleeps.
steady_time boot_now() noexcept;

/// What other threads may look at without asking the machine.
class cluster_face {
public:
  void set_acts_until(steady_time at) noexcept { acts_until_us_.store(at.time_since_epoch().count()); }
  bool may_act() const noexcept {
    return boot_now().time_since_epoch().count() < acts_until_us_.load(std::memory_order_relaxed);
  }
  void set_owners(std::vector<std::string> owners) {
    std::lock_guard lock{guard_};
    owners_ = std::move(owners);
  }
  /// Straight to the links, past the machine, so that what follows on the same link cannot overtake it.
  void cast(const message& what, steady_time now) const;
  void set_links(peer_links* links) {
    std::lock_guard lock{guard_};
    links_ = links;
  }
  void set_linked(std::vector<incarnation_no> peers) {
    std::lock_guard lock{guard_};
    linked_ = std::move(peers);
  }
  std::string owner_of(shard_id shard) const {
    std::lock_guard lock{guard_};
    return shard < owners_.size() ? owners_[shard] : std::string{};
  }

private:
  std::atomic<std::int64_t> acts_until_us_{0};
  mutable std::mutex guard_;
  std::vector<std::string> owners_;
  std::vector<incarnation_no> linked_;
  peer_links* links_ = nullptr;
};

/// Who answers which message; complete before the start, read by all threads after it.
struct message_desks {
  std::map<std::string, cluster_service::server, std::less<>> servers;
  std::map<std::string, std::function<void(const message&)>, std::less<>> listeners;
};

/// Runs the protocol of one node and carries out what it decides. Lives inside one actor per node, from the node's
/// start to its stop; never blocks: links, store and entities answer later, through the inbox. A restart of the process
/// is a new incarnation.
class cluster_machine {
public:
  using inbox = entity::inbox<cluster_machine>;
  using reply_handler = cluster_service::reply_handler;
  struct surroundings {
    const clock* time = nullptr;
    cluster_hooks hooks;
    std::shared_ptr<const message_desks> desks;
    std::shared_ptr<cluster_face> face;
  };
  /// The ways out; they outlive the machine's actor until `detach`.
  struct ways {
    peer_links* links = nullptr;
    store_gateway* store = nullptr;
    entity::entity_runtime* entities = nullptr;
  };

  cluster_machine(node_profile profile, const cluster_times& times, surroundings around, inbox& own);

  void begin(ways to, std::function<void(result<void>)> joined);
  void feed(const cluster_input& input);
  /// From now on nothing goes out; open requests are answered `unavailable`.
  void detach();
  /// `done` is called when this node has left.
  void leave(std::function<void()> done);

  struct asking {
    request_scope scope = request_scope::entity;
    entity_ref ref;
    shard_id shard = 0;
    call_context context;
    message request;
    reply_handler reply;
    bool repeatable = false;
    std::string node; ///< of a request to one member; empty: to any
  };
  void ask(asking one);
  void ask_all(call_context context, message request,
               std::function<void(std::vector<cluster_service::node_answer>)> done);
  /// A request of another node that could not be served at once.
  struct guest {
    incarnation_no from = 0;
    envelope request;
  };
  void take_guest(guest one);
  void take_reply(incarnation_no from, envelope answer);
  void take_returned(incarnation_no from, const envelope& back);

  json inspect() const;
  void drain_node(const std::string& node, const std::string& reason, std::function<void(result<void>)> done);

private:
  struct open_request {
    asking what;
    std::uint32_t attempt = 0;
    incarnation_no at = 0;  ///< the peer that was asked; 0: nobody yet
    steady_time next_try{}; ///< leader and node requests
    bool serving = false;   ///< by this node itself
  };
  using open = std::unordered_map<request_token, open_request>::iterator;

  void carry_out(const run_command& o);
  void carry_out(const close_liveness_session& o);
  void carry_out(const connect_peer& o);
  void carry_out(const disconnect_peer& o);
  void carry_out(const tell_peer& o);
  void carry_out(const activate_shard& o);
  void carry_out(const stop_shard& o);
  void carry_out(const abandon_shard& o);
  void carry_out(const start_leading& o);
  void carry_out(const stop_leading& o);
  void carry_out(const serve_request& o);
  void carry_out(const forward_request& o);
  void carry_out(const return_request& o);
  void carry_out(const reject_request& o);
  void carry_out(const node_report& o);

  void handle_inputs();
  void show();
  void arm();
  void serve_guest(request_token token, guest one);
  void answer(open at, result<message> reply);
  void try_members();
  void try_member(open at, steady_time now);
  incarnation_no any_member();
  void serve_here(open at);
  bool send(incarnation_no to, const envelope& what);
  steady_time to_boot(steady_time deadline) const;

  const surroundings around_;
  inbox& own_;
  cluster_node node_;
  ways to_;
  bool detached_ = false, handling_ = false;
  std::deque<cluster_input> inputs_;
  incarnation_no greeted_as_ = 0;
  cluster_version shown_ = 0;
  std::vector<incarnation_no> linked_;
  std::vector<std::string> member_names_;
  std::optional<steady_time> armed_for_;
  std::uint64_t armed_ = 0;
  request_token last_token_ = 0;
  std::size_t turn_ = 0; ///< of requests to any member
  std::unordered_map<request_token, open_request> open_;
  std::set<request_token> to_members_; ///< those of `open_` that are for the leader or a node
  std::unordered_map<request_token, guest> guests_;
  bool ticking_ = false;
  std::function<void(result<void>)> joined_;
  std::function<void()> left_;
};

} // namespace tobit::cluster
