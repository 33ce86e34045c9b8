#pragma once

#include "actors/poll/metric_source.hpp"
#include "runtime/outbound/http_client.hpp"

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
};

/// The source "http" (and "runtime", its name in the contract): asks a URL for JSON.
std::unique_ptr<metric_source> make_http_source(http_source_deps deps);

/// Builds the request of a poll: query parameters for GET, a JSON body for POST. `base`: this node's address.
/// Errors: validation_error.
result<outbound::http_request> poll_request(const entity::poll_interest& what, const std::string& base);

/// Makes a document of an answer. Errors: external_service_error whose text shows what came: the status, the content
/// type, the beginning of the body.
result<metric_document> read_answer(const outbound::http_response& answer);

} // namespace tobit::poll
