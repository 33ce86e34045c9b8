#include "node/node.hpp"

#include "actors/alert/alerting_kind.hpp"
#include "actors/folder/definition_folder.hpp"
#include "actors/notify/channel/channel_handler.hpp"
#include "actors/notify/channel/channel_kind.hpp"
#include "actors/notify/channel/channel_probe.hpp"
#include "actors/notify/webhook_handler.hpp"
#include "actors/poll/host_source.hpp"
#include "actors/poll/http_source.hpp"
#include "actors/rehearsal/backtest/backtest.hpp"
#include "actors/rule/example_pack.hpp"
#include "actors/rule/rule_kind.hpp"
#include "http/edge.hpp"
#include "node/clustering.hpp"
#include "node/kept_rows.hpp"
#include "node/leading.hpp"
#include "node/options.hpp"
#include "node/own_address.hpp"
#include "node/watchdog.hpp"
#include "runtime/entity/actor_system_settings.hpp"
#include "runtime/entity/entity_runtime.hpp"
#include "runtime/entity/single_node_placement.hpp"
#include "runtime/job/job_desk.hpp"
#include "runtime/stream/event_bus.hpp"
#include "runtime/telemetry/access_log.hpp"
#include "runtime/telemetry/library_log.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span_outlets.hpp"
#include "schemas/alert/alert_protocol.hpp"
#include "schemas/api/api_protocol.hpp"
#include "schemas/channel/channel_protocol.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

#include <algorithm>
#include <cstdio>
#include <mutex>

namespace tobit::node {

using config::setting;

namespace {

/// The parts of a node in the order in which they are built. Destroyed in reverse.
class built_node final : public node {
public:
  explicit built_node(const config::settings& settings) : settings_(settings) {}
  ~built_node() override { stop(); }

  /// The stages, in order. Each stands on those before it.
  result<void> build() {
    using stage = result<void> (built_node::*)();
    struct step {
      const char* name;
      stage run;
    };
    static constexpr step steps[] = {
        {"log", &built_node::open_log},         {"store", &built_node::open_store},
        {"way out", &built_node::open_way_out}, {"telemetry", &built_node::open_telemetry},
        {"actors", &built_node::start_actors},  {"entities", &built_node::start_entities},
        {"edge", &built_node::start_edge},      {"people", &built_node::first_administrator},
        {"wakers", &built_node::start_wakers},  {"examples", &built_node::load_examples},
    };
    for (const auto& step : steps) {
      auto done = (this->*step.run)();
      if (!done) {
        if (log_)
          log_->error("node.stage_failed", "The node cannot start.", {{"stage", step.name}, {"error", done.error()}});
        return done;
      }
    }
    edge_->set_phase("");
    log_->info("node.ready", "The node serves.", {{"url", own_.url()}, {"store", store_->status().kind}});
    return {};
  }

  const std::string& url() const noexcept override { return own_.url(); }

  void stop() override {
    if (stopped_) return;
    stopped_ = true;
    // One budget for all: requests get the first half of it, the rest is for what they left to be stored.
    const auto grace = settings_.duration(setting::shutdown_grace);
    const auto end = time_.steady_now() + grace;
    const auto left = [&] {
      const auto rest = std::chrono::duration_cast<std::chrono::milliseconds>(end - time_.steady_now());
      return std::max(rest, std::chrono::milliseconds{100});
    };
    watchdog cut_off{grace + std::chrono::seconds{15}};
    if (log_) log_->info("node.stopping");
    if (edge_) edge_->set_phase("stopping");
    if (edge_) edge_->stop();
    if (server_) server_->stop(grace / 2);
    if (folder_) folder_->stop();
    if (jobs_) jobs_->stop();
    if (cluster_) cluster_->stop(left());
    if (leading_) leading_->finish(left());
    if (entities_) entities_->stop(left());
    if (edge_) edge_->finish(); // short: whoever still waited for an entity has been answered by now
    retention_.reset();
    server_.reset();
    if (log_) log_->info("node.stopped");
  }

private:
  result<void> open_log() {
    auto log = telemetry::open_log(log_options(settings_), time_);
    if (!log) return fail(log.error());
    log_ = std::move(*log);
    telemetry::adopt_library_log(*log_);
    for (const auto& remark : settings_.warnings()) log_->warning("config.remark", remark);
    const auto file = settings_.in_data_dir(settings_.text(setting::log_access_file));
    if (file.empty()) {
      accesses_ = telemetry::no_access_log();
      return {};
    }
    auto accesses = telemetry::open_access_log(file, log_rotation(settings_));
    if (!accesses) return fail(accesses.error());
    accesses_ = std::move(*accesses);
    return {};
  }

