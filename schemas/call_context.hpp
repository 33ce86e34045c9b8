#pragma once

#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tobit {

/// viewer < developer < manager < admin; `system` is Tobit itself and never comes from outside.
enum class role : std::uint8_t { none = 0, viewer = 1, developer = 2, manager = 3, admin = 4, system = 5 };
std::string_view to_string(role r) noexcept;
std::optional<role> parse_role(std::string_view text) noexcept;

/// Who asks. Shared by all messages of one request, so that passing a context on copies no strings.
struct identity {
  tenant_id tenant;
  principal_id principal;
  role rank = role::none;
  std::string request_id;     ///< `X-Request-ID`, ours or the caller's
  std::string parent_trace{}; ///< `X-Parent-Trace-ID`: the caller's own trace that led to this one; may be empty
};
using identity_ptr = std::shared_ptr<const identity>;

/// Tobit itself acting for `tenant`.
identity_ptr system_identity(const tenant_id& tenant);

/// Travels as the first part of every request, through timers, retries, the outbox, replay and the hop to another node.
struct call_context {
  trace_id trace;
  span_id span;                              ///< the span this message belongs to
  span_id parent;                            ///< its parent
  std::uint8_t flags = 1;                    ///< W3C trace flags; bit 0: sampled
  identity_ptr who;                          ///< never null
  steady_time deadline = steady_time::max(); ///< after this nobody waits any more; max() for work without an asker

  const tenant_id& tenant() const noexcept { return who->tenant; }

  /// The context of work done on behalf of this one: same trace, identity and deadline, new span below this span.
  [[nodiscard]] call_context child() const;
  [[nodiscard]] call_context with_deadline(steady_time at) const;
};

/// A new trace without a parent.
call_context new_call(identity_ptr who, steady_time deadline = steady_time::max());

/// W3C Trace Context (https://www.w3.org/TR/trace-context/): `00-<trace>-<span>-<flags>`.
std::string to_traceparent(const call_context& context);
struct traceparent {
  trace_id trace;
  span_id span;
  std::uint8_t flags = 0;
};
std::optional<traceparent> parse_traceparent(std::string_view text) noexcept;

/// What of a context is stored with an outbox row or a journal event: everything except the deadline.
std::string encode_context(const call_context& context);
/// Reads what `encode_context` wrote; a malformed text gives a fresh context of the system identity of "default".
call_context decode_context(std::string_view text);

} // namespace tobit
