#include "node/clustering.hpp"

#include "actors/event/forwarding_intake.hpp"
#include "cluster/cluster_step.hpp"
#include "cluster/store/cluster_statements.hpp"
#include "schemas/cluster/node_protocol.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace tobit::node {

namespace {

using namespace std::chrono_literals;
using cluster::node_report;

/// Hands the news on to the work on this node, if it leads, and to the other nodes.
class interest_relay final : public entity::interest_listener {
public:
  interest_relay(entity::interest_listener& here, const std::unique_ptr<cluster::cluster_service>& others)
      : here_(here), others_(others) {}
  std::string_view source() const noexcept override { return here_.source(); }
  void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) override {
    cluster::interest_news news;
    news.source = here_.source();
    news.kind = ref.kind;
    news.tenant = ref.tenant.value;
    news.key = ref.key;
    news.version = version;
    news.wanted = spec.has_value();
    if (spec) news.spec = *spec;
    here_.interest_changed(ref, version, std::move(spec));
    others_->cast(message::of(std::move(news)));
  }

private:
  entity::interest_listener& here_;
  const std::unique_ptr<cluster::cluster_service>& others_;
};

class relaying_bus final : public stream::event_bus {
public:
  relaying_bus(stream::event_bus& here, const std::unique_ptr<cluster::cluster_service>& others)
      : here_(here), others_(others) {}
  void publish(const tenant_id& tenant, const std::string& topic, const std::string& event, const json& body) override {
    here_.publish(tenant, topic, event, body);
    others_->cast(message::of(cluster::stream_news{tenant.value, topic, event, body}));
  }
  std::shared_ptr<void> subscribe(const tenant_id& tenant, const std::string& topic, std::uint64_t after_id,
                                  watcher watch) override {
    return here_.subscribe(tenant, topic, after_id, std::move(watch));
  }

private:
  stream::event_bus& here_;
  const std::unique_ptr<cluster::cluster_service>& others_;
};

/// The members write it down, too: whoever looks for a node that does not come looks there first.
void tell_members(storage::database& store, const std::string& node, const std::string& why) {
  storage::unit_of_work unit;
  unit.statements.push_back({"SELECT pg_notify($1, $2)",
                             {std::string(cluster::notify_channel), "The node '" + node + "' was refused: " + why}});
  store.write(std::move(unit), [](const result<storage::write_outcome>&) {});
}

json shown(const node_report& report) {
  return {{"event", cluster::to_string(report.what)},
          {"incarnation", report.incarnation},
          {"epoch", report.epoch},
          {"sentence", report.sentence}};
}

/// Has the members read metrics in turn. The leader's loop bounds how many are under way in the whole cluster.
class spread_source final : public poll::metric_source {
public:
  spread_source(poll::metric_source& here, cluster::cluster_service& others, const clock& time)
      : here_(here), others_(others), time_(time) {}

  void read(const entity::poll_interest& what, std::function<void(result<poll::metric_document>)> done) override {
    const auto patience = std::chrono::milliseconds{what.timeout_ms} + 1s;
    const auto call = new_call(system_identity(tenant_id{"default"}), time_.steady_now() + patience);
    others_.ask_any(call, message::of(cluster::read_metric{what}),
                    [this, what, done = std::move(done)](result<message> got) {
                      const auto* told = got ? got->as<cluster::document>() : nullptr;
                      if (told) return done(std::make_shared<const json>(told->body));
                      // A member that is just leaving must not cost a reading.
                      if (!got && got.error().code == error_code::unavailable) return here_.read(what, done);
                      done(fail(got ? error{error_code::internal_server_error} : got.error()));
                    });
  }

private:
  poll::metric_source& here_;
  cluster::cluster_service& others_;
  const clock& time_;
};

void answer_reading(poll::metric_source& here, const json& what, cluster::cluster_service::reply_handler reply) {
  try {
    here.read(what.get<entity::poll_interest>(), [reply](result<poll::metric_document> got) {
      if (!got) return reply(fail(got.error()));
      reply(message::of(cluster::document{**got}));
    });
  } catch (const json::exception&) {
    reply(fail(error_code::validation_error, "The leader asked for a metric that this release does not know."));
  }
}

class member_part final : public clustering {
public:
  member_part(clustering_deps deps, clustering_options options, cluster::shard_id shards)
      : deps_(std::move(deps)), options_(std::move(options)), bus_(*deps_.bus, service_) {
    for (auto* listener : deps_.lead->listeners())
      relays_.push_back(std::make_unique<interest_relay>(*listener, service_));
    make_service(shards);
    make_intake();
    serve();
    deps_.lead->on_refused([this](std::int64_t epoch) { service_->leading_refused(epoch); });
  }

