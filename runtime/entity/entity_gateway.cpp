#include "runtime/entity/entity_gateway.hpp"

#include <future>

namespace tobit::entity {

void entity_gateway::tell(entity_ref ref, call_context context, message request) {
  ask(std::move(ref), std::move(context), std::move(request), [](const result<message>&) {});
}

result<message> entity_gateway::ask_and_wait(entity_ref ref, call_context context, message request, steady_time now) {
  auto answer = std::make_shared<std::promise<result<message>>>();
  auto arrived = answer->get_future();
  const auto left = context.deadline > now ? context.deadline - now : std::chrono::microseconds{0};
  ask(std::move(ref), std::move(context), std::move(request),
      [answer](result<message> reply) { answer->set_value(std::move(reply)); });
  if (arrived.wait_for(left) != std::future_status::ready) return fail(error_code::deadline_exceeded);
  return arrived.get();
}

} // namespace tobit::entity