  result<void> open_store() {
    auto store = storage::open_database(database_url(settings_), database_options(settings_));
    if (!store) return fail(store.error());
    store_ = std::move(*store);
    retention_ = std::make_unique<storage::retention>(
        *store_, time_, kept_rows(settings_), std::chrono::hours{1}, [this](const storage::retention_outcome& outcome) {
          if (outcome.failure)
            log_->warning("retention.failed", {}, {{"rows", outcome.name}, {"error", *outcome.failure}});
          else
            log_->info("retention.removed", {}, {{"rows", outcome.name}, {"count", outcome.removed}});
        });
    return {};
  }

  result<void> open_telemetry() {
    stream::event_bus_options streams;
    streams.first_id = static_cast<std::uint64_t>(to_micros(time_.now())); // ids also rise over restarts
    bus_ = stream::make_event_bus(streams);
    spans_ = std::make_unique<telemetry::span_recorder>(span_options(settings_), time_, &figures_);
    telemetry::outlet_options sampled;
    sampled.ratio = static_cast<double>(settings_.integer(setting::telemetry_span_sampling_percent)) / 100;
    spans_->add_outlet(telemetry::make_storage_outlet(*store_, self_), sampled);
    const auto& collector = settings_.text(setting::telemetry_otlp_endpoint);
    if (!collector.empty()) {
      spans_->add_outlet(telemetry::make_otlp_outlet(*out_, collector, {"tobit", TOBIT_VERSION, self_}, time_),
                         sampled);
    }
    spans_->start();
    return {};
  }

  result<void> open_way_out() {
    auto client = outbound::make_outbound_client(outbound_options(settings_));
    if (!client) return fail(client.error());
    out_ = std::move(*client);
    return {};
  }

  result<void> start_actors() {
    entity::register_entity_messages();
    rule::register_rule_messages();
    api::register_api_messages();
    channel::register_channel_messages();
    alert::register_alert_messages();
    entity::configure_actors(actor_config_, settings_.count(setting::node_workers));
    if (clustered(settings_)) cluster::configure_links(actor_config_, cluster_options_of(settings_).links);
    actors_ = std::make_unique<caf::actor_system>(actor_config_);
    return {};
  }

  result<void> start_entities() {
    rules_ = std::make_unique<rule::rule_kind>(outbound_options(settings_).guard, settings_.text(setting::timezone),
                                               settings_.integer(setting::cep_max_firings_per_minute));
    alerting_ = std::make_unique<alert::alerting_kind>(outbound_options(settings_).guard);
    kinds_.add(*rules_); // the kind table
    const notify::channel_rules channel_rules{outbound_options(settings_).guard, channel_options(settings_).secrets};
    channels_ = std::make_unique<notify::channel_kind>(channel_rules);
    kinds_.add(*channels_);
    kinds_.add(*alerting_);
    make_leading();
    if (auto placed = place(); !placed) return placed;
    auto* far = cluster_ ? &cluster_->spread(*http_source_) : http_source_.get();
    leading_->reads(
        {{"host", host_.get()}, {"http", far}, {"runtime", http_source_.get()}, {"probe", far}, {"prometheus", far}});
    notify::webhook_options hooks;
    hooks.own_url = [this] { return own_.url_if_known(); };
    hooks.timeout = settings_.duration(setting::outbound_timeout);
    hooks.response_max = settings_.size(setting::outbound_response_max);
    hooks.secrets = channel_options(settings_).secrets;
    webhooks_ = std::make_unique<notify::webhook_handler>(*out_, time_, hooks);
    channel_handler_ = std::make_unique<notify::channel_handler>(
        notify::channel_handler_deps{*out_, *store_, time_, &figures_}, channel_options(settings_));
    channel_probe_ = std::make_unique<notify::channel_probe>(*out_, time_, channel_rules, channel_options(settings_));
    entity::runtime_deps deps;
    deps.system = actors_.get();
    deps.db = store_.get();
    deps.time = &time_;
    deps.kinds = &kinds_;
    deps.places = places_.get();
    if (cluster_) {
      deps.places = &cluster_->service();
      deps.remote = &cluster_->service();
      deps.shard_refused = cluster_->shard_refused();
    }
    deps.self = self_;
    deps.handlers = {webhooks_.get(), channel_handler_.get()};
    deps.listeners = cluster_ ? cluster_->listeners() : leading_->listeners();
    deps.bus = &live_bus();
    deps.figures = &figures_;
    deps.spans = spans_.get();
    entities_ = entity::make_entity_runtime(std::move(deps), entity_options(settings_));
    leading_->wakes(*entities_);
    make_folder();
    if (auto started = start_jobs(); !started) return started;
    return entities_->start();
  }

