#include "cluster/transport/peer_links.hpp"

#include "cluster/transport/handshake_loop.hpp"
#include "cluster/transport/link_scribe.hpp"
#include "cluster/transport/link_table.hpp"
#include "cluster/transport/peer_actor.hpp"
#include "cluster/transport/steady_now.hpp"

#include <caf/actor_system_config.hpp>
#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

#include <algorithm>
#include <csignal>
#include <set>
#include <unistd.h>
#include <utility>

namespace tobit::cluster {

namespace {

/// BASP's own share of a message: sender, type names, lengths.
constexpr std::uint32_t envelope_max = 4'096;
constexpr std::size_t buffer_slack = 4u << 20;
/// CAF hands out the actor last published at a "port"; ours is published and handed out in one step, so one is enough.
constexpr std::uint16_t basp_port = 1;

class connected_links final : public peer_links {
public:
  connected_links(caf::actor_system& system, const link_options& options, hello self, link_events events, int listener,
                  std::shared_ptr<tls_context> tls)
      : system_(system)
      , options_(options)
      , address_(socket_address::of_socket(listener).text())
      , wake_(std::make_shared<wake_signal>())
      , links_(std::make_shared<link_table>(options, std::move(self), std::move(events), [w = wake_] { w->ring(); }))
      , loop_(options, listener, wake_, std::move(tls), links_,
              [this](handshake& h, steady_time deadline) { hand_over(h, deadline); }) {}
  ~connected_links() override { stop(); }

  void greet_as(const hello& self) override { links_->greet_as(self); }
  void connect(incarnation_no peer, std::string node, std::string address) override {
    links_->connect(peer, std::move(node), std::move(address));
  }
  void disconnect(incarnation_no peer) override { links_->disconnect(peer); }
  bool send(incarnation_no peer, std::string frame) override { return links_->send(peer, std::move(frame)); }
  std::vector<link_status> status() const override { return links_->status(); }
  const std::string& address() const noexcept override { return address_; }
  void stop() override {
    loop_.stop();
    links_->stop();
  }

private:
  void hand_over(handshake& proven, steady_time deadline);

  caf::actor_system& system_;
  const link_options options_;
  const std::string address_;
  const std::shared_ptr<wake_signal> wake_;
  const std::shared_ptr<link_table> links_;
  handshake_loop loop_; // last: its thread uses the others
};

/// The connection goes to CAF's broker for BASP, and a peer actor of its own to each end.
void connected_links::hand_over(handshake& proven, steady_time deadline) {
  const auto no = proven.no();
  auto session = proven.take();
  const auto peer = session->peer;
  session->on_release([links = links_, no, peer] { links->released(no, peer); });
  const auto now = steady_now();
  auto outlet = links_->hand_over(session, deadline);
  if (!outlet) {
    const int fd = session->stream->fd();
    session->stream->finish();
    session->stream.reset();
    ::close(fd);
    links_->failed(no, "The link is not wanted any more.", now);
    return;
  }
  const auto payload_max = static_cast<std::uint32_t>(piece_max) + envelope_max;
  auto scribe =
      make_link_scribe(system_, session, payload_max, options_.queue_max + options_.queue_max / 4 + buffer_slack);
  const bool dialled = session->side == frame_guard::side::dialled;
  peer_actor_deps deps{
      links_,
      session,
      std::move(outlet),
      dialled ? scribe : caf::io::scribe_ptr{},
      std::max(std::chrono::milliseconds(1), std::chrono::duration_cast<std::chrono::milliseconds>(deadline - now)),
      options_.frame_max};
  const auto actor = system_.spawn(peer_actor, std::move(deps));
  session->set_actor(caf::actor_cast<caf::strong_actor_ptr>(actor));
  if (dialled) return; // the actor asks CAF itself, since it wants the answer
  const auto basp = system_.middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  caf::anon_send(basp, caf::publish_atom_v, std::move(scribe), basp_port, caf::actor_cast<caf::strong_actor_ptr>(actor),
                 std::set<std::string>{});
}

auto refuse(std::string message) { return fail(error_code::configuration_error, std::move(message)); }

} // namespace

result<std::unique_ptr<peer_links>> open_peer_links(caf::actor_system& system, const link_options& options,
                                                    const std::string& cluster_id, const std::string& node,
                                                    link_events events) {
  if (!system.has_middleman())
    return fail(error_code::internal_server_error, "The actor system was not made for a cluster (configure_links).");
  if (cluster_id.empty() || node.empty()) return refuse("A node of a cluster needs the cluster's id and its own name.");
  const auto address = socket_address::parse(options.listen);
  if (!address) return refuse("The cluster's address (cluster.listen): " + address.error().message);
  if (options.plain && !address->loopback())
    return refuse("Without TLS the cluster listens on addresses of this machine only, and " + options.listen +
                  " is none. Configure certificates (`tobit cluster init` makes them), or listen on 127.0.0.1.");
  std::shared_ptr<tls_context> tls;
  if (!options.plain) {
    auto opened = tls_context::open(options, cluster_id, node);
    if (!opened) return fail(opened.error());
    tls = std::move(*opened);
  }
  const auto listener = listen_at(*address);
  if (!listener) return fail(listener.error());
  std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
  hello self;
  self.cluster_id = cluster_id;
  self.node = node;
  self.protocol_min = protocol_min;
  self.protocol_max = protocol_max;
  return std::make_unique<connected_links>(system, options, std::move(self), std::move(events), *listener,
                                           std::move(tls));
}

void configure_links(caf::actor_system_config& config, const link_options& options) {
  const auto nanoseconds = [](std::chrono::milliseconds t) { return caf::timespan{t}; };
  config.load<caf::io::middleman>();
  config.add_message_type<peer_frame>("tobit.cluster.peer_frame.v1");
  config.set("middleman.heartbeat-interval", nanoseconds(options.heartbeat));
  config.set("middleman.connection-timeout", nanoseconds(options.heartbeat * 4));
  config.set("middleman.enable-automatic-connections", false); // they would be plain TCP on all interfaces
  config.set("middleman.workers", std::size_t{0}); // frames are bytes: handing them to another thread costs more
}

} // namespace tobit::cluster
