#include "http/codec/alert_payload.hpp"
#include "http/routes/ingest_answer.hpp"
#include "http/routes/route_deps.hpp"

namespace tobit::http {

namespace {

void ingest_alerts(const route_deps& deps, const exchange_ptr& ex, alert_sender sender) {
  auto read = read_alert_payload(sender, ex->body());
  if (!read) return ex->refuse(read.error());
  const auto further = read->truncated == 0 ? json::object() : json{{"truncated", read->truncated}};
  if (read->events.empty()) return answer_ingest(ex, report_of_alerts(*read, {}), further, "alerts");
  event::ingest_request wish;
  wish.context = ex->context();
  wish.format = event::event_format::batch;
  wish.body = to_text(read->events);
  read->events = nullptr;
  deps.intake->ingest(std::move(wish), ex->then([ex, further, read = std::move(*read)](event::ingest_report report) {
    answer_ingest(ex, report_of_alerts(read, std::move(report)), further, "alerts");
  }));
}

route alert_route(const route_deps& deps, alert_sender sender, std::string name, std::string operation,
                  std::string title) {
  route r{.method = "POST",
          .path = "/cep/events/ingest/" + name,
          .operation = std::move(operation),
          .tag = "events",
          .summary = "Takes the alerts of " + title + "."};
  r.notes = "Each alert becomes one event of the type " + name +
            ".alert.firing or .resolved with the alert as its data. Fingerprint, status and start make its id: what is "
            "sent again is acknowledged and counted once. An alert that cannot be read is refused by itself.";
  r.needs = access::permitted("cep:execute", "event");
  r.body = body_rule{.type = open_object(), .bytes_max = deps.ingest_body_max};
  auto fields = ingest_answer_fields();
  fields.push_back(optional("truncated", whole(0, 1e9).described("Alerts that the sender left out by its own limit.")));
  r.answers.type = object(std::move(fields));
  r.handler = [deps, sender](const exchange_ptr& ex) { ingest_alerts(deps, ex, sender); };
  return r;
}

} // namespace

void add_alert_ingest_routes(route_table& table, const route_deps& deps) {
  table.add(alert_route(deps, alert_sender::alertmanager, "alertmanager", "ingest_alertmanager",
                        "Prometheus's Alertmanager (webhook payload, version 4)"));
  table.add(alert_route(deps, alert_sender::grafana, "grafana", "ingest_grafana",
                        "Grafana's unified alerting (webhook contact point)"));
}

} // namespace tobit::http
