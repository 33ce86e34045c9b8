#include "runtime/entity/entity_runtime.hpp"

#include "runtime/entity/entity_router.hpp"
#include "runtime/entity/outbox_actor.hpp"
#include "runtime/entity/outbox_rows.hpp"
#include "runtime/entity/shard_host.hpp"
#include "runtime/entity/wake_actor.hpp"

#include <caf/actor_system.hpp>

#include <future>
#include <map>
#include <mutex>
#include <random>

namespace tobit::entity {

namespace {

double random_share() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>{0, 1}(generator);
}

/// One of the runtime's own actors once it runs. Outlives the runtime where entities still need it.
class actor_slot {
public:
  caf::actor get() const {
    std::lock_guard lock{guard_};
    return actor_;
  }
  void set(caf::actor actor) {
    std::lock_guard lock{guard_};
    actor_ = std::move(actor);
  }
  caf::actor take() {
    std::lock_guard lock{guard_};
    return std::exchange(actor_, nullptr);
  }
  template <class Owner>
  bool post(std::function<void(Owner&)> work) const {
    auto target = get();
    if (target) caf::anon_send(target, job<Owner>{std::move(work)});
    return target != nullptr;
  }
  template <class Owner>
  void end(std::shared_ptr<void> until_stopped) {
    auto target = take();
    if (!target) return;
    caf::anon_send(target,
                   job<Owner>{[until_stopped = std::move(until_stopped)](Owner& one) { one.stop(until_stopped); }});
    caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
  }

private:
  mutable std::mutex guard_;
  caf::actor actor_;
};

class local_runtime final : public entity_runtime {
public:
  local_runtime(runtime_deps deps, const entity_options& options)
      : deps_(std::move(deps))
      , router_(std::make_shared<entity_router>(
            entity_router::parts{deps_.time, deps_.kinds, deps_.places, deps_.remote, deps_.self})) {
    auto shared = std::make_shared<entity_deps>();
    shared->db = deps_.db;
    shared->time = deps_.time;
    shared->kinds = deps_.kinds;
    shared->listeners = deps_.listeners;
    shared->bus = deps_.bus;
    shared->figures = deps_.figures;
    shared->spans = deps_.spans;
    shared->shard_refused = deps_.shard_refused;
    if (deps_.remote) shared->shard_gone = error_code::fenced;
    shared->options = options;
    shared->random = deps_.random ? deps_.random : random_share;
    // Through the actors alone, not through this object: entities may outlive it while the actor system ends.
    shared->carry_out = [outbox = outbox_](std::vector<outgoing_effect> effects) {
      outbox->post<outbox_dispatcher>(
          [effects = std::move(effects)](outbox_dispatcher& dispatcher) { dispatcher.take(effects); });
    };
    shared->wake_later = [wakes = wakes_](const entity_ref& ref, utc_time at) {
      wakes->post<wake_queue>([ref, at](wake_queue& queue) { queue.note(ref, at); });
    };
    shared_ = std::move(shared);
  }

  ~local_runtime() override { begin_stop(nullptr); }

  result<void> start() override {
    auto rights = deps_.places->take_shards();
    if (!rights) return fail(rights.error());
    storage::unit_of_work resume;
    resume.statements.push_back(resume_statement(deps_.self.value, deps_.time->now()));
    if (auto resumed = deps_.db->write_and_wait(std::move(resume)); !resumed) return fail(resumed.error());
    for (auto& right : *rights) take_shard(std::move(right));
    const fence_lookup rights_of = [router = router_](const entity_ref& ref) { return router->right_of(ref); };
    const std::shared_ptr<entity_gateway> entities = router_;
    const fence_lookup rights_to_settle = [router = router_](const entity_ref& ref) {
      return router->right_to_settle(ref);
    };
    outbox_->set(deps_.system->spawn(outbox_actor, shared_, deps_.handlers, entities, deps_.self.value,
                                     outbox_rights{rights_of, rights_to_settle}));
    wakes_->set(deps_.system->spawn(wake_actor, shared_, entities, deps_.self.value, rights_of));
    return {};
  }

