#pragma once

#include "http/identity/authenticator.hpp"
#include "http/identity/sign_in.hpp"
#include "http/limit/worker_pool.hpp"
#include "http/route/exchange.hpp"
#include "http/route/route_table.hpp"
#include "http/routes/readiness.hpp"
#include "http/stream/stream_hub.hpp"
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
#include "runtime/telemetry/metrics.hpp"

#include <cstddef>
#include <string>

namespace tobit::http {

/// What the routes need. Everything outlives the server.
struct route_deps {
  storage::database* store = nullptr;
  const clock* time = nullptr;
  worker_pool* later = nullptr; ///< for what waits
  authenticator* people = nullptr;
  sign_in* doors = nullptr;
  readiness* health = nullptr;
  stream_hub* streams = nullptr;
  telemetry::metrics* figures = nullptr;               ///< null: no /metrics
  std::function<void()> refresh_figures;               ///< called before they are shown; may be empty
  entity::entity_gateway* entities = nullptr;          ///< null: no rules and actors
  const entity::entity_residency* residents = nullptr; ///< null: nobody is shown as being in memory
  entity::effect_watch* effects = nullptr;             ///< null: a trigger does not wait for its effects
  const entity::kind_registry* kinds = nullptr;        ///< null: nothing is checked without being saved
  event::event_intake* intake = nullptr;               ///< null: no /cep/events/ingest
  /// Gives `poll::poll_loop::inspect`'s figures; may be empty.
  std::function<void(std::function<void(json)>)> polling_figures;
  /// `folder::definition_folder::inspect`; empty: no folder is watched.
  std::function<void(bool, std::function<void(json)>)> folder;
  std::string instance = "local"; ///< the node's name
  utc_time started_at;
  notice::channel_tester* channels = nullptr; ///< null: no /cep/channels/test
  stream::event_bus* bus = nullptr;           ///< null: no event streams
  job::job_desk* jobs = nullptr;              ///< null: no long work
  mesh::cluster_access* cluster = nullptr;    ///< null: a node of its own
  std::string version = "0.1.0", build;
  bool metrics_public = false;
  std::size_t ingest_body_max = 16u << 20, import_body_max = 32u << 20;
};

// One function per group of endpoints; each adds its lines to the table.
void add_health_routes(route_table& table, const route_deps& deps);
void add_auth_routes(route_table& table, const route_deps& deps);
void add_api_key_routes(route_table& table, const route_deps& deps);
void add_permission_routes(route_table& table, const route_deps& deps);
void add_user_routes(route_table& table, const route_deps& deps);
void add_audit_routes(route_table& table, const route_deps& deps);
void add_rule_routes(route_table& table, const route_deps& deps);
void add_rule_run_routes(route_table& table, const route_deps& deps);
void add_anomaly_routes(route_table& table, const route_deps& deps);
void add_rule_import_routes(route_table& table, const route_deps& deps);
void add_rule_check_routes(route_table& table, const route_deps& deps); ///< precondition: `kinds`
void add_rule_export_routes(route_table& table, const route_deps& deps);
void add_rules_dir_routes(route_table& table, const route_deps& deps);
void add_template_routes(route_table& table, const route_deps& deps);
void add_channel_routes(route_table& table, const route_deps& deps);
void add_channel_status_routes(route_table& table, const route_deps& deps);
void add_dead_letter_routes(route_table& table, const route_deps& deps);
void add_alert_routes(route_table& table, const route_deps& deps);
void add_silence_routes(route_table& table, const route_deps& deps);
void add_notification_routes(route_table& table, const route_deps& deps);
void add_alerting_routes(route_table& table, const route_deps& deps);
void add_event_routes(route_table& table, const route_deps& deps);
void add_event_search_routes(route_table& table, const route_deps& deps);
void add_error_timeline_routes(route_table& table, const route_deps& deps);
void add_cluster_routes(route_table& table, const route_deps& deps);
void add_scheduler_routes(route_table& table, const route_deps& deps);
void add_ingest_routes(route_table& table, const route_deps& deps);
void add_alert_ingest_routes(route_table& table, const route_deps& deps);
void add_rehearsal_routes(route_table& table, const route_deps& deps);
void add_stats_routes(route_table& table, const route_deps& deps);
void add_actor_routes(route_table& table, const route_deps& deps);
void add_stream_routes(route_table& table, const route_deps& deps);
/// /openapi.json and /docs: call last, they show what the table holds by then.
void add_document_routes(route_table& table, const route_deps& deps);

} // namespace tobit::http
