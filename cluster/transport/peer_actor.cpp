#include "cluster/transport/peer_actor.hpp"

#include "cluster/transport/steady_now.hpp"

#include <caf/io/basp_broker.hpp>
#include <caf/io/middleman.hpp>

#include <charconv>
#include <set>
#include <string_view>
#include <utility>

namespace tobit::cluster {

namespace {

using self_ptr = caf::stateful_actor<peer_actor_state>*;

std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

peer_frame opening(const peer_actor_deps& deps) {
  return {1, static_cast<std::uint8_t>(frame_kind::opening),
          deps.session->key + " " + std::to_string(deps.outlet->acknowledge_every())};
}

/// Only who knows the key, and is at the other end of a connection of CAF, may open the link, once.
void on_opening(self_ptr self, const std::string& text) {
  auto& s = self->state;
  const auto from = caf::actor_cast<caf::actor>(self->current_sender());
  const auto space = text.find(' ');
  const bool dialled = s.deps.session->side == frame_guard::side::dialled;
  if (s.linked || !from || space == std::string::npos ||
      std::string_view(text).substr(0, space) != s.deps.session->key || (dialled && s.remote != from))
    return;
  s.remote = from;
  s.acknowledge_every = std::max<std::uint64_t>(1, number(std::string_view(text).substr(space + 1)));
  if (!dialled) self->send(s.remote, opening(s.deps));
  s.linked = true;
  s.deps.outlet->open(self, s.remote);
  if (!s.deps.links->opened(s.deps.session->no, s.deps.session->peer, steady_now()))
    s.deps.session->cut("The link is not wanted any more.");
}

void deliver(self_ptr self, std::string frame) {
  auto& s = self->state;
  s.handled += frame_cost(frame.size());
  s.deps.outlet->count_received();
  s.deps.links->received(s.deps.session->peer, std::move(frame));
  if (s.handled - s.acknowledged < s.acknowledge_every) return;
  s.acknowledged = s.handled;
  self->send(s.remote, peer_frame{1, static_cast<std::uint8_t>(frame_kind::acknowledged), std::to_string(s.handled)});
}

void on_piece(self_ptr self, std::string bytes, bool last) {
  auto& s = self->state;
  if (s.collected.size() + bytes.size() > s.deps.frame_max)
    return s.deps.session->cut("The other side sent a frame of more than " + std::to_string(s.deps.frame_max) +
                               " bytes.");
  s.collected += bytes;
  if (last) deliver(self, std::exchange(s.collected, {}));
}

void on_frame(self_ptr self, peer_frame& frame) {
  auto& s = self->state;
  const auto kind = static_cast<frame_kind>(frame.kind);
  if (kind == frame_kind::opening) return on_opening(self, frame.bytes);
  if (!s.linked || self->current_sender() != s.remote) return; // every node of the cluster can address every actor
  switch (kind) {
  case frame_kind::whole:
    if (frame.bytes.size() > s.deps.frame_max) return on_piece(self, std::move(frame.bytes), true);
    return deliver(self, std::move(frame.bytes));
  case frame_kind::piece:
    return on_piece(self, std::move(frame.bytes), false);
  case frame_kind::last_piece:
    return on_piece(self, std::move(frame.bytes), true);
  case frame_kind::acknowledged:
    if (!s.deps.outlet->acknowledged(number(frame.bytes)))
      s.deps.session->cut("The other side acknowledged more than it was sent.");
    return;
  default:
    return; // of a later release
  }
}

/// Has CAF shake hands over the connection; answers with the actor that the other side published for this link.
void join(self_ptr self) {
  auto& deps = self->state.deps;
  auto basp = self->system().middleman().named_broker<caf::io::basp_broker>(caf::atom("BASP"));
  auto session = deps.session;
  self->request(basp, deps.timeout, caf::connect_atom_v, std::move(deps.scribe), std::uint16_t{0})
      .then(
          [self, session](const caf::node_id&, const caf::strong_actor_ptr& other, const std::set<std::string>&) {
            if (!other) return session->cut("The other side opened no link.");
            self->state.remote = caf::actor_cast<caf::actor>(other);
            self->send(self->state.remote, opening(self->state.deps));
          },
          [session](const caf::error&) { session->cut("CAF's handshake failed."); });
}

} // namespace

peer_actor_state::~peer_actor_state() {
  if (!deps.session) return;
  deps.session->cut("The link's actor ended.");
  deps.links->ended(deps.session->no, deps.session->peer, deps.session->why());
}

caf::behavior peer_actor(self_ptr self, peer_actor_deps deps) {
  self->state.deps = std::move(deps);
  self->set_default_handler(caf::drop);
  self->set_down_handler([](caf::down_msg&) {});
  self->set_error_handler([](caf::error&) {}); // a send to a peer that is gone; the connection's end tells
  self->set_exit_handler([self](caf::exit_msg& e) {
    if (e.source.node() == self->node() || !e.source) self->quit(e.reason); // other nodes do not end our actors
  });
  if (self->state.deps.session->side == frame_guard::side::dialled) join(self);
  return {[self](peer_frame& frame) { on_frame(self, frame); }, [self](const link_broken&) { self->quit(); }};
}

} // namespace tobit::cluster
