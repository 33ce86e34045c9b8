#include "runtime/entity/entity_runtime.hpp"

#include "runtime/entity/outbox_actor.hpp"
#include "runtime/entity/outbox_rows.hpp"
#include "runtime/entity/shard_host.hpp"
#include "runtime/entity/unit_parts.hpp"

#include <caf/actor_system.hpp>

#include <algorithm>
#include <atomic>
#include <future>
#include <mutex>
#include <random>

namespace tobit::entity {

namespace {

double random_share() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return std::uniform_real_distribution<double>{0, 1}(generator);
}

/// A shard of this node. Its table outlives its host, so that whoever still looks at it is refused and not lost.
struct local_shard {
  fence right;
  std::shared_ptr<resident_table> table;
  caf::actor host;
};

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

class local_runtime final : public entity_runtime {
public:
  local_runtime(runtime_deps deps, const entity_options& options)
      : deps_(std::move(deps)), shards_(deps_.places->shard_count()), local_(std::make_shared<shard_map>(shards_)) {
    auto shared = std::make_shared<entity_deps>();
    shared->db = deps_.db;
    shared->time = deps_.time;
    shared->kinds = deps_.kinds;
    shared->listeners = deps_.listeners;
    shared->bus = deps_.bus;
    shared->figures = deps_.figures;
    shared->spans = deps_.spans;
    shared->options = options;
    shared->random = deps_.random ? deps_.random : random_share;
    // Through the actor alone, not through this object: entities may outlive it while the actor system ends.
    shared->carry_out = [outbox = outbox_](std::vector<outgoing_effect> effects) {
      if (auto target = outbox->get())
        caf::anon_send(target, job<outbox_dispatcher>{[effects = std::move(effects)](outbox_dispatcher& dispatcher) {
                         dispatcher.take(effects);
                       }});
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
    // By value, so that the dispatcher does not depend on this object's life.
    auto rights_of = [local = local_, count = shards_](const entity_ref& ref) {
      const auto* shard = local->find(static_cast<shard_id>(stable_hash(ref) % count));
      return shard ? std::optional<fence>{shard->right} : std::nullopt;
    };
    outbox_->set(deps_.system->spawn(outbox_actor, shared_, deps_.handlers, deps_.self.value, fence_lookup(rights_of)));
    return {};
  }

  void begin_stop(std::shared_ptr<void> until_stopped) override {
    for (shard_id shard = 0; shard < shards_; ++shard) release_shard(shard, until_stopped);
    if (auto target = outbox_->take()) {
      caf::anon_send(target, job<outbox_dispatcher>{[](outbox_dispatcher& dispatcher) { dispatcher.stop(); }});
      caf::anon_send_exit(target, caf::exit_reason::user_shutdown);
    }
  }

  bool stop(std::chrono::milliseconds grace) override {
    std::vector<caf::actor> hosts;
    for (shard_id id = 0; id < shards_; ++id)
      if (const auto* shard = local_->find(id)) hosts.push_back(shard->host);
    auto all_gone = std::make_shared<std::promise<void>>();
    auto gone = all_gone->get_future();
    begin_stop(std::shared_ptr<void>(nullptr, [all_gone](void*) { all_gone->set_value(); }));
    if (gone.wait_for(grace) == std::future_status::ready) return true;
    for (const auto& host : hosts) caf::anon_send(host, job<shard_host>{[](shard_host& one) { one.abandon(); }});
    return false;
  }

  void take_shard(fence right) override {
    auto shard = std::make_unique<local_shard>();
    shard->table = std::make_shared<resident_table>(shared_->options.mailbox_max, shared_->options.residents_max);
    shard->host = deps_.system->spawn(shard_host_actor, right, shared_, shard->table);
    shard->right = std::move(right);
    local_->put(std::move(shard));
  }

  void release_shard(shard_id id, std::shared_ptr<void> until_released) override {
    const auto* shard = local_->take(id);
    if (!shard) return;
    caf::anon_send(shard->host, job<shard_host>{[until_released](shard_host& host) { host.stop(until_released); }});
  }

  void ask(entity_ref ref, call_context context, message request, reply_handler reply) override {
    const auto hash = stable_hash(ref);
    const auto id = static_cast<shard_id>(hash % shards_);
    auto asked =
        std::make_shared<delivery>(context.child(), std::move(request), std::move(reply), deps_.time->steady_now());
    const auto* shard = local_->find(id);
    if (!shard) return forward(id, std::move(ref), std::move(context), *asked);
    // Whoever is in memory has a good name; only for others it must be looked at.
    auto taken = shard->table->admit(ref, hash, asked, false);
    using admission = resident_table::admission;
    if (taken.how == admission::unknown) {
      if (auto valid = check(ref); !valid) return asked->answer(fail(valid.error()));
      taken = shard->table->admit(ref, hash, asked, true);
    }
    switch (taken.how) {
    case admission::handed_over:
      return;
    case admission::needs_actor:
      caf::anon_send(shard->host, job<shard_host>{[who = std::move(taken.who)](shard_host& host) { host.wake(who); }});
      return;
    case admission::overloaded:
      return asked->answer(
          fail(error_code::overloaded, ref.kind + " " + ref.key + " has too much waiting; try again."));
    case admission::unknown:
    case admission::closed:
      return asked->answer(fail(error_code::unavailable));
    }
  }

  void when_settled(std::string correlation, steady_time deadline,
                    std::function<void(result<std::vector<effect_outcome>>)> done) override {
    auto target = outbox_->get();
    if (!target) return done(fail(error_code::unavailable));
    caf::anon_send(target, job<outbox_dispatcher>{[=, done = std::move(done)](outbox_dispatcher& dispatcher) {
                     dispatcher.watch(correlation, deadline, done);
                   }});
  }

  std::optional<residency> resident(const entity_ref& ref) const override {
    const auto hash = stable_hash(ref);
    const auto* shard = local_->find(static_cast<shard_id>(hash % shards_));
    auto who = shard ? shard->table->find(ref, hash) : nullptr;
    if (!who) return std::nullopt;
    const auto& f = *who->figures;
    return residency{f.status.load(), f.unanswered, f.handled, f.failed, f.time_total_us, f.time_longest_us};
  }

  std::vector<entity_ref> residents() const override {
    std::vector<entity_ref> all;
    for (shard_id id = 0; id < shards_; ++id)
      if (const auto* shard = local_->find(id))
        for (const auto& who : shard->table->all()) all.push_back(who->ref);
    return all;
  }

private:
  /// The shards of this node; outlives the runtime where actors still need it. Looking one up takes no lock: what was
  /// given up stays allocated, as it happens rarely.
  class shard_map {
  public:
    explicit shard_map(std::size_t count) : current_(count) {}
    const local_shard* find(shard_id id) const { return current_[id].load(std::memory_order_acquire); }
    void put(std::unique_ptr<const local_shard> shard) {
      std::lock_guard lock{guard_};
      current_[shard->right.shard].store(shard.get(), std::memory_order_release);
      all_.push_back(std::move(shard));
    }
    const local_shard* take(shard_id id) { return current_[id].exchange(nullptr, std::memory_order_acq_rel); }

  private:
    std::vector<std::atomic<const local_shard*>> current_;
    std::mutex guard_;
    std::vector<std::unique_ptr<const local_shard>> all_;
  };

  /// The outbox actor once it runs.
  class outbox_slot {
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

  private:
    mutable std::mutex guard_;
    caf::actor actor_;
  };

  result<void> check(const entity_ref& ref) const {
    if (!deps_.kinds->find(ref.kind))
      return fail(error_code::not_found, "There is no kind '" + storable(ref.kind, 50) + "'.");
    if (ref.tenant.empty() || ref.tenant.value.size() > tenant_length_max || !printable(ref.tenant.value))
      return fail(error_code::validation_error, "The tenant's name is malformed.");
    if (ref.key.empty() || ref.key.size() > entity_key_length_max || !printable(ref.key))
      return fail(error_code::validation_error, "A key has 1 to 200 bytes without control characters.");
    return {};
  }

  void forward(shard_id id, entity_ref ref, call_context context, delivery& asked) {
    const auto owner = deps_.places->owner_of(id);
    if (!deps_.remote || owner.empty() || owner == deps_.self) return asked.answer(fail(error_code::unavailable));
    deps_.remote->forward(owner, std::move(ref), std::move(context), asked.request(), asked.take_reply());
  }

  runtime_deps deps_;
  const shard_id shards_;
  entity_deps_ptr shared_;
  const std::shared_ptr<shard_map> local_;
  std::shared_ptr<outbox_slot> outbox_ = std::make_shared<outbox_slot>();
};

} // namespace

std::unique_ptr<entity_runtime> make_entity_runtime(runtime_deps deps, const entity_options& options) {
  return std::make_unique<local_runtime>(std::move(deps), options);
}

} // namespace tobit::entity
