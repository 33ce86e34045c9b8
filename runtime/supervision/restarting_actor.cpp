#include "runtime/supervision/restarting_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>
#include <utility>

namespace tobit::supervision {

/// A pause is over.
struct restart_note {};

} // namespace tobit::supervision

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::supervision::restart_note)

namespace tobit::supervision {

namespace {

struct restarting_state {
  restarting_state() = default;
  static inline const char* name = "restarting_actor";

  std::string role;
  std::function<caf::actor()> make;
  caf::message first_words;
  restart_policy policy;
  caf::actor incarnation;
  bool begun = false;
  std::chrono::milliseconds pause{0};
  caf::actor_clock::time_point since;
};

using restarting = caf::stateful_actor<restarting_state>;

void start_incarnation(restarting* self) {
  auto& s = self->state;
  s.incarnation = s.make();
  s.since = self->clock().now();
  self->monitor(s.incarnation);
  if (s.begun) self->send(s.incarnation, s.first_words);
}

void take_down(restarting* self, const caf::down_msg& down) {
  auto& s = self->state;
  if (!s.incarnation || down.source != s.incarnation.address()) return;
  s.incarnation = nullptr;
  if (!down.reason || down.reason == caf::exit_reason::user_shutdown || down.reason == caf::exit_reason::kill)
    return self->quit();
  if (self->clock().now() - s.since >= s.policy.stable) s.pause = std::chrono::milliseconds{0};
  s.pause = std::clamp(s.pause * 2, s.policy.first, s.policy.longest);
  spdlog::error("{}.crashed reason=\"{}\" restart_in_ms={}", s.role, self->system().render(down.reason),
                s.pause.count());
  self->delayed_send(self, s.pause, restart_note{});
}

caf::behavior restarting_behavior(restarting* self, std::string role, std::function<caf::actor()> make,
                                  caf::message first_words, restart_policy policy) {
  auto& s = self->state;
  s.role = std::move(role);
  s.make = std::move(make);
  s.first_words = std::move(first_words);
  s.policy = policy;
  self->set_down_handler([self](caf::down_msg& down) { take_down(self, down); });
  self->set_exit_handler([self](caf::exit_msg& exit) {
    self->send_exit(self->state.incarnation, exit.reason);
    self->quit(exit.reason);
  });
  self->set_default_handler([self](caf::scheduled_actor*, caf::message_view& note) -> caf::result<caf::message> {
    if (self->state.incarnation) self->send(self->state.incarnation, note.move_content_to_message());
    return caf::message{};
  });
  start_incarnation(self);
  return {
      [self](const begin_incarnations&) {
        auto& state = self->state;
        if (std::exchange(state.begun, true) || !state.incarnation) return;
        self->send(state.incarnation, state.first_words);
      },
      [self](const restart_note&) {
        if (!self->state.incarnation) start_incarnation(self);
      },
  };
}

} // namespace

caf::actor spawn_restarting(caf::actor_system& system, std::string name, std::function<caf::actor()> make,
                            caf::message first_words, const restart_policy& policy) {
  return system.spawn(restarting_behavior, std::move(name), std::move(make), std::move(first_words), policy);
}

} // namespace tobit::supervision
