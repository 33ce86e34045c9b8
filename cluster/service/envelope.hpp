#pragma once

#include "schemas/call_context.hpp"
#include "schemas/cluster/cluster_protocol.hpp"
#include "schemas/error.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <optional>
#include <string>

/// What one frame between two nodes holds.
namespace tobit::cluster {

enum class envelope_kind : std::uint8_t {
  say = 1,     ///< a message of the cluster's own protocol
  request = 2, ///< to an entity, to the leader or to the node; answered by `reply` or `returned`
  reply = 3,
  returned = 4, ///< the request was not carried out: what it is for is not there
  cast = 5      ///< to the node, without an answer
};

/// Whom a request is for.
enum class request_scope : std::uint8_t { entity = 1, leader = 2, node = 3 };

/// One envelope. On the wire it is a CBOR map (RFC 8949) with short keys, version 1; unknown keys are ignored, so that
/// a later release may add some. Deadlines travel as the time that is left, because steady clocks are not comparable.
struct envelope {
  envelope_kind kind = envelope_kind::say;
  std::uint64_t token = 0;   ///< the asker's name of the request
  std::uint32_t attempt = 0; ///< the asker's count of sending it
  request_scope scope = request_scope::entity;
  entity_ref ref; ///< of a request to an entity
  std::int64_t shard = 0;
  epoch_no epoch = 0;                  ///< of the shard's row by which the request was sent
  std::optional<call_context> context; ///< of a request or cast
  message body;                        ///< of say, request, reply without problem, cast
  std::optional<error> problem;        ///< of a reply
};

/// `now`: of the clock by which the context's deadline is counted.
std::string encode_envelope(const envelope& what, steady_time now);
/// Errors: validation_error (not an envelope; the sender is not to be trusted any more), not_implemented (a message or
/// kind that a newer node sent; the rest of the envelope is filled in `partial`, so that a request can be answered).
result<envelope> decode_envelope(std::string_view frame, steady_time now, envelope* partial = nullptr);

} // namespace tobit::cluster
