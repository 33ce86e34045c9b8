#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/outbound/http_client.hpp"
#include "schemas/error.hpp"

#include <string>

namespace tobit::notify {

/// Makes the HTTP request of a webhook. The effect's body:
///
///     {"endpoint": "https://…" or "/path", "method": "POST", "headers": {}, "params": {}, "body": …, "payload": {…}}
///
/// - `endpoint`: a path means this node itself (`own_url`), which the address guard then lets through.
/// - `method`: POST if it is missing and there is something to send, else GET. (The original's default was GET, which
///   cannot carry the evaluated values.)
/// - What is sent: `body` if it is there, else, unless the method is GET, HEAD or DELETE, `payload`. A text is sent as
///   it is, everything else as JSON.
/// - `params`: members of the JSON object that is sent, where it has none of that name; query parameters if nothing or
///   something else is sent.
/// - `headers`: all but `Idempotency-Key` (the effect's id, the same on every attempt) and `traceparent`, which are
/// ours.
///
/// Errors: validation_error if the body is not of this form, unavailable if `own_url` is needed and empty.
result<outbound::http_request> webhook_request(const entity::outgoing_effect& effect, const std::string& own_url);

} // namespace tobit::notify
