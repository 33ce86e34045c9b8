#pragma once

#include "cluster/store/database_command.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

/// What goes into the protocol of one node and what comes out of it. See `cluster_node.hpp`.
namespace tobit::cluster {

/// Names a request while it is at this node; given by whoever hands it in.
using request_token = std::uint64_t;

// -- inputs ----------------------------------------------------------------------------------------------------------

struct start_node {};
struct time_passed {};           ///< at `cluster_node::wake_at` or any other time
struct liveness_session_lost {}; ///< the connection that holds the liveness lock broke
struct database_notified {       ///< NOTIFY; several may be merged, any may be lost
  cluster_version version = 0;
};
struct peer_linked {
  incarnation_no peer = 0;
};
struct peer_unlinked { ///< or an attempt to connect failed
  incarnation_no peer = 0;
};
struct peer_said {
  incarnation_no peer = 0; ///< as the link's handshake proved it
  message what;
};
struct shard_stopped { ///< after `stop_shard`: entities are stored and gone
  shard_id shard = 0;
  epoch_no epoch = 0;
};
struct shard_refused { ///< a write of the shard was refused: somebody else owns it
  shard_id shard = 0;
  epoch_no epoch = 0;
};
struct leading_refused { ///< an act of the leader was refused: somebody else leads
  epoch_no epoch = 0;
};
struct request_arrived { ///< from this node's edge
  request_token token = 0;
  shard_id shard = 0;
  steady_time deadline{};
};
struct request_forwarded_here { ///< from another node's edge
  request_token token = 0;
  shard_id shard = 0;
  epoch_no epoch = 0; ///< of the row by which it was sent here
};
struct request_returned { ///< the other node did not take it; it was not processed
  request_token token = 0;
  std::uint32_t attempt = 0;
};
struct request_answered { ///< the other node's answer went to the asker
  request_token token = 0;
};
struct drain_wanted {};

using cluster_input =
    std::variant<start_node, time_passed, database_answer, liveness_session_lost, database_notified, peer_linked,
                 peer_unlinked, peer_said, shard_stopped, shard_refused, leading_refused, request_arrived,
                 request_forwarded_here, request_returned, request_answered, drain_wanted>;

// -- outputs, to be carried out in their order -----------------------------------------------------------------------

struct run_command {
  std::uint64_t id = 0;
  database_command command;
};
struct close_liveness_session {}; ///< its lock falls; commands under way on it are answered
struct connect_peer {             ///< and again whenever it breaks, until `disconnect_peer`
  incarnation_no peer = 0;
  std::string node, address;
};
struct disconnect_peer {
  incarnation_no peer = 0;
};
struct tell_peer {
  incarnation_no peer = 0;
  message what;
};
struct activate_shard {
  shard_id shard = 0;
  epoch_no epoch = 0;
};
struct stop_shard { ///< finish what is under way, store, then say `shard_stopped`
  shard_id shard = 0;
  epoch_no epoch = 0;
};
struct abandon_shard { ///< it is lost: end at once, nothing can be written any more
  shard_id shard = 0;
  epoch_no epoch = 0;
};
struct start_leading {
  epoch_no epoch = 0;
};
struct stop_leading {
  epoch_no epoch = 0;
};
struct serve_request {
  request_token token = 0;
  shard_id shard = 0;
  epoch_no epoch = 0;
};
struct forward_request {
  request_token token = 0;
  std::uint32_t attempt = 0;
  incarnation_no to = 0;
  shard_id shard = 0;
  epoch_no epoch = 0;
};
struct return_request { ///< a forwarded request goes back: the shard is not here
  request_token token = 0;
};
struct reject_request {
  request_token token = 0;
  error_code code{};
};
/// For the log, the metrics and the operator.
struct node_report {
  enum class kind { joined, fenced, refused, peer_refused, leading, deposed, buried, draining, left };
  kind what{};
  incarnation_no incarnation = 0;
  epoch_no epoch = 0;
  std::string sentence;
};
std::string_view to_string(node_report::kind k) noexcept;

using cluster_output = std::variant<run_command, close_liveness_session, connect_peer, disconnect_peer, tell_peer,
                                    activate_shard, stop_shard, abandon_shard, start_leading, stop_leading,
                                    serve_request, forward_request, return_request, reject_request, node_report>;

/// One step under way: the time, and what it has decided so far.
class cluster_step {
public:
  cluster_step(steady_time at, std::uint64_t& command_ids, std::vector<cluster_output>& out)
      : now(at), ids_(command_ids), out_(out) {}

  const steady_time now;

  void say(cluster_output o) { out_.push_back(std::move(o)); }
  std::uint64_t ask(database_command c) {
    out_.push_back(run_command{++ids_, std::move(c)});
    return ids_;
  }

private:
  std::uint64_t& ids_;
  std::vector<cluster_output>& out_;
};

/// The earlier of two times of which either may be missing.
inline void wake_by(std::optional<steady_time>& earliest, steady_time at) {
  if (!earliest || at < *earliest) earliest = at;
}

} // namespace tobit::cluster
