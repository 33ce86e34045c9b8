#pragma once

#include "runtime/intake/event_intake.hpp"
#include "schemas/json.hpp"

#include <cstddef>
#include <string_view>
#include <vector>

namespace tobit::http {

/// Programs whose alert notifications are taken in as events.
enum class alert_sender { alertmanager, grafana };

/// The alerts of one notification as CloudEvents.
struct alert_events {
  json events = json::array();
  std::vector<std::size_t> alerts;             ///< the place in the notification that each event came from
  std::vector<event::rejected_event> rejected; ///< alerts that cannot be read; the index is that of the alert
  std::size_t truncated = 0;                   ///< alerts that the sender left out by its own limit
};

/// Reads the webhook payload of Prometheus's Alertmanager (version 4,
/// https://prometheus.io/docs/alerting/latest/configuration/#webhook_config) or of Grafana's unified alerting
/// (https://grafana.com/docs/grafana/latest/alerting/configure-notifications/manage-contact-points/integrations/webhook-notifier/).
///
/// Each alert becomes one event: type `alertmanager.alert.firing` or `….resolved` (`grafana.…`), source the sender's
/// external URL, subject its fingerprint, time when it began or ended, data the alert as it was sent plus receiver,
/// groupKey, groupLabels and externalURL. The id is made of fingerprint, status and start: what a sender repeats is
/// recognised as a duplicate. Errors: validation_error with the pointer, if the payload as a whole is not one.
result<alert_events> read_alert_payload(alert_sender sender, const json& payload);

/// Puts what the intake said of the events back in terms of the alerts.
event::ingest_report report_of_alerts(const alert_events& read, event::ingest_report report);

} // namespace tobit::http
