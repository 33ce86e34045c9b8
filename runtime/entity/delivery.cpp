#include "runtime/entity/delivery.hpp"

#include <spdlog/spdlog.h>

namespace tobit::entity {

delivery::delivery(call_context context, message request, entity_gateway::reply_handler reply, steady_time arrived)
    : context_(std::move(context)), request_(std::move(request)), reply_(std::move(reply)), arrived_(arrived) {}

delivery::~delivery() { answer(fail(error_code::unavailable)); }

void delivery::accept(std::shared_ptr<entity_figures> receiver) noexcept {
  receiver_ = std::move(receiver);
  receiver_->unanswered.fetch_add(1, std::memory_order_relaxed);
}

void delivery::answer(result<message> reply) noexcept {
  if (!reply_) return;
  if (receiver_) receiver_->unanswered.fetch_sub(1, std::memory_order_relaxed);
  auto tell = std::move(reply_);
  reply_ = nullptr;
  try {
    tell(std::move(reply));
  } catch (const std::exception& e) {
    spdlog::error("entity_reply_handler_threw message={} what=\"{}\"", request_.name(), e.what());
  }
}

} // namespace tobit::entity
