#include "http/routes/route_deps.hpp"

namespace tobit::http {

namespace {

json to_json(const readiness::report& seen) {
  json checks = json::array();
  for (const auto& check : seen.checks)
    checks.push_back({{"name", check.name},
                      {"status", check.ok ? "up" : "down"},
                      {"problem", check.problem.empty() ? json(nullptr) : json(check.problem)},
                      {"duration_ms", static_cast<double>(check.took.count()) / 1e3}});
  return {{"status", seen.ready ? "up" : "degraded"}, {"checks", checks}};
}

/// The contract's public form.
json overview(const readiness::report& seen, const storage::database_status& database) {
  json problem = nullptr;
  for (const auto& check : seen.checks)
    if (!check.ok) problem = check.name + ": " + check.problem;
  const bool postgres = database.kind == "postgresql";
  const auto connected = [&] {
    return json{{"connected", database.usable}, {"error", database.usable ? json(nullptr) : json("not usable")}};
  };
  return {{"status", seen.ready ? "up" : "degraded"},
          {"startup", {{"ready", seen.ready}, {"in_progress", false}, {"error", problem}}},
          {"database", {{"kind", database.kind}, {"connected", database.usable}}},
          {"postgres", postgres ? connected() : json{{"connected", false}, {"error", "not configured"}}}};
}

route simple(const char* path, const char* operation, const char* summary, route_handler handler,
             shape type = open_object()) {
  return {.method = "GET",
          .path = path,
          .operation = operation,
          .tag = "health",
          .summary = summary,
          .needs = access::anybody(),
          .answers = {.type = std::move(type)},
          .unlimited = true,
          .handler = std::move(handler)};
}

route metrics_route(const route_deps& deps) {
  route r = simple(
      "/metrics", "get_metrics", "Counts and times of this node for Prometheus (text format 0.0.4).",
      [figures = deps.figures, refresh = deps.refresh_figures](const exchange_ptr& ex) {
        if (refresh) refresh();
        response out;
        out.content_type = "text/plain; version=0.0.4; charset=utf-8";
        out.body = figures->expose();
        ex->send(std::move(out));
      },
      text());
  r.answers.content_type = "text/plain";
  r.answers.enveloped = false;
  if (!deps.metrics_public) r.needs = access::permitted("metric:read", "metrics");
  r.notes = "Open to anybody while the node listens on loopback only; else it takes the permission metric:read.";
  return r;
}

} // namespace

void add_health_routes(route_table& table, const route_deps& deps) {
  const auto up = open_object({required("status", text())});
  const auto alive = [](const exchange_ptr& ex) { ex->ok({{"status", "up"}}); };
  table.add(simple("/healthz", "get_healthz", "Whether the process answers at all.", alive, up));
  table.add(simple("/health/live", "get_liveness", "Whether the process answers at all.", alive, up));

  auto ready = simple(
      "/health/ready", "get_readiness", "Whether everything works that requests need.",
      [health = deps.health](const exchange_ptr& ex) {
        health->look([ex](const readiness::report& seen) {
          if (seen.ready) return ex->ok(to_json(seen));
          std::string failing;
          for (const auto& check : seen.checks)
            if (!check.ok) failing += (failing.empty() ? "" : ", ") + check.name;
          ex->refuse({error_code::unavailable, "Not ready: " + failing + "."}, to_json(seen));
        });
      },
      open_object({required("status", text()), required("checks", list_of(open_object()))}));
  ready.notes = "Each dependency is asked at most once a second and for at most 2 s.";
  ready.errors = {error_code::unavailable};
  table.add(std::move(ready));

  table.add(simple(
      "/health", "get_health", "How the node and its database are doing.",
      [health = deps.health, store = deps.store](const exchange_ptr& ex) {
        health->look([ex, store](const readiness::report& seen) { ex->ok(overview(seen, store->status())); });
      },
      open_object({required("status", text()), required("startup", open_object())})));
  table.add(simple(
      "/hello", "get_hello", "A greeting, as a smoke check.",
      [](const exchange_ptr& ex) {
        ex->ok({{"message", "Hello from Tobit"}});
      },
      object({required("message", text())})));
  table.add(simple(
      "/version", "get_version", "Which release this node runs.",
      [version = deps.version, build = deps.build](const exchange_ptr& ex) {
        ex->ok({{"name", "tobit"}, {"version", version}, {"build", build}});
      },
      object({required("name", text()), required("version", text()), required("build", text())})));
  if (deps.figures) table.add(metrics_route(deps));
}

} // namespace tobit::http
