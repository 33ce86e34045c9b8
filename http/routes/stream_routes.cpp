#include "http/routes/event_answer.hpp"
#include "http/routes/route_deps.hpp"

#include <chrono>
#include <memory>

namespace tobit::http {

using namespace storage;

namespace {

constexpr std::chrono::minutes history{60};

stream_kind::message_source summary_source(database& store) {
  return [&store](const tenant_id& tenant, stream_kind::messages_receiver done) {
    read_event_summary(store, tenant, [done = std::move(done)](result<json> summary) {
      if (!summary) return done(fail(summary.error()));
      done(std::vector<stream_message>{{"summary", std::move(*summary)}});
    });
  };
}

/// Contract §2.11: the summary, then what happened in the last hour.
stream_kind::message_source opening_source(database& store, const clock& time) {
  return [&store, &time](const tenant_id& tenant, stream_kind::messages_receiver done) {
    summary_source(store)(
        tenant, [&store, &time, tenant, done = std::move(done)](result<std::vector<stream_message>> first) mutable {
          if (!first) return done(fail(first.error()));
          store.read({"SELECT " TOBIT_EVENT_COLUMNS
                      " FROM rule_event WHERE tenant = $1 AND triggered_at >= CAST($2 AS BIGINT)"
                      " ORDER BY triggered_at DESC, event_id DESC LIMIT 100",
                      {tenant.value, to_micros(time.now() - history)}},
                     [first = std::move(*first), done = std::move(done)](const result<rows>& found) mutable {
                       if (!found) return done(fail(found.error()));
                       first.push_back({"historical", {{"events", shown_events(*found)}}});
                       done(std::move(first));
                     });
        });
  };
}

/// HEAD is answered with the head alone: nobody would read the stream.
void watch(stream_hub& hub, const exchange_ptr& ex, const std::shared_ptr<const stream_kind>& kind) {
  if (ex->incoming().method != "HEAD") return hub.open(ex, kind);
  response head;
  head.content_type = "text/event-stream";
  ex->send(std::move(head));
}

route stream_route(const char* path, const char* operation, const char* tag, const char* summary, access needs,
                   stream_hub& hub, std::shared_ptr<const stream_kind> kind) {
  return {.method = "GET",
          .path = path,
          .operation = operation,
          .tag = tag,
          .summary = summary,
          .notes = "Server-sent events. `Last-Event-ID` resumes; where items are gone for good an event `gap` {after, "
                   "next} says so. "
                   "`ping` comes every few seconds, `shutdown` when the node stops, `error` when the caller may no "
                   "longer watch.",
          .needs = std::move(needs),
          .parameters = {in_header("last-event-id", text(0, 40))},
          .answers = {.type = text(), .content_type = "text/event-stream", .enveloped = false},
          .errors = {error_code::overloaded},
          .handler = [&hub, kind](const exchange_ptr& ex) { watch(hub, ex, kind); }};
}

} // namespace

void add_stream_routes(route_table& table, const route_deps& deps) {
  auto events = std::make_shared<stream_kind>();
  events->topic = "cep.events";
  events->needs = {"cep:read", "event", ""};
  events->summary = summary_source(*deps.store);
  events->opening = opening_source(*deps.store, *deps.time);
  table.add(stream_route("/cep/events/stream", "watch_events", "events",
                         "What rules store, as it happens: `summary`, `historical`, then `new_event` and `ack_event`, "
                         "each followed by a `summary`.",
                         access::permitted("cep:read", "event"), *deps.streams, std::move(events)));
  auto cluster = std::make_shared<stream_kind>();
  cluster->topic = "cluster.events";
  cluster->needs = {"cep:read", "actor", ""};
  table.add(stream_route("/cluster/events", "watch_cluster", "cluster",
                         "Members that join, leave or are fenced, and who leads, as it happens at any node: "
                         "`cluster_event` {event, node, incarnation, epoch, sentence, at}.",
                         access::permitted("cep:read", "actor"), *deps.streams, std::move(cluster)));
  auto actors = std::make_shared<stream_kind>();
  actors->topic = "actors";
  actors->needs = {"cep:read", "actor", ""};
  table.add(stream_route("/actors/stream", "watch_actors", "actors", "Changes of actors' status, as they happen.",
                         access::permitted("cep:read", "actor"), *deps.streams, std::move(actors)));
}

} // namespace tobit::http