  /// A node of its own owns every shard; a member of a cluster is told which.
  result<void> place() {
    if (clustered(settings_)) {
      clustering_deps deps{actors_.get(),
                           store_.get(),
                           &time_,
                           leading_.get(),
                           bus_.get(),
                           log_.get(),
                           event_log_options(settings_).request};
      auto member = cluster_options_of(settings_);
      clustering_options options;
      options.advertised = std::exchange(member.profile.address, {});
      options.profile = std::move(member.profile);
      options.times = member.times;
      options.links = std::move(member.links);
      options.database_url = database_url(settings_);
      options.database = database_options(settings_);
      auto cluster = clustering::open(std::move(deps), std::move(options));
      if (!cluster) return fail(cluster.error());
      cluster_ = std::move(*cluster);
      return {};
    }
    const auto shards = static_cast<entity::shard_id>(settings_.integer(setting::entity_shard_count));
    auto places = entity::single_node_placement::open(*store_, self_, shards);
    if (!places) return fail(places.error());
    places_ = std::move(*places);
    return {};
  }

  void make_leading() {
    host_ = poll::make_host_source(*actors_, time_);
    http_source_ = poll::make_http_source({*out_, out_.get(), [this] { return own_.url_if_known(); }, &time_});
    leading_deps deps;
    deps.actors = actors_.get();
    deps.store = store_.get();
    deps.time = &time_;
    deps.figures = &figures_;
    deps.log = log_.get();
    deps.events = event_log_options(settings_);
    deps.polling = poll_options(settings_);
    deps.schedules = settings_.boolean(setting::ops_enable_cep_scheduler);
    deps.polls = settings_.boolean(setting::cep_enable_metric_polling);
    leading_ = std::make_unique<leading>(std::move(deps));
  }

  stream::event_bus& live_bus() { return cluster_ ? cluster_->bus() : *bus_; }

  result<void> start_jobs() {
    backtests_ = std::make_unique<rehearsal::backtest_work>(*store_, kinds_);
    jobs_ = std::make_unique<job::job_desk>(*store_, time_, &live_bus(), self_);
    jobs_->add(*backtests_);
    return jobs_->start();
  }

  void make_folder() {
    const auto folder = folder_options(settings_);
    if (folder.path.empty()) return;
    folder_ = folder::make_definition_folder({*actors_, *store_, *entities_, kinds_, time_, figures_}, folder);
  }

  result<void> start_edge() {
    auto listening = server_options(settings_);
    if (!listening) return fail(listening.error());
    http::edge_deps deps;
    deps.store = store_.get();
    deps.time = &time_;
    deps.entities = entities_.get();
    deps.effects = entities_.get();
    deps.residents = entities_.get();
    deps.kinds = &kinds_;
    deps.polling_figures = [this](std::function<void(json)> done) { inspect_polling(std::move(done)); };
    deps.cluster = cluster_.get();
    if (cluster_)
      deps.checks.emplace_back("cluster", [this](const std::function<void(result<void>)>& done) {
        if (cluster_->service().may_act()) return done({});
        done(fail(error_code::unavailable, "This node is no member of its cluster now."));
      });
    if (folder_)
      deps.folder = [this](bool again, std::function<void(json)> done) { folder_->inspect(again, std::move(done)); };
    deps.intake = cluster_ ? &cluster_->intake() : &alone_intake_;
    deps.channels = channel_probe_.get();
    deps.bus = &live_bus();
    deps.jobs = jobs_.get();
    deps.figures = &figures_;
    deps.refresh_figures = [this] { sample_figures(); };
    deps.spans = spans_.get();
    deps.accesses = accesses_.get();
    auto edge = http::make_edge(deps, edge_options(settings_, listening->address));
    if (!edge) return fail(edge.error());
    edge_ = std::move(*edge);
    edge_->set_phase("starting");
    auto server = http::start_server(*listening, *edge_);
    if (!server) return fail(server.error());
    server_ = std::move(*server);
    own_.set(listening->address, server_->port(), !listening->certificate_file.empty());
    return {};
  }

