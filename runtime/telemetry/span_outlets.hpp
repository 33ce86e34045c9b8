#pragma once

#include "runtime/outbound/http_client.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/span_outlet.hpp"
#include "runtime/time/clock.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <memory>
#include <string>
#include <vector>

namespace tobit::telemetry {

/// Writes spans to the table `span`, a batch in one unit of work. `store` outlives the outlet.
std::unique_ptr<span_outlet> make_storage_outlet(storage::database& store, const node_id& node);

/// Who the spans are from, as OpenTelemetry's resource attributes say it.
struct otlp_source {
  std::string service = "tobit"; ///< service.name
  std::string version;           ///< service.version
  node_id node;                  ///< service.instance.id
};

/// Sends spans to an OTLP collector over HTTP with JSON, https://opentelemetry.io/docs/specs/otlp/#otlphttp.
/// `url`: the whole address, e.g. http://collector:4318/v1/traces; as the operator's own setting it may be private.
/// `out` and `time` outlive the outlet.
std::unique_ptr<span_outlet> make_otlp_outlet(outbound::http_client& out, std::string url, otlp_source source,
                                              const clock& time);

/// The body of an export request.
json to_otlp(const std::vector<span_record>& spans, const otlp_source& source);

} // namespace tobit::telemetry
