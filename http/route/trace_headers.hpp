#pragma once

#include "http/server/server.hpp"
#include "schemas/call_context.hpp"

#include <string>

namespace tobit::http {

/// What a request says about the trace it belongs to, and what its answer says back.
struct incoming_trace {
  trace_id trace; ///< of `traceparent`, else of `X-Trace-ID`, else new
  span_id parent; ///< the caller's span, if `traceparent` was sent
  std::uint8_t flags = 1;
  std::string state;        ///< `tracestate`, only together with a valid `traceparent`
  std::string request_id;   ///< `X-Request-ID` if it is at most 128 plain characters, else a new UUID
  std::string parent_trace; ///< `X-Parent-Trace-ID`; 32 hexadecimal digits are written as a UUID
};

incoming_trace read_trace(const request& incoming);

/// The context of a request's own span.
call_context context_of(const incoming_trace& trace, identity_ptr who, steady_time deadline);

/// X-Request-ID, X-Trace-ID, X-Parent-Trace-ID (if one was sent), traceparent, tracestate.
void add_trace_headers(header_list& headers, const incoming_trace& trace, const call_context& context);

} // namespace tobit::http