  /// What the store and the server count by themselves, brought over when somebody looks.
  void sample_figures() {
    using telemetry::metric;
    std::lock_guard lock{sampling_};
    const auto bring = [this](metric id, std::uint64_t now, std::uint64_t& before) {
      figures_.count(id, {}, static_cast<double>(now - before));
      before = now;
    };
    const auto store = store_->status();
    bring(metric::storage_transactions, store.transactions, sampled_transactions_);
    bring(metric::storage_units, store.units_committed, sampled_units_);
    figures_.set(metric::storage_write_queue, static_cast<double>(store.writes_queued));
    if (!server_) return;
    const auto server = server_->figures();
    figures_.set(metric::http_connections, static_cast<double>(server.connections));
    bring(metric::http_refused, server.refused, sampled_refused_);
  }

  void inspect_polling(std::function<void(json)> done) {
    if (!cluster_) {
      if (!leading_->inspect_polling(done)) done(nullptr);
      return;
    }
    const auto call = new_call(system_identity(tenant_id{"default"}), time_.steady_now() + std::chrono::seconds{2});
    cluster_->inspect_polling(call, [done = std::move(done)](result<json> got) { done(got ? *got : json()); });
  }

  result<void> first_administrator() {
    auto admin = http::bootstrap_admin(*store_, time_, settings_.text(setting::admin_password));
    if (!admin) return fail(admin.error());
    if (admin->created && !admin->generated_password.empty())
      std::fprintf(stderr,
                   "First start: sign in as '%s' with the password: %s\nIt is not shown again; change it with POST "
                   "/auth/password.\n",
                   admin->username.c_str(), admin->generated_password.c_str());
    return {};
  }

  result<void> start_wakers() {
    if (auto started = cluster_ ? cluster_->start(*entities_) : leading_->start_and_wait(); !started) return started;
    if (folder_) folder_->start();
    return {};
  }

  result<void> load_examples() {
    if (!settings_.boolean(setting::load_examples)) return {};
    const auto now = time_.steady_now();
    const auto call = new_call(system_identity(tenant_id{"default"}), now + std::chrono::seconds{30});
    auto loaded = rule::load_example_pack(*entities_, call, now);
    if (!loaded) return fail(loaded.error());
    log_->info("examples.loaded", {}, {{"created", loaded->created}, {"present", loaded->present}});
    return {};
  }

  const config::settings& settings_;
  const node_id self_{settings_.text(setting::node_id)};
  bool stopped_ = false;
  own_address own_;
  std::mutex sampling_;
  std::uint64_t sampled_transactions_ = 0, sampled_units_ = 0, sampled_refused_ = 0;

  anchored_clock time_; ///< the machine's, and in a cluster the database's
  std::unique_ptr<telemetry::logger> log_;
  std::unique_ptr<telemetry::access_log> accesses_;
  std::unique_ptr<storage::database> store_;
  std::unique_ptr<storage::retention> retention_;
  telemetry::metrics figures_;
  std::unique_ptr<outbound::outbound_client> out_;
  std::unique_ptr<telemetry::span_recorder> spans_;
  std::unique_ptr<stream::event_bus> bus_;
  caf::actor_system_config actor_config_;
  std::unique_ptr<caf::actor_system> actors_;
  entity::kind_registry kinds_;
  std::unique_ptr<rule::rule_kind> rules_;
  std::unique_ptr<notify::channel_kind> channels_;
  std::unique_ptr<alert::alerting_kind> alerting_;
  std::unique_ptr<poll::metric_source> host_, http_source_;
  std::unique_ptr<leading> leading_;
  leading_intake alone_intake_{leading_};
  std::unique_ptr<entity::single_node_placement> places_; ///< of a node of its own …
  std::unique_ptr<clustering> cluster_;                   ///< … or of a member
  std::unique_ptr<notify::webhook_handler> webhooks_;
  std::unique_ptr<notify::channel_handler> channel_handler_;
  std::unique_ptr<notify::channel_probe> channel_probe_;
  std::unique_ptr<entity::entity_runtime> entities_;
  std::unique_ptr<folder::definition_folder> folder_;
  std::unique_ptr<rehearsal::backtest_work> backtests_;
  std::unique_ptr<job::job_desk> jobs_;
  std::unique_ptr<http::edge> edge_;
  std::unique_ptr<http::server> server_;
};

} // namespace

result<std::unique_ptr<node>> node::start(const config::settings& settings) {
  auto built = std::make_unique<built_node>(settings);
  if (auto done = built->build(); !done) return fail(done.error());
  return built;
}

} // namespace tobit::node
