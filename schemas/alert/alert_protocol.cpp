#include "schemas/alert/alert_protocol.hpp"

#include "schemas/alert/alerting_events.hpp"

namespace tobit::alert {

void register_alert_messages() {
  register_messages<alert_changed, alerts_changed, alerts_noted, acknowledge_alert, resolve_alert, alert_answer,
                    put_silence, end_silence, silence_answer, alerting_stepped>();
}

} // namespace tobit::alert
