#include "actors/poll/poll_loop.hpp"

#include "actors/poll/poll_actor.hpp"
#include "runtime/supervision/restarting_actor.hpp"

#include <caf/all.hpp>

namespace tobit::poll {

namespace {

class actor_backed_loop final : public poll_loop {
public:
  actor_backed_loop(const poll_loop_deps& deps, const poll_loop_options& options)
      : actor_(supervision::spawn_restarting(
            deps.system, "poll", [deps, options] { return deps.system.spawn<poll_actor>(deps, options); },
            caf::make_message(begin_note{}))) {}
  ~actor_backed_loop() override { stop(); }

  void start() override { caf::anon_send(actor_, supervision::begin_incarnations{}); }
  void stop() override { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }

  void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) override {
    auto shared = spec ? std::make_shared<const json>(std::move(*spec)) : nullptr;
    caf::anon_send(actor_, interest_note{ref, version, std::move(shared)});
  }

  void inspect(std::function<void(json)> done) override {
    caf::anon_send(actor_, inspect_note{std::make_shared<std::function<void(json)>>(std::move(done))});
  }

private:
  const caf::actor actor_;
};

} // namespace

std::unique_ptr<poll_loop> make_poll_loop(const poll_loop_deps& deps, const poll_loop_options& options) {
  return std::make_unique<actor_backed_loop>(deps, options);
}

} // namespace tobit::poll
