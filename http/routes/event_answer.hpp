#pragma once

#include "runtime/storage/database.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <functional>
#include <vector>

namespace tobit::http {

/// The columns of `rule_event`, in the order that `shown_event` expects.
#define TOBIT_EVENT_COLUMNS                                                                                            \
  "event_id, triggered_at, status, summary, severity, ack, ack_at, rule_id, rule_name, trace_id"

/// An event as lists and streams show it (contract §1.4).
json shown_event(const std::vector<storage::value>& row);
json shown_events(const storage::rows& found);

/// How many events wait for somebody: {unacked_count, by_severity}.
void read_event_summary(storage::database& store, const tenant_id& tenant, std::function<void(result<json>)> done);

} // namespace tobit::http
