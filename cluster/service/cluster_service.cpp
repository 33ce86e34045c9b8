#include "cluster/service/cluster_service.hpp"

#include "cluster/service/cluster_machine.hpp"
#include "runtime/entity/actor_inbox.hpp"

#include <caf/all.hpp>
#include <spdlog/spdlog.h>

#include <atomic>
#include <future>
#include <utility>

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::entity::job<tobit::cluster::cluster_machine>)

namespace tobit::cluster {

namespace {

/// The actor around the machine: one per node, from its start to its stop.
class cluster_actor_state {
public:
  static inline const char* name = "cluster";
  explicit cluster_actor_state(caf::event_based_actor* self) : inbox_(self) {}
  void start(node_profile profile, const cluster_times& times, cluster_machine::surroundings around) {
    machine_ = std::make_unique<cluster_machine>(std::move(profile), times, std::move(around), inbox_);
  }
  cluster_machine& machine() noexcept { return *machine_; }

private:
  entity::actor_inbox<cluster_machine> inbox_;
  std::unique_ptr<cluster_machine> machine_;
};

caf::behavior cluster_actor(caf::stateful_actor<cluster_actor_state>* self, const node_profile& profile,
                            const cluster_times& times, const cluster_machine::surroundings& around) {
  self->set_default_handler(caf::drop);
  self->set_error_handler([](caf::error&) {});
  self->state.start(profile, times, around);
  return {[self](const entity::job<cluster_machine>& work) { work.run(self->state.machine()); }};
}

/// A request on its way to the actor. One that is dropped with the actor's mailbox is answered all the same.
struct owed_answer {
  explicit owed_answer(cluster_machine::asking one) : what(std::move(one)) {}
  ~owed_answer() {
    if (what.reply) what.reply(fail(error_code::unavailable));
  }
  owed_answer(const owed_answer&) = delete;
  owed_answer& operator=(const owed_answer&) = delete;
  cluster_machine::asking what;
};

class joined_service final : public cluster_service {
public:
  explicit joined_service(cluster_service_deps deps) : deps_(std::move(deps)) { register_cluster_messages(); }
  ~joined_service() override { stop(std::chrono::milliseconds{0}); }

  void serve(std::string_view wire_name, server answer) override {
    desks_->servers.emplace(wire_name, std::move(answer));
  }
  void hear(std::string_view wire_name, std::function<void(const message&)> listen) override {
    desks_->listeners.emplace(wire_name, std::move(listen));
  }

  result<void> start(entity::entity_runtime& entities, std::chrono::milliseconds patience) override {
    entities_ = &entities;
    auto links = deps_.open_links(link_events_of());
    if (!links) return fail(links.error());
    links_ = std::move(*links);
    face_->set_links(links_.get());
    auto profile = deps_.profile;
    profile.address = deps_.advertised.empty() ? links_->address() : deps_.advertised;
    actor_ = deps_.system->spawn(cluster_actor, profile, deps_.times,
                                 cluster_machine::surroundings{deps_.time, deps_.hooks, desks_, face_});
    store_ = deps_.open_store(store_events_of());
    auto joined = std::make_shared<std::promise<result<void>>>();
    auto arrived = joined->get_future();
    tell([this, joined](cluster_machine& machine) {
      machine.begin({links_.get(), store_.get(), entities_},
                    [joined](result<void> done) { joined->set_value(std::move(done)); });
    });
    if (arrived.wait_for(patience) == std::future_status::ready) return arrived.get();
    return fail(error_code::unavailable,
                "The cluster could not be joined within the time; look at the log for what the database said.");
  }

  entity::shard_id shard_count() const noexcept override { return deps_.shard_count; }
  result<std::vector<entity::fence>> take_shards() override { return std::vector<entity::fence>{}; }
  node_id owner_of(entity::shard_id shard) const override { return node_id{face_->owner_of(shard)}; }
  bool may_act() const noexcept override { return face_->may_act(); }

