#include "http/edge.hpp"

#include "http/identity/authenticator.hpp"
#include "http/identity/sign_in.hpp"
#include "http/limit/worker_pool.hpp"
#include "http/route/deadline_watch.hpp"
#include "http/route/dispatcher.hpp"
#include "http/routes/route_deps.hpp"
#include "http/stream/stream_hub.hpp"
#include "schemas/entity/entity_protocol.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tobit::http {

namespace {

/// What is about one entity is served where that entity lives, everything else by the node that was asked.
std::function<std::string(const exchange&)> server_of(const mesh::cluster_access& cluster, std::string here) {
  return [&cluster, here = std::move(here)](const exchange& ex) {
    entity_ref ref{"", ex.tenant(), ""};
    if (ex.has("rule_id")) {
      ref.kind = "rule";
      ref.key = ex.text("rule_id");
    } else if (ex.has("channel_id")) {
      ref.kind = "channel";
      ref.key = ex.text("channel_id");
    } else if (ex.has("kind") && ex.has("key")) {
      ref.kind = ex.text("kind");
      ref.key = ex.text("key");
    }
    return ref.key.empty() ? here : cluster.node_of(ref);
  };
}

constexpr std::chrono::milliseconds tick_every{100};
constexpr std::chrono::milliseconds finish_time{5'000}, finish_step{2};
constexpr std::size_t waiting_queue_max = 10'000;

dispatch_options dispatch_from(const edge_options& o) {
  dispatch_options out;
  out.body_max = o.body_max;
  out.body_time = o.body_time;
  out.deadline = o.request_time;
  const auto seconds = static_cast<double>(o.rate_burst.count()) / 1e3;
  out.per_identity = {o.rate_per_identity, std::max(1.0, o.rate_per_identity * seconds)};
  out.per_address = {o.rate_per_address, std::max(1.0, o.rate_per_address * seconds)};
  return out;
}

dependency_check database_check(storage::database& store) {
  return [&store](std::function<void(result<void>)> done) {
    store.read({"SELECT 1", {}}, [&store, done = std::move(done)](const result<storage::rows>& read) {
      if (!read) return done(fail(read.error()));
      if (!store.status().usable) return done(fail(error_code::database_error, "Reading works, writing does not."));
      done({});
    });
  };
}

/// An entity that nobody defined: whatever answers "not found" is alive.
dependency_check entity_check(entity::entity_gateway& entities, const clock& time) {
  return [&entities, &time](std::function<void(result<void>)> done) {
    const tenant_id tenant{"default"};
    const auto context = new_call(system_identity(tenant), time.steady_now() + readiness::patience);
    entities.ask({"rule", tenant, "health-check"}, context, message::of(entity::inspect_entity{}),
                 [done = std::move(done)](const result<message>& answer) {
                   if (answer || answer.error().code == error_code::not_found) return done({});
                   done(fail(answer.error()));
                 });
  };
}

dependency_check intake_check(event::event_intake& intake, const clock& time) {
  return [&intake, &time](std::function<void(result<void>)> done) {
    event::ingest_request nothing;
    nothing.context = new_call(system_identity(tenant_id{"default"}), time.steady_now() + readiness::patience);
    nothing.format = event::event_format::ndjson;
    intake.ingest(std::move(nothing), [done = std::move(done)](const result<event::ingest_report>& report) {
      // An empty body may well be refused; only an intake that cannot take anything is not ready.
      if (!report && describe(report.error().code).http_status >= 500) return done(fail(report.error()));
      done({});
    });
  };
}

class composed_edge final : public edge {
public:
  composed_edge(const edge_deps& deps, const edge_options& options, std::string secret)
      : deps_(deps)
      , options_(options)
      , signer_(std::move(secret))
      , later_(options.waiting_threads, waiting_queue_max)
      , hashing_(options.hashing_threads, options.hashing_queue_max)
      , people_(*deps.store, *deps.time, signer_, later_, freshness(options))
      , doors_(*deps.store, *deps.time, signer_, people_, hashing_,
               {options.access_token_lifetime, options.refresh_token_lifetime, options.login_attempts_per_minute,
                options.cost})
      , health_(std::make_shared<readiness>(*deps.time)) {
    if (deps.bus) {
      stream_options streams;
      streams.heartbeat = options.stream_heartbeat;
      streams_ = std::make_unique<stream_hub>(*deps.bus, *deps.time, people_, deps.figures, streams);
    }
    add_checks();
    add_routes();
    around_ = std::make_shared<exchange_surroundings>();
    around_->time = deps.time;
    around_->figures = deps.figures;
    around_->spans = deps.spans;
    around_->accesses = deps.accesses;
    around_->deadlines = &deadlines_;
    around_->browsers = {options.security_headers, options.cors_origins};
    if (deps.cluster) around_->served_by = server_of(*deps.cluster, options.instance);
    dispatcher_ = std::make_unique<dispatcher>(table_, around_, people_, dispatch_from(options));
    if (options.own_timer) timer_ = std::thread([this] { run_timer(); });
  }

  ~composed_edge() override {
    stop();
    finish();
  }

  body_limit limit_for(std::string_view method, std::string_view path) const override {
    return dispatcher_->limit_for(method, path);
  }
  void handle(request incoming, responder answer) override {
    dispatcher_->handle(std::move(incoming), std::move(answer));
  }
  response refuse(const error& why) const override { return dispatcher_->refuse(why); }

  void set_phase(std::string phase) override { health_->set_phase(std::move(phase)); }
  void stop() override {
    health_->set_phase("stopping");
    if (streams_) streams_->stop();
  }
  void finish() override {
    // Nobody asks any more, but the database or an entity may still have to answer somebody.
    for (auto waited = std::chrono::milliseconds{0};
         around_->open.load(std::memory_order_acquire) > 0 && waited < finish_time; waited += finish_step)
      std::this_thread::sleep_for(finish_step);
    {
      std::lock_guard lock{guard_};
      ending_ = true;
    }
    wake_.notify_all();
    if (timer_.joinable()) timer_.join();
    hashing_.stop();
    later_.stop();
  }
  void tick() override {
    deadlines_.sweep(deps_.time->steady_now());
    health_->sweep();
    if (streams_) streams_->tick();
  }
  const route_table& routes() const override { return table_; }

private:
  static fresh_cache<account>::bounds freshness(const edge_options& options) {
    fresh_cache<account>::bounds out;
    out.usable_for = options.account_usable_for;
    out.fresh_for = options.account_usable_for / 3;
    return out;
  }

  void add_checks() {
    health_->add("database", database_check(*deps_.store));
    if (deps_.entities) health_->add("entities", entity_check(*deps_.entities, *deps_.time));
    if (deps_.intake) health_->add("event_intake", intake_check(*deps_.intake, *deps_.time));
    for (const auto& [name, check] : deps_.checks) health_->add(name, check);
  }

  void add_routes() {
    route_deps deps;
    deps.store = deps_.store;
    deps.time = deps_.time;
    deps.later = &later_;
    deps.people = &people_;
    deps.doors = &doors_;
    deps.health = health_.get();
    deps.streams = streams_.get();
    deps.figures = deps_.figures;
    deps.refresh_figures = deps_.refresh_figures;
    deps.entities = deps_.entities;
    deps.residents = deps_.residents;
    deps.effects = deps_.effects;
    deps.kinds = deps_.kinds;
    deps.intake = deps_.intake;
    deps.polling_figures = deps_.polling_figures;
    deps.folder = deps_.folder;
    deps.instance = options_.instance;
    deps.started_at = deps_.time->now();
    deps.channels = deps_.channels;
    deps.cluster = deps_.cluster;
    deps.bus = deps_.bus;
    deps.jobs = deps_.jobs;
    deps.version = options_.version;
    deps.build = options_.build;
    deps.metrics_public = options_.metrics_public;
    deps.ingest_body_max = options_.ingest_body_max;
    deps.import_body_max = options_.import_body_max;
    add_health_routes(table_, deps);
    add_auth_routes(table_, deps);
    add_api_key_routes(table_, deps);
    add_permission_routes(table_, deps);
    add_user_routes(table_, deps);
    add_audit_routes(table_, deps);
    if (deps.entities) {
      add_rule_routes(table_, deps);
      add_rule_run_routes(table_, deps);
      add_anomaly_routes(table_, deps);
      add_rule_import_routes(table_, deps);
      if (deps.kinds) add_rule_check_routes(table_, deps);
      add_rule_export_routes(table_, deps);
      add_rules_dir_routes(table_, deps);
      add_template_routes(table_, deps);
      add_rehearsal_routes(table_, deps);
      add_stats_routes(table_, deps);
      add_scheduler_routes(table_, deps);
      add_cluster_routes(table_, deps);
      add_actor_routes(table_, deps);
      add_channel_routes(table_, deps);
      add_channel_status_routes(table_, deps);
      add_dead_letter_routes(table_, deps);
      add_alert_routes(table_, deps);
      add_silence_routes(table_, deps);
      add_notification_routes(table_, deps);
      add_alerting_routes(table_, deps);
    }
    add_event_routes(table_, deps);
    add_event_search_routes(table_, deps);
    add_error_timeline_routes(table_, deps);
    if (deps.intake) add_ingest_routes(table_, deps);
    if (deps.intake) add_alert_ingest_routes(table_, deps);
    if (deps.streams) add_stream_routes(table_, deps);
    add_document_routes(table_, deps);
  }

  void run_timer() {
    std::unique_lock lock{guard_};
    while (!wake_.wait_for(lock, tick_every, [this] { return ending_; })) {
      lock.unlock();
      tick();
      lock.lock();
    }
  }

  const edge_deps deps_;
  const edge_options options_;
  access_token_signer signer_;
  worker_pool later_, hashing_;
  authenticator people_;
  sign_in doors_;
  const std::shared_ptr<readiness> health_;
  deadline_watch deadlines_;
  std::shared_ptr<exchange_surroundings> around_;
  std::unique_ptr<stream_hub> streams_;
  route_table table_;
  std::unique_ptr<dispatcher> dispatcher_;
  std::mutex guard_;
  std::condition_variable wake_;
  bool ending_ = false;
  std::thread timer_;
};

} // namespace

result<std::unique_ptr<edge>> make_edge(const edge_deps& deps, const edge_options& options) {
  auto secret = token_secret(*deps.store);
  if (!secret) return fail(secret.error());
  return std::make_unique<composed_edge>(deps, options, std::move(*secret));
}

} // namespace tobit::http
