#include "runtime/telemetry/span_outlets.hpp"

#include "runtime/outbound/retry_after.hpp"

#include <algorithm>
#include <utility>

namespace tobit::telemetry {

namespace {

constexpr std::string_view insert_span =
    "INSERT INTO span (trace_id, span_id, parent_span_id, tenant, name, node, started_at, duration_us, status, "
    "attributes) "
    "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (trace_id, span_id) DO NOTHING";

class storage_outlet final : public span_outlet {
public:
  storage_outlet(storage::database& store, node_id node) : store_(store), node_(std::move(node)) {}

  void send(const std::vector<span_record>& batch, answer done) override {
    storage::unit_of_work unit;
    unit.statements.reserve(batch.size());
    for (const auto& span : batch) unit.statements.push_back(row_of(span));
    store_.write(std::move(unit), [done = std::move(done)](const result<storage::write_outcome>& outcome) {
      // A database that is behind gets fewer spans, not more attempts.
      done(outcome ? verdict::taken : verdict::lost, {});
    });
  }

private:
  storage::statement row_of(const span_record& span) const {
    auto attributes = json::object();
    for (const auto& [key, text] : span.attributes) attributes[key] = text;
    return {insert_span,
            {to_string(span.trace), to_string(span.span), span.parent ? to_string(span.parent) : std::string{},
             span.tenant.value, span.name, node_.value, to_micros(span.started_at),
             static_cast<std::int64_t>(span.duration.count()), std::string(span.failed ? "error" : "ok"),
             to_text(attributes)},
            std::nullopt};
  }

  storage::database& store_;
  const node_id node_;
};

class otlp_outlet final : public span_outlet {
public:
  otlp_outlet(outbound::http_client& out, std::string url, otlp_source source, const clock& time)
      : out_(out), url_(std::move(url)), source_(std::move(source)), time_(time) {}

  void send(const std::vector<span_record>& batch, answer done) override {
    outbound::http_request request;
    request.method = "POST";
    request.url = url_;
    request.headers = {{"Content-Type", "application/json"}};
    request.body = to_text(to_otlp(batch, source_));
    request.timeout = std::chrono::seconds{10};
    request.trusted = true;
    out_.send(std::move(request),
              [&time = time_, done = std::move(done)](const result<outbound::http_response>& response) {
                if (response && response->status / 100 == 2) return done(verdict::taken, {});
                // The specification names these as the ones that are worth another attempt.
                const auto status = response ? response->status : 503;
                const auto again = status == 429 || status == 502 || status == 503 || status == 504;
                done(again ? verdict::again : verdict::lost, pause_of(response, time.now()));
              });
  }

private:
  static std::chrono::milliseconds pause_of(const result<outbound::http_response>& response, utc_time now) {
    constexpr std::chrono::milliseconds usual = std::chrono::seconds{5}, longest = std::chrono::minutes{1};
    const auto wished = response ? outbound::retry_after(*response, now) : std::chrono::milliseconds{0};
    return wished.count() > 0 ? std::min(wished, longest) : usual;
  }

  outbound::http_client& out_;
  const std::string url_;
  const otlp_source source_;
  const clock& time_;
};

json text_attribute(std::string_view key, std::string_view text) {
  return {{"key", key}, {"value", {{"stringValue", text}}}};
}

json otlp_span(const span_record& span) {
  const auto nanos = [](std::int64_t micros) { return std::to_string(micros) + "000"; };
  const auto from = to_micros(span.started_at);
  auto attributes = json::array({text_attribute("tobit.tenant", span.tenant.value)});
  for (const auto& [key, text] : span.attributes) attributes.push_back(text_attribute(key, text));
  constexpr int kind_internal = 1, kind_server = 2, kind_client = 3;
  const auto kind = span.name.starts_with("http ")     ? kind_server
                    : span.name.starts_with("outbox ") ? kind_client
                                                       : kind_internal;
  json out{{"traceId", to_string(span.trace)},
           {"spanId", to_string(span.span)},
           {"name", span.name},
           {"kind", kind},
           {"startTimeUnixNano", nanos(from)},
           {"endTimeUnixNano", nanos(from + span.duration.count())},
           {"attributes", std::move(attributes)},
           {"status", span.failed ? json{{"code", 2}} : json::object()}};
  if (span.parent) out["parentSpanId"] = to_string(span.parent);
  return out;
}

} // namespace

json to_otlp(const std::vector<span_record>& spans, const otlp_source& source) {
  auto rendered = json::array();
  for (const auto& span : spans) rendered.push_back(otlp_span(span));
  auto resource = json::array({text_attribute("service.name", source.service)});
  if (!source.version.empty()) resource.push_back(text_attribute("service.version", source.version));
  if (!source.node.empty()) resource.push_back(text_attribute("service.instance.id", source.node.value));
  json scope{{"scope", {{"name", "tobit"}}}, {"spans", std::move(rendered)}};
  return {{"resourceSpans", json::array({json{{"resource", {{"attributes", std::move(resource)}}},
                                              {"scopeSpans", json::array({std::move(scope)})}}})}};
}

std::unique_ptr<span_outlet> make_storage_outlet(storage::database& store, const node_id& node) {
  return std::make_unique<storage_outlet>(store, node);
}

std::unique_ptr<span_outlet> make_otlp_outlet(outbound::http_client& out, std::string url, otlp_source source,
                                              const clock& time) {
  return std::make_unique<otlp_outlet>(out, std::move(url), std::move(source), time);
}

} // namespace tobit::telemetry