  cluster::cluster_service& service() noexcept override { return *service_; }
  event::event_intake& intake() noexcept override { return *intake_; }
  stream::event_bus& bus() noexcept override { return bus_; }

  std::vector<entity::interest_listener*> listeners() override {
    std::vector<entity::interest_listener*> all;
    for (const auto& relay : relays_) all.push_back(relay.get());
    return all;
  }

  std::function<void(const entity::fence&)> shard_refused() override {
    return [this](const entity::fence& right) { service_->shard_refused(right.shard, right.epoch); };
  }

  result<void> start(entity::entity_runtime& entities) override {
    entities_ = &entities;
    return service_->start(entities, options_.join_patience);
  }

  void stop(std::chrono::milliseconds grace) override { service_->stop(grace); }

  // -- mesh::cluster_access

  void inspect(std::function<void(json)> done) override { service_->inspect(std::move(done)); }

  poll::metric_source& spread(poll::metric_source& here) override {
    spread_ = std::make_unique<spread_source>(here, *service_, *deps_.time);
    service_->serve(cluster::read_metric::wire_name,
                    [&here](const call_context&, const message& m, cluster::cluster_service::reply_handler reply) {
                      answer_reading(here, m.as<cluster::read_metric>()->what, std::move(reply));
                    });
    return *spread_;
  }

  void inspect_nodes(call_context context, std::function<void(json)> done) override {
    auto gather = [done = std::move(done)](std::vector<cluster::cluster_service::node_answer> all) {
      json nodes = json::array();
      for (auto& [node, answer] : all) {
        const auto* told = answer ? answer->as<cluster::document>() : nullptr;
        if (told)
          nodes.push_back({{"node", node}, {"answered", true}, {"document", told->body}});
        else
          nodes.push_back({{"node", node},
                           {"answered", false},
                           {"error", answer ? "It answered something else." : std::string(answer.error().text())}});
      }
      done(std::move(nodes));
    };
    service_->ask_all(std::move(context), message::of(cluster::inspect_node{}), std::move(gather));
  }

  void residents(call_context context, std::vector<entity_ref> only,
                 std::function<void(std::shared_ptr<const mesh::gathered_residents>)> done) override {
    cluster::list_residents question;
    for (const auto& ref : only) question.only.push_back({ref.kind, ref.tenant.value, ref.key});
    service_->ask_all(std::move(context), message::of(std::move(question)),
                      [done = std::move(done)](const std::vector<cluster::cluster_service::node_answer>& all) {
                        auto gathered = std::make_shared<mesh::gathered_residents>();
                        for (const auto& one : all) gather(one, *gathered);
                        done(std::move(gathered));
                      });
  }

  void inspect_polling(call_context context, std::function<void(result<json>)> done) override {
    service_->ask_leader(std::move(context), message::of(cluster::inspect_polling{}), true,
                         [done = std::move(done)](result<message> got) {
                           if (!got) return done(fail(got.error()));
                           const auto* told = got->as<cluster::document>();
                           done(told ? told->body : json());
                         });
  }

  void drain_node(const std::string& node, const std::string& reason, std::function<void(result<void>)> done) override {
    service_->drain_node(node, reason, std::move(done));
  }

  void remove_node(const std::string& node, std::function<void(result<void>)> done) override {
    storage::unit_of_work unit;
    unit.statements.push_back({"SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM cluster_node WHERE node = $1"
                               " AND status IN ('up', 'draining'))",
                               {node},
                               1,
                               error_code::conflict});
    unit.statements.push_back({"DELETE FROM cluster_node WHERE node = $1", {node}});
    deps_.store->write(std::move(unit), [node, done = std::move(done)](result<storage::write_outcome> gone) {
      if (!gone && gone.error().code == error_code::conflict)
        return done(fail(error_code::conflict, "'" + node + "' is a member; drain or stop it first."));
      if (!gone) return done(fail(gone.error()));
      if (gone->affected.at(1) == 0)
        return done(fail(error_code::not_found, "The cluster never had a node '" + node + "'."));
      done({});
    });
  }

