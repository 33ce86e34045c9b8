#pragma once

#include "schemas/call_context.hpp"
#include "schemas/error.hpp"
#include "schemas/json.hpp"

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

namespace tobit::event {

/// How the events of a request are written down.
enum class event_format {
  json,       ///< application/json: one bare object or CloudEvent, or an array of them
  structured, ///< application/cloudevents+json: one CloudEvent
  batch,      ///< application/cloudevents-batch+json: an array of CloudEvents
  ndjson,     ///< application/x-ndjson: one bare object or CloudEvent a line
  binary      ///< any other content type with ce-* headers: attributes in headers, data in the body
};

struct ingest_request {
  call_context context;
  event_format format = event_format::json;
  std::string body;
  std::vector<std::pair<std::string, std::string>> attributes; ///< binary mode: ce-* headers without the prefix
  std::string data_content_type;                               ///< binary mode
};

struct rejected_event {
  std::size_t index = 0; ///< position in the request
  error reason;
};

struct ingest_report {
  std::size_t accepted = 0, duplicate = 0;
  std::vector<rejected_event> rejected; ///< at most 100 are listed, `rejected_total` counts all
  std::size_t rejected_total = 0;
};

/// Where events enter. Thread-safe.
class event_intake {
public:
  virtual ~event_intake() = default;
  /// Parses, removes duplicates (by tenant, source and id), appends to the durable log; `done` is called once, after
  /// the commit, on another thread; a refusal, and the answer to a request without a usable event, come on the caller's
  /// thread before this returns. Errors: malformed_json (the whole body is unusable), payload_too_large, overloaded,
  /// database_error; then nothing was taken.
  virtual void ingest(ingest_request request, std::function<void(result<ingest_report>)> done) = 0;
};

} // namespace tobit::event
