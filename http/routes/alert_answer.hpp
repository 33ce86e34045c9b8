#pragma once

#include "http/codec/shape.hpp"
#include "http/route/exchange.hpp"
#include "runtime/storage/statement.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"
#include "schemas/message.hpp"

#include <functional>
#include <string>
#include <vector>

namespace tobit::http {

struct route_deps;

/// The columns of `alert`, in the order that `alert_of_row` expects.
#define TOBIT_ALERT_COLUMNS                                                                                            \
  "alert_id, updated_at, started_at, rule_id, rule_name, rule_version, alert_key, status, reason, flapping, severity," \
  " summary, labels, annotations, readings, silenced_by, inhibited_by, fired_at, resolved_at, ack, ack_at, ack_by,"    \
  " ack_comment, event_id, exec_id, trace_id"

json alert_of_row(const std::vector<storage::value>& row);
shape alert_shape();

/// Who asks, as histories show it: the user's name, or the API key's principal.
std::string caller_name(const exchange& ex);

/// The alerting of the caller's tenant.
entity_ref alerting_ref(const exchange& ex);
/// Asks it; refuses on an error, else goes on with the answer of the type that is expected.
template <wire_message Reply, wire_message M, class F>
void ask_alerting(const route_deps& deps, const exchange_ptr& ex, M request, F go_on);

} // namespace tobit::http

#include "http/routes/route_deps.hpp"

namespace tobit::http {

template <wire_message Reply, wire_message M, class F>
void ask_alerting(const route_deps& deps, const exchange_ptr& ex, M request, F go_on) {
  deps.entities->ask(alerting_ref(*ex), ex->context(), message::of(std::move(request)),
                     ex->then([ex, go_on = std::move(go_on)](const message& answer) {
                       const auto* body = answer.as<Reply>();
                       if (!body) return ex->refuse(error{error_code::internal_server_error});
                       go_on(*body);
                     }));
}

} // namespace tobit::http
