#include "http/routes/ingest_answer.hpp"
#include "http/routes/route_deps.hpp"

#include <algorithm>
#include <cctype>

namespace tobit::http {

namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

/// How the request writes its events down, by the CloudEvents HTTP binding
/// (https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md §3), plus plain JSON.
result<event::event_format> format_of(const request& incoming) {
  const auto written = lower(incoming.header("content-type"));
  const auto type = written.substr(0, written.find_first_of("; "));
  if (type.starts_with("application/cloudevents-batch")) return event::event_format::batch;
  if (type.starts_with("application/cloudevents")) return event::event_format::structured;
  if (!incoming.header("ce-specversion").empty() || !incoming.header("ce-type").empty())
    return event::event_format::binary;
  if (type == "application/x-ndjson" || type == "application/ndjson" || type == "application/jsonl")
    return event::event_format::ndjson;
  if (type.empty() || type == "application/json" || type.ends_with("+json")) return event::event_format::json;
  return fail(error_code::unsupported_media_type,
              "Send events as application/json, application/x-ndjson, application/cloudevents+json, "
              "application/cloudevents-batch+json, or "
              "with ce-… headers.");
}

void ingest(const route_deps& deps, const exchange_ptr& ex) {
  auto format = format_of(ex->incoming());
  if (!format) return ex->refuse(format.error());
  event::ingest_request wish;
  wish.context = ex->context();
  wish.format = *format;
  if (wish.format == event::event_format::binary) {
    wish.data_content_type = ex->incoming().header("content-type");
    for (const auto& [name, value] : ex->incoming().headers)
      if (name.starts_with("ce-")) wish.attributes.emplace_back(name.substr(3), value);
  }
  wish.body = ex->take_raw_body();
  deps.intake->ingest(std::move(wish),
                      ex->then([ex](const event::ingest_report& report) { answer_ingest(ex, report); }));
}

} // namespace

void add_ingest_routes(route_table& table, const route_deps& deps) {
  route r{.method = "POST", .path = "/cep/events/ingest", .operation = "ingest_events", .tag = "events"};
  r.summary = "Takes events in; answers after they are durable.";
  r.notes = "CloudEvents 1.0 in structured, batch or binary mode, NDJSON of them, or bare JSON objects {type, source?, "
            "time?, subject?, data}. "
            "A repeated source and id is acknowledged and counted once.";
  r.needs = access::permitted("cep:execute", "event");
  r.body = body_rule{.type = anything(),
                     .raw = true,
                     .content_types = {"application/json", "application/x-ndjson", "application/cloudevents+json",
                                       "application/cloudevents-batch+json"},
                     .bytes_max = deps.ingest_body_max};
  r.answers.type = object(ingest_answer_fields());
  r.handler = [deps](const exchange_ptr& ex) { ingest(deps, ex); };
  table.add(std::move(r));
}

} // namespace tobit::http