  std::string node_of(const entity_ref& ref) const override {
    const auto shard = static_cast<cluster::shard_id>(stable_hash(ref) % service_->shard_count());
    return service_->owner_of(shard).value;
  }

private:
  void make_service(cluster::shard_id shards) {
    cluster::cluster_service_deps d;
    d.system = deps_.actors;
    d.time = deps_.time;
    d.profile = options_.profile;
    d.times = options_.times;
    d.shard_count = shards;
    d.hooks.start_leading = [this](cluster::epoch_no epoch, cluster::incarnation_no self) {
      deps_.lead->start({epoch, cluster::leader_fence(self, epoch)});
    };
    d.hooks.stop_leading = [this](cluster::epoch_no epoch) { deps_.lead->stop(epoch); };
    d.hooks.report = [this](const node_report& report) { told(report); };
    d.hooks.peer_linked = [this](cluster::incarnation_no) { deps_.lead->read_interests(); };
    d.hooks.refused = [this](const cluster::link_refusal& refusal) {
      deps_.log->warning("cluster.link_refused", refusal.sentence,
                         {{"address", refusal.address}, {"node", refusal.node}, {"reason", refusal.reason}});
    };
    d.hooks.members = [this](const std::vector<std::string>& names) { follow_members(names); };
    d.hooks.told = [this](const std::string& sentence) { deps_.log->warning("cluster.node_refused", sentence); };
    d.hooks.database_time = [this](utc_time at) { deps_.time->anchor(at); };
    d.open_links = [this](cluster::link_events events) -> result<std::unique_ptr<cluster::peer_links>> {
      return cluster::open_peer_links(*deps_.actors, options_.links, options_.profile.cluster_id, options_.profile.node,
                                      std::move(events));
    };
    d.advertised = options_.advertised;
    d.open_store = [this](cluster::store_events events) {
      return cluster::open_store_gateway(options_.database_url, options_.database, options_.times, std::move(events));
    };
    service_ = cluster::make_cluster_service(std::move(d));
  }

  void make_intake() {
    event::forwarding_deps d;
    d.time = deps_.time;
    d.limits = deps_.events;
    d.local = [this] { return deps_.lead->events(); };
    d.ask_leader = [this](call_context context, message request, std::function<void(result<message>)> reply) {
      service_->ask_leader(std::move(context), std::move(request), true, std::move(reply));
    };
    intake_ = event::make_forwarding_intake(std::move(d));
  }

  void serve() {
    using reply_handler = cluster::cluster_service::reply_handler;
    service_->hear(cluster::interest_news::wire_name, [this](const message& m) {
      const auto& news = *m.as<cluster::interest_news>();
      if (auto* slot = deps_.lead->slot(news.source))
        slot->interest_changed({news.kind, tenant_id{news.tenant}, news.key}, news.version,
                               news.wanted ? std::optional(news.spec) : std::nullopt);
    });
    service_->hear(cluster::stream_news::wire_name, [this](const message& m) {
      const auto& news = *m.as<cluster::stream_news>();
      deps_.bus->publish(tenant_id{news.tenant}, news.topic, news.event, news.body);
    });
    service_->serve(
        cluster::append_events::wire_name, [this](const call_context& context, const message& m, reply_handler reply) {
          event::append_forwarded(deps_.lead->events(), context, *m.as<cluster::append_events>(), std::move(reply));
        });
    service_->serve(cluster::inspect_polling::wire_name,
                    [this](const call_context&, const message&, const reply_handler& reply) {
                      const bool here = deps_.lead->inspect_polling(
                          [reply](json figures) { reply(message::of(cluster::document{std::move(figures)})); });
                      if (!here) reply(fail(error_code::fenced));
                    });
    service_->serve(cluster::inspect_node::wire_name,
                    [this](const call_context&, const message&, const reply_handler& reply) {
                      json about{{"build", options_.profile.build}, {"leading", deps_.lead->active()}};
                      reply(message::of(cluster::document{std::move(about)}));
                    });
    service_->serve(cluster::list_residents::wire_name,
                    [this](const call_context&, const message& m, const reply_handler& reply) {
                      reply(message::of(cluster::document{in_memory(m.as<cluster::list_residents>()->only)}));
                    });
  }

  json in_memory(const json& only) const {
    constexpr std::size_t most = 100'000;
    json all = json::array();
    const auto show = [&](const entity_ref& ref) {
      const auto one = entities_->resident(ref);
      if (one && all.size() < most)
        all.push_back({ref.kind, ref.tenant.value, ref.key, one->status, one->unanswered, one->handled, one->failed,
                       one->time_total_us, one->time_longest_us});
    };
    if (only.is_null()) {
      for (const auto& ref : entities_->residents()) show(ref);
      return all;
    }
    for (const auto& ref : only) show({ref.at(0), tenant_id{ref.at(1).get<std::string>()}, ref.at(2)});
    return all;
  }

