#pragma once

#include "schemas/cluster/cluster_protocol.hpp"
#include "schemas/error.hpp"

#include <caf/fwd.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::cluster {

/// How this node is reached by the others, and reaches them.
struct link_options {
  std::string listen = "127.0.0.1:0"; ///< numeric host:port; port 0: any
  bool plain = false;                 ///< without TLS; refused unless `listen` is a loopback address
  std::string authority_file;         ///< PEM of the cluster's own certificate authority; nothing else is trusted
  std::string certificate_file, key_file;
  std::chrono::milliseconds handshake_timeout{3'000};         ///< connect, TLS and greeting together
  std::chrono::milliseconds heartbeat{500};                   ///< nothing heard for four of these: the link is broken
  std::chrono::milliseconds dial_first{20}, dial_most{1'000}; ///< pauses between attempts to connect, doubling
  std::size_t frame_max = 64u << 20; ///< bytes of one frame: longer ones are not sent, and who sends one is cut off
  std::size_t queue_max = 64u << 20; ///< bytes that one peer has not handled yet; beyond it `send` refuses
  std::size_t handshakes_max = 64;   ///< incoming connections that have not proved themselves; then the oldest goes
};

/// A connection that was refused, by us or by the other side, for the log and the operator.
struct link_refusal {
  std::string address; ///< of the other side
  std::string node;    ///< as far as it is known
  /// wrong_certificate | wrong_cluster | wrong_node | protocol_incompatible | garbage | too_slow | too_many_connections
  std::string reason;
  std::string sentence;
};

/// What the links tell. Called on unspecified threads, one call at a time per peer; must neither block nor throw.
struct link_events {
  std::function<void(incarnation_no peer)> linked;   ///< its certificate and greeting proved who it is
  std::function<void(incarnation_no peer)> unlinked; ///< the link broke, or an attempt to connect failed
  std::function<void(incarnation_no peer, std::string frame)> received; ///< in the order of sending
  /// A refusal that is a mistake or an attack; the same one is told at most every 10 s. Being turned away because a
  /// node is not ready is none.
  std::function<void(const link_refusal&)> refused;
};

struct link_status {
  incarnation_no peer = 0;
  std::string node, address;
  bool linked = false;
  std::string last_error;
  std::size_t bytes_queued = 0; ///< sent and not acknowledged; up to 64 KiB of it may be handled already
  std::uint64_t frames_sent = 0, frames_received = 0;
};

/// The mesh between nodes: one link per pair, carried by CAF's BASP over connections that this layer makes and proves
/// itself (TLS 1.3 with certificates of the cluster's own authority; plain only on loopback). Thread-safe.
///
/// Delivery: at most once and in order as long as a link lives; what was sent and not received when it breaks is lost.
/// Of two nodes the one with the higher incarnation connects, the other one waits for it.
class peer_links {
public:
  virtual ~peer_links() = default;

  /// Who we are from now on; the same incarnation only changes what is said. Cluster and node stay those that the links
  /// were opened with. Links made under another incarnation are closed, and nothing is sent over them any more. Until
  /// the first call, and for an incarnation of 0, nobody is connected and whoever comes is turned away.
  virtual void greet_as(const hello& self) = 0;
  /// Keeps a link to this peer, making it anew whenever it breaks, until `disconnect`.
  virtual void connect(incarnation_no peer, std::string node, std::string address) = 0;
  virtual void disconnect(incarnation_no peer) = 0;
  /// False: there is no link, too much waits for it, or the frame is too long; nothing is sent.
  virtual bool send(incarnation_no peer, std::string frame) = 0;

  virtual std::vector<link_status> status() const = 0;
  /// host:port where this node listens.
  virtual const std::string& address() const noexcept = 0;
  /// Closes everything; no event is told afterwards. Waits for its own threads, not for peers. Not to be called by an
  /// event.
  virtual void stop() = 0;
};

/// Listens. `system` must have been configured by `configure_links` and outlive the links.
/// Errors: configuration_error (address, files, a certificate that is not for this node) with what to do.
result<std::unique_ptr<peer_links>> open_peer_links(caf::actor_system& system, const link_options& options,
                                                    const std::string& cluster_id, const std::string& node,
                                                    link_events events);

/// Loads CAF's networking into the configuration and registers what links send.
void configure_links(caf::actor_system_config& config, const link_options& options);

} // namespace tobit::cluster
