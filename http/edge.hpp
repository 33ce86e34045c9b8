#pragma once

#include "http/identity/first_start.hpp"
#include "http/routes/readiness.hpp"
#include "http/server/server.hpp"
#include "runtime/entity/effect_watch.hpp"
#include "runtime/entity/entity_gateway.hpp"
#include "runtime/entity/entity_residency.hpp"
#include "runtime/entity/kind_registry.hpp"
#include "runtime/intake/event_intake.hpp"
#include "runtime/job/job_desk.hpp"
#include "runtime/mesh/cluster_access.hpp"
#include "runtime/notice/channel_tester.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/stream/event_bus.hpp"
#include "runtime/telemetry/access_log.hpp"
#include "runtime/telemetry/metrics.hpp"
#include "runtime/telemetry/span.hpp"
#include "runtime/time/clock.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace tobit::http {

class route_table;

/// What the edge is set to. The settings that these come from are named.
struct edge_options {
  std::string version = "0.1.0", build;           ///< as /version shows them
  std::string instance = "local";                 ///< node.id
  std::size_t body_max = 1u << 20;                ///< http.body_max
  std::chrono::milliseconds body_time{30'000};    ///< http.body_time
  std::chrono::milliseconds request_time{10'000}; ///< http.request_time
  std::size_t ingest_body_max = 16u << 20;        ///< events.body_max
  std::size_t import_body_max = 32u << 20;
  double rate_per_identity = 0, rate_per_address = 0;         ///< http.rate_limit_per_…; requests/s, 0: no limit
  std::chrono::milliseconds rate_burst{2'000};                ///< http.rate_limit_burst
  bool security_headers = true;                               ///< http.security_headers
  std::vector<std::string> cors_origins;                      ///< http.cors_origins
  std::chrono::seconds access_token_lifetime{30 * 60};        ///< auth.access_token_lifetime
  std::chrono::seconds refresh_token_lifetime{7 * 24 * 3600}; ///< auth.refresh_token_lifetime
  double login_attempts_per_minute = 10;                      ///< auth.login_attempts_per_minute
  bool metrics_public = false; ///< /metrics without signing in: set it while the server listens on loopback only
  std::size_t hashing_threads = 1, hashing_queue_max = 64; ///< passwords: about ten a second and thread
  std::size_t waiting_threads = 1; ///< go on with requests whose caller had to be loaded; 0: on the storage thread
  password_cost cost = password_cost::interactive();
  std::chrono::milliseconds stream_heartbeat{5'000};
  std::chrono::milliseconds account_usable_for{3'000}; ///< how long another node's change of rights may stay unseen
  bool own_timer = true;                               ///< a thread that calls `tick`; tests call it themselves
};

/// What the edge works with. Everything outlives it. Null pointers leave out the endpoints that need them.
struct edge_deps {
  storage::database* store = nullptr; ///< never null
  const clock* time = nullptr;        ///< never null
  entity::entity_gateway* entities = nullptr;
  const entity::entity_residency* residents = nullptr;
  entity::effect_watch* effects = nullptr;
  const entity::kind_registry* kinds = nullptr;
  std::function<void(std::function<void(json)>)> polling_figures; ///< see `poll::poll_loop::inspect`; may be empty
  /// See `folder::definition_folder::inspect`; empty: no folder is watched.
  std::function<void(bool, std::function<void(json)>)> folder;
  event::event_intake* intake = nullptr;
  notice::channel_tester* channels = nullptr;
  stream::event_bus* bus = nullptr;
  job::job_desk* jobs = nullptr;
  telemetry::metrics* figures = nullptr;
  /// Called before the figures are shown, for those that are only read then; any thread. May be empty.
  std::function<void()> refresh_figures;
  telemetry::span_sink* spans = nullptr;
  telemetry::access_log* accesses = nullptr;
  /// Further dependencies for /health/ready; database, entities and event intake are checked in any case.
  std::vector<std::pair<std::string, dependency_check>> checks;
  mesh::cluster_access* cluster = nullptr; ///< null: a node of its own
};

/// Everything above the server: who asks, may they, what do they ask, and what is answered.
class edge : public request_handler {
public:
  /// A node that is "starting" or "stopping" is not ready; empty: it is running.
  virtual void set_phase(std::string phase) = 0;
  /// Says goodbye on event streams and refuses further ones. Call it before the server's `stop`.
  virtual void stop() = 0;
  /// Ends its own threads; afterwards nothing of the edge calls the database or the gateway. Call it between the
  /// server's `stop` and theirs.
  virtual void finish() = 0;
  /// Heartbeats and deadlines; only needed without `own_timer`.
  virtual void tick() = 0;
  virtual const route_table& routes() const = 0;
};

/// Builds the edge. Waits for the database once (the tokens' secret). Stop order: `stop`, the server, `finish`,
/// gateway, intake, database; destroy the edge last, because their last callbacks may still need it. Errors:
/// database_error, configuration_error.
result<std::unique_ptr<edge>> make_edge(const edge_deps& deps, const edge_options& options = {});

} // namespace tobit::http
