#include "http/route/trace_headers.hpp"

#include "http/codec/envelope.hpp"

#include <algorithm>

namespace tobit::http {

namespace {

constexpr std::size_t id_length_max = 128;
constexpr std::size_t tracestate_length_max = 512; // https://www.w3.org/TR/trace-context/#tracestate-limits

/// Ids end up in headers, logs and rows: printable ASCII without quotes and separators only.
bool is_plain_id(std::string_view text) {
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.' || c == ':' || c == '/' || c == '+' || c == '=';
  };
  return !text.empty() && text.size() <= id_length_max && std::all_of(text.begin(), text.end(), plain);
}

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

} // namespace

incoming_trace read_trace(const request& incoming) {
  incoming_trace out;
  if (auto parent = parse_traceparent(incoming.header("traceparent"))) {
    out.trace = parent->trace;
    out.parent = parent->span;
    out.flags = parent->flags;
    const auto state = incoming.header("tracestate");
    if (state.size() <= tracestate_length_max && is_printable(state)) out.state = state;
  } else if (auto own = parse_trace_id(incoming.header("x-trace-id"))) {
    out.trace = *own;
  } else {
    out.trace = new_trace_id();
  }
  const auto request_id = incoming.header("x-request-id");
  out.request_id = is_plain_id(request_id) ? std::string(request_id) : new_uuid();
  const auto parent_trace = incoming.header("x-parent-trace-id");
  if (auto id = parse_trace_id(parent_trace))
    out.parent_trace = to_hyphenated(*id);
  else if (is_plain_id(parent_trace))
    out.parent_trace = parent_trace;
  return out;
}

call_context context_of(const incoming_trace& trace, identity_ptr who, steady_time deadline) {
  call_context context;
  context.trace = trace.trace;
  context.span = new_span_id();
  context.parent = trace.parent;
  context.flags = trace.flags;
  context.who = std::move(who);
  context.deadline = deadline;
  return context;
}

void add_trace_headers(header_list& headers, const incoming_trace& trace, const call_context& context) {
  headers.emplace_back("X-Request-ID", trace.request_id);
  headers.emplace_back("X-Trace-ID", to_hyphenated(context.trace));
  if (!trace.parent_trace.empty()) headers.emplace_back("X-Parent-Trace-ID", trace.parent_trace);
  headers.emplace_back("traceparent", to_traceparent(context));
  if (!trace.state.empty()) headers.emplace_back("tracestate", trace.state);
}

} // namespace tobit::http
