#pragma once

#include "cluster/transport/event_gate.hpp"
#include "cluster/transport/greeting.hpp"
#include "cluster/transport/link_outlet.hpp"
#include "cluster/transport/link_session.hpp"
#include "cluster/transport/peer_links.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tobit::cluster {

/// Which peers are wanted and how far each link is. Thread-safe; tells events without holding its lock.
///
///     idle ──dial due / admitted──▶ greeting ──hand_over──▶ joining ──opened──▶ linked
///      ▲ ▲                             │ failed                │ ended            │ ended
///      │ └─────────────────────────────┘                       ▼                  ▼
///      └───────────── the actor has ended and CAF has let go of the connection ── closing
///
/// At most one connection of a node is with CAF at any time, also across incarnations: BASP knows a process, not its
/// incarnations, and forgets all of a node's actors when any of its connections closes.
class link_table {
public:
  struct dial {
    std::uint64_t no = 0;
    incarnation_no peer = 0;
    std::string node, address;
    hello self;
  };
  struct admission {
    enum class verdict { welcome, wait, refused };
    verdict what = verdict::refused;
    std::uint64_t no = 0; ///< welcome: of the link; wait: of a greeting to be given up for this one, or 0
    hello self;           ///< welcome: what to answer
    refuse_peer refusal;  ///< refused; and what to say if waiting took too long
  };

  /// `wake` is called, without the lock, when something may be due.
  link_table(const link_options& options, hello self, link_events events, std::function<void()> wake);

  // -- the node ------------------------------------------------------------------------------------------------------
  void greet_as(const hello& self);
  void connect(incarnation_no peer, std::string node, std::string address);
  void disconnect(incarnation_no peer);
  bool send(incarnation_no peer, std::string frame);
  std::vector<link_status> status() const;
  /// Cuts everything, tells nothing more, and waits a moment for CAF to let go.
  void stop();

  // -- whoever connects ----------------------------------------------------------------------------------------------
  std::vector<dial> due(steady_time now); ///< each is `greeting` from now on
  std::optional<steady_time> next_due() const;
  void expire(steady_time now); ///< cuts what has been joining for too long
  admission admit(const said_hello& other, const std::string& address);
  hello self() const;
  /// The greeting did not lead to a link.
  void failed(std::uint64_t no, const std::string& why, steady_time now);
  /// The greeting is over and CAF gets the connection; null: it is not wanted any more.
  std::shared_ptr<link_outlet> hand_over(const std::shared_ptr<link_session>& session, steady_time deadline);
  void refused(const link_refusal& refusal);

  // -- the link's actor, and CAF's end of it -------------------------------------------------------------------------
  bool opened(std::uint64_t no, incarnation_no peer, steady_time now); ///< false: cut meanwhile
  void received(incarnation_no peer, std::string frame);
  void ended(std::uint64_t no, incarnation_no peer, const std::string& why);
  void released(std::uint64_t no, incarnation_no peer);

private:
  enum class stage { idle, greeting, joining, linked, closing };
  struct entry {
    std::string node, address, last_error;
    bool wanted = true;
    stage at = stage::idle;
    std::uint64_t no = 0;
    incarnation_no self = 0; ///< ours, under which the link was begun
    std::shared_ptr<link_session> session;
    std::shared_ptr<link_outlet> outlet;
    std::shared_ptr<link_counts> counts = std::make_shared<link_counts>();
    bool actor_ended = false, released = false;
    steady_time deadline{}, linked_since{}, dial_at{};
    std::chrono::milliseconds pause{};
  };
  using entries = std::map<incarnation_no, entry>;

  entries::iterator find(incarnation_no peer, std::uint64_t no);
  bool dials(incarnation_no peer) const noexcept { return self_.incarnation > peer; }
  bool cut_others(incarnation_no peer, const std::string& node);
  void rest(entries::iterator found, steady_time now);
  void settle(entries::iterator found, steady_time now);
  void tell_unlinked(incarnation_no peer);

  const link_options options_;
  event_gate gate_;
  const std::function<void()> wake_;
  mutable std::mutex mutex_;
  std::condition_variable let_go_;
  hello self_;
  entries entries_;
  std::uint64_t last_no_ = 0;
};

} // namespace tobit::cluster
