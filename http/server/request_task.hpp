#pragma once

#include "http/server/edge_scope.hpp"
#include "http/server/server.hpp"
#include "http/server/task_queue.hpp"

#include <memory>

namespace tobit::http::edge {

/// Hands one complete request to the handler, on a worker: decompresses the body first, up to `body_max` bytes.
std::unique_ptr<task> make_request_task(edge_scope& edge, request incoming, responder answer, std::size_t body_max);

} // namespace tobit::http::edge