  void forward(entity::shard_id shard, entity_ref ref, call_context context, message request,
               std::function<void(result<message>)> reply) override {
    ask({request_scope::entity,
         std::move(ref),
         shard,
         std::move(context),
         std::move(request),
         std::move(reply),
         false,
         {}});
  }
  void ask_leader(call_context context, message request, bool repeatable, reply_handler reply) override {
    ask({request_scope::leader, {}, 0, std::move(context), std::move(request), std::move(reply), repeatable, {}});
  }
  void ask_node(const std::string& node, call_context context, message request, reply_handler reply) override {
    ask({request_scope::node, {}, 0, std::move(context), std::move(request), std::move(reply), false, node});
  }
  void ask_all(call_context context, message request, std::function<void(std::vector<node_answer>)> done) override {
    tell([context = std::move(context), request = std::move(request),
          done = std::move(done)](cluster_machine& machine) { machine.ask_all(context, request, done); });
  }
  void ask_any(call_context context, message request, reply_handler reply) override {
    ask({request_scope::node, {}, 0, std::move(context), std::move(request), std::move(reply), false, {}});
  }
  void cast(const message& what) override { face_->cast(what, deps_.time->steady_now()); }
  void inspect(std::function<void(json)> done) override {
    tell([done = std::move(done)](cluster_machine& machine) { done(machine.inspect()); });
  }
  void shard_refused(shard_id shard, epoch_no epoch) override {
    tell([shard, epoch](cluster_machine& machine) { machine.feed(::tobit::cluster::shard_refused{shard, epoch}); });
  }
  void leading_refused(epoch_no epoch) override {
    tell([epoch](cluster_machine& machine) { machine.feed(::tobit::cluster::leading_refused{epoch}); });
  }
  void drain_node(const std::string& node, const std::string& reason, std::function<void(result<void>)> done) override {
    tell([node, reason, done = std::move(done)](cluster_machine& machine) { machine.drain_node(node, reason, done); });
  }

  void stop(std::chrono::milliseconds grace) override {
    if (!actor_ || stopped_.exchange(true)) return;
    if (grace.count() > 0) {
      auto left = std::make_shared<std::promise<void>>();
      auto gone = left->get_future();
      tell([left](cluster_machine& machine) { machine.leave([left] { left->set_value(); }); });
      if (gone.wait_for(grace) != std::future_status::ready)
        spdlog::warn("cluster.leave_too_slow the others take its shards over when its lease ends");
    }
    auto detached = std::make_shared<std::promise<void>>();
    auto quiet = detached->get_future();
    tell([detached](cluster_machine& machine) {
      machine.detach();
      detached->set_value();
    });
    quiet.wait_for(std::chrono::seconds{5});
    face_->set_links(nullptr);
    if (store_) store_->stop();
    if (links_) links_->stop();
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }

private:
  void tell(std::function<void(cluster_machine&)> work) const {
    caf::anon_send(actor_, entity::job<cluster_machine>{std::move(work)});
  }
  void ask(cluster_machine::asking one) {
    auto owed = std::make_shared<owed_answer>(std::move(one));
    tell([owed](cluster_machine& machine) { machine.ask(std::exchange(owed->what, {})); });
  }

  store_events store_events_of() const {
    store_events events;
    events.answered = [this](database_answer answer) {
      tell([answer = std::move(answer)](cluster_machine& machine) { machine.feed(answer); });
    };
    events.session_lost = [this] { tell([](cluster_machine& machine) { machine.feed(liveness_session_lost{}); }); };
    events.told = [this](const std::string& sentence) {
      if (deps_.hooks.told) deps_.hooks.told(sentence);
    };
    events.notified = [this](cluster_version version) {
      tell([version](cluster_machine& machine) { machine.feed(database_notified{version}); });
    };
    return events;
  }