  void begin_stop(std::shared_ptr<void> until_stopped) override {
    router_->close();
    wakes_->end<wake_queue>(until_stopped);
    for (shard_id shard = 0; shard < router_->shard_count(); ++shard) release_shard(shard, until_stopped);
    outbox_->end<outbox_dispatcher>(until_stopped);
  }

  bool stop(std::chrono::milliseconds grace) override {
    std::vector<caf::actor> hosts;
    for (shard_id id = 0; id < router_->shard_count(); ++id)
      if (const auto* shard = router_->find(id)) hosts.push_back(shard->host);
    auto all_gone = std::make_shared<std::promise<void>>();
    auto gone = all_gone->get_future();
    begin_stop(std::shared_ptr<void>(nullptr, [all_gone](void*) { all_gone->set_value(); }));
    if (gone.wait_for(grace) == std::future_status::ready) return true;
    for (const auto& host : hosts) caf::anon_send(host, job<shard_host>{[](shard_host& one) { one.abandon(); }});
    return false;
  }

  void take_shard(fence right) override {
    const auto id = right.shard;
    auto shard = std::make_unique<local_shard>();
    shard->table = std::make_shared<resident_table>(shared_->options.mailbox_max, shared_->options.residents_max);
    shard->host = deps_.system->spawn(shard_host_actor, right, shared_, shard->table);
    shard->right = std::move(right);
    router_->put(std::move(shard));
    wakes_->post<wake_queue>([](wake_queue& queue) { queue.read(); });
    outbox_->post<outbox_dispatcher>([id](outbox_dispatcher& dispatcher) { dispatcher.take_up(id); });
  }

  void release_shard(shard_id id, std::shared_ptr<void> until_released) override {
    const auto* shard = router_->take(id);
    if (!shard) return;
    {
      std::lock_guard lock{leaving_guard_};
      leaving_[id] = shard->host;
    }
    caf::anon_send(shard->host, job<shard_host>{[until_released](shard_host& host) { host.stop(until_released); }});
    outbox_->post<outbox_dispatcher>(
        [id, until_released](outbox_dispatcher& dispatcher) { dispatcher.let_go(id, until_released); });
  }

  void abandon_shard(shard_id id) override {
    caf::actor host;
    if (const auto* shard = router_->take(id)) host = shard->host;
    {
      std::lock_guard lock{leaving_guard_};
      if (auto entry = leaving_.find(id); entry != leaving_.end()) {
        if (!host) host = entry->second;
        leaving_.erase(entry);
      }
    }
    if (!host) return;
    caf::anon_send(host, job<shard_host>{[](shard_host& one) {
                     one.abandon();
                     one.stop(nullptr);
                   }});
  }

  void ask_here(entity_ref ref, call_context context, message request, reply_handler reply) override {
    router_->ask_here(std::move(ref), std::move(context), std::move(request), std::move(reply));
  }

  void ask(entity_ref ref, call_context context, message request, reply_handler reply) override {
    router_->ask(std::move(ref), std::move(context), std::move(request), std::move(reply));
  }

  void when_settled(std::string correlation, steady_time deadline,
                    std::function<void(result<std::vector<effect_outcome>>)> done) override {
    const bool posted = outbox_->post<outbox_dispatcher>(
        [=](outbox_dispatcher& dispatcher) { dispatcher.watch(correlation, deadline, done); });
    if (!posted) done(fail(error_code::unavailable));
  }

  std::optional<residency> resident(const entity_ref& ref) const override { return router_->resident(ref); }
  std::vector<entity_ref> residents() const override { return router_->residents(); }

private:
  runtime_deps deps_;
  const std::shared_ptr<entity_router> router_;
  entity_deps_ptr shared_;
  const std::shared_ptr<actor_slot> outbox_ = std::make_shared<actor_slot>();
  const std::shared_ptr<actor_slot> wakes_ = std::make_shared<actor_slot>();
  std::mutex leaving_guard_;
  std::map<shard_id, caf::actor> leaving_; ///< hosts of shards that were given up and may still be storing
};

} // namespace

std::unique_ptr<entity_runtime> make_entity_runtime(runtime_deps deps, const entity_options& options) {
  return std::make_unique<local_runtime>(std::move(deps), options);
}

} // namespace tobit::entity
