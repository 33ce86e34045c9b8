#pragma once

#include "actors/poll/metric_source.hpp"
#include "runtime/outbound/http_client.hpp"
#include "runtime/time/clock.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tobit::poll {

struct http_source_deps {
  outbound::http_client& outside; ///< for absolute URLs; guards the addresses
  /// For endpoints that begin with a slash, which mean this node itself: the client for them (it may be the same; the
  /// guard lets them through) and the address (`http://127.0.0.1:8080`), asked at each poll. Null: they are refused.
  outbound::http_client* own = nullptr;
  std::function<std::string()> own_address;
  const clock* time = nullptr; ///< for how long a probe takes; null: it is not measured
};

/// The sources "http" (and "runtime", its name in the contract), which asks a URL for JSON or, with a selector, for a
/// page of Prometheus's text format, "prometheus", which asks a server's query API, and "probe", for which every answer
/// and every failure is a reading.
std::unique_ptr<metric_source> make_http_source(http_source_deps deps);

/// Builds the request of a poll: query parameters for GET, a JSON body for POST (a form for "prometheus"). `base`: this
/// node's address. Errors: validation_error.
result<outbound::http_request> poll_request(const entity::poll_interest& what, const std::string& base);

/// Makes a document of an answer. Errors: external_service_error whose text shows what came: the status, the content
/// type, the beginning of the body.
result<metric_document> read_answer(const outbound::http_response& answer);

/// The same for what was asked: series of a page or of a query become the document of `series_document`.
result<metric_document> read_answer(const entity::poll_interest& what, const outbound::http_response& answer);

/// What a probe found: {up: 1 or 0, status (0: none), latency_ms, bytes, error (null: none)}. Up is an answer with a
/// status below 400.
metric_document probe_document(const result<outbound::http_response>& answer, std::chrono::microseconds took);

} // namespace tobit::poll