  link_events link_events_of() {
    link_events events;
    events.linked = [this](incarnation_no peer) {
      tell([peer](cluster_machine& machine) { machine.feed(peer_linked{peer}); });
      if (deps_.hooks.peer_linked) deps_.hooks.peer_linked(peer);
    };
    events.unlinked = [this](incarnation_no peer) {
      tell([peer](cluster_machine& machine) { machine.feed(peer_unlinked{peer}); });
    };
    events.received = [this](incarnation_no peer, std::string frame) { received(peer, frame); };
    events.refused = [this](const link_refusal& refusal) {
      if (deps_.hooks.refused) deps_.hooks.refused(refusal);
    };
    return events;
  }

  void received(incarnation_no from, const std::string& frame) {
    envelope partial;
    auto got = decode_envelope(frame, deps_.time->steady_now(), &partial);
    if (!got) {
      spdlog::warn("cluster.envelope_refused peer={} {}", from, got.error().text());
      if (partial.kind == envelope_kind::request) refuse(from, partial, got.error());
      if (partial.kind == envelope_kind::reply) {
        partial.problem = got.error();
        tell([from, partial](cluster_machine& machine) { machine.take_reply(from, partial); });
      }
      return;
    }
    switch (got->kind) {
    case envelope_kind::say:
      return tell([from, what = got->body](cluster_machine& machine) { machine.feed(peer_said{from, what}); });
    case envelope_kind::cast:
      if (const auto heard = desks_->listeners.find(got->body.name()); heard != desks_->listeners.end())
        heard->second(got->body);
      return;
    case envelope_kind::request:
      return take_request(from, std::move(*got));
    case envelope_kind::reply:
      return tell([from, got = std::move(*got)](cluster_machine& machine) { machine.take_reply(from, got); });
    case envelope_kind::returned:
      return tell([from, got = std::move(*got)](cluster_machine& machine) { machine.take_returned(from, got); });
    }
  }

  /// Straight to the entity, past the protocol, if its shard is here: the common case needs no detour.
  void take_request(incarnation_no from, envelope request) {
    if (!request.context || !request.body)
      return refuse(from, request, {error_code::validation_error, "A request needs a context and a message."});
    if (request.scope != request_scope::entity) return serve_node(from, request);
    auto shared = std::make_shared<const envelope>(std::move(request));
    auto reply = [this, from, shared](result<message> got) {
      if (got || got.error().code != error_code::fenced) return answer(from, *shared, std::move(got));
      tell([from, shared](cluster_machine& machine) { machine.take_guest({from, *shared}); });
    };
    entities_->ask_here(shared->ref, *shared->context, shared->body, std::move(reply));
  }

  void serve_node(incarnation_no from, const envelope& request) {
    const auto found = desks_->servers.find(request.body.name());
    if (found == desks_->servers.end())
      return refuse(from, request, {error_code::not_implemented, "This node does not know the request."});
    found->second(*request.context, request.body,
                  [this, from, request](result<message> got) { answer(from, request, std::move(got)); });
  }

  void refuse(incarnation_no to, const envelope& request, const error& why) { answer(to, request, fail(why)); }

  void answer(incarnation_no to, const envelope& request, result<message> got) {
    envelope e;
    e.token = request.token;
    e.attempt = request.attempt;
    const bool elsewhere = !got && got.error().code == error_code::fenced;
    e.kind = elsewhere ? envelope_kind::returned : envelope_kind::reply;
    if (got)
      e.body = std::move(*got);
    else if (!elsewhere)
      e.problem = got.error();
    links_->send(to, encode_envelope(e, deps_.time->steady_now()));
  }

  const cluster_service_deps deps_;
  const std::shared_ptr<message_desks> desks_ = std::make_shared<message_desks>();
  const std::shared_ptr<cluster_face> face_ = std::make_shared<cluster_face>();
  entity::entity_runtime* entities_ = nullptr;
  caf::actor actor_;
  std::atomic<bool> stopped_{false};
  std::unique_ptr<peer_links> links_;
  std::unique_ptr<store_gateway> store_;
};

} // namespace

std::unique_ptr<cluster_service> make_cluster_service(cluster_service_deps deps) {
  return std::make_unique<joined_service>(std::move(deps));
}

} // namespace tobit::cluster
