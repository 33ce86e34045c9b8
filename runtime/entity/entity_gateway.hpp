#pragma once

#include "schemas/call_context.hpp"
#include "schemas/ids.hpp"
#include "schemas/message.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace tobit::entity {

/// How everybody talks to entities, wherever they live. Thread-safe; local and remote look the same.
///
/// Delivery: at most once. A request that was answered with success is durable. One that was answered with
/// `unavailable`, `fenced`, `overloaded` or `deadline_exceeded` may or may not have been carried out (the latter) or
/// was not (the others).
class entity_gateway {
public:
  using reply_handler = std::function<void(result<message>)>;

  virtual ~entity_gateway() = default;

  /// Sends a request. `reply` is called exactly once, on an unspecified thread; it must neither block nor throw.
  /// A request whose deadline passes while it waits is answered `deadline_exceeded`; one that finds the entity's queue
  /// full `overloaded`; one to an entity without a definition `not_found`.
  virtual void ask(entity_ref ref, call_context context, message request, reply_handler reply) = 0;

  /// Sends without wanting an answer; failures are only counted and logged.
  void tell(entity_ref ref, call_context context, message request);

  /// Asks and waits until the context's deadline. Only for threads that may wait: HTTP workers, the command line,
  /// tests. `now` is the steady clock's present. Precondition: the context has a deadline.
  result<message> ask_and_wait(entity_ref ref, call_context context, message request, steady_time now);

  /// The same with the expected answer's type. Errors: also internal_server_error if the answer is of another type.
  template <wire_message Reply>
  result<Reply> ask_and_wait(entity_ref ref, call_context context, message request, steady_time now) {
    auto answer = ask_and_wait(std::move(ref), std::move(context), std::move(request), now);
    if (!answer) return fail(answer.error());
    if (auto* body = answer->template as<Reply>()) return *body;
    return fail(error_code::internal_server_error, "Unexpected answer " + std::string(answer->name()));
  }
};

} // namespace tobit::entity