  static void gather(const cluster::cluster_service::node_answer& one, mesh::gathered_residents& into) {
    const auto* told = one.answer ? one.answer->as<cluster::document>() : nullptr;
    if (!told) {
      into.silent.push_back(one.node);
      return;
    }
    for (const auto& r : told->body)
      into.by_ref[{r.at(0), tenant_id{r.at(1).get<std::string>()}, r.at(2)}] = {r.at(3), r.at(4), r.at(5), r.at(6),
                                                                                r.at(7), r.at(8), one.node};
  }

  /// Who leaves cannot tell it everybody any more; so each node tells its own watchers what it sees.
  void follow_members(const std::vector<std::string>& names) {
    std::vector<std::string> came, went;
    std::set_difference(names.begin(), names.end(), members_.begin(), members_.end(), std::back_inserter(came));
    std::set_difference(members_.begin(), members_.end(), names.begin(), names.end(), std::back_inserter(went));
    members_ = names;
    const auto publish = [this](const std::string& node, const char* event, const char* sentence) {
      deps_.log->info(std::string("cluster.") + event, {}, {{"node", node}});
      deps_.bus->publish(
          tenant_id{"default"}, "cluster.events", "cluster_event",
          {{"event", event}, {"node", node}, {"sentence", sentence}, {"at", to_rfc3339(deps_.time->now())}});
    };
    for (const auto& node : came) publish(node, "member_came", "This node is a member now.");
    for (const auto& node : went) publish(node, "member_gone", "This node is no member any more.");
  }

  void told(const node_report& report) {
    using kind = node_report::kind;
    const bool bad = report.what == kind::fenced || report.what == kind::refused || report.what == kind::peer_refused ||
                     report.what == kind::buried;
    const auto name = "cluster." + std::string(cluster::to_string(report.what));
    if (bad)
      deps_.log->warning(name, report.sentence, {{"incarnation", report.incarnation}, {"epoch", report.epoch}});
    else
      deps_.log->info(name, report.sentence, {{"incarnation", report.incarnation}, {"epoch", report.epoch}});
    if (report.what == kind::refused) tell_members(*deps_.store, options_.profile.node, report.sentence);
    auto item = shown(report);
    item["node"] = options_.profile.node;
    item["at"] = to_rfc3339(deps_.time->now());
    bus_.publish(tenant_id{"default"}, "cluster.events", "cluster_event", item);
  }

  const clustering_deps deps_;
  const clustering_options options_;
  std::unique_ptr<cluster::cluster_service> service_;
  relaying_bus bus_;
  std::vector<std::unique_ptr<interest_relay>> relays_;
  std::unique_ptr<event::event_intake> intake_;
  std::unique_ptr<poll::metric_source> spread_;
  std::vector<std::string> members_; ///< as last told; only on the cluster's actor
  entity::entity_runtime* entities_ = nullptr;
};

} // namespace

result<std::unique_ptr<clustering>> clustering::open(clustering_deps deps, clustering_options options) {
  const auto rows = deps.store->read_and_wait(
      {"SELECT name, value FROM cluster_value WHERE name IN ('cluster_id', 'shard_count')", {}});
  if (!rows) return fail(rows.error());
  std::string id, count;
  for (const auto& row : rows->values)
    (storage::as_text(row[0]) == "cluster_id" ? id : count) = storage::as_text(row[1]);
  if (id.empty())
    return fail(error_code::configuration_error,
                "This database belongs to no cluster yet; run `tobit cluster init` for it first.");
  if (id != options.profile.cluster_id) {
    const auto why = "This database belongs to the cluster '" + id + "', cluster.id says '" +
                     options.profile.cluster_id + "'; check database.url and cluster.id.";
    tell_members(*deps.store, options.profile.node, why);
    return fail(error_code::configuration_error, why);
  }
  cluster::shard_id shards = 0;
  const auto end = count.data() + count.size();
  if (std::from_chars(count.data(), end, shards).ptr != end || shards == 0)
    return fail(error_code::configuration_error, "The store's shard_count is damaged; restore it from a backup.");
  return std::make_unique<member_part>(std::move(deps), std::move(options), shards);
}

} // namespace tobit::node
