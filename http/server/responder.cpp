#include "http/server/responder_channel.hpp"

namespace tobit::http {

// The channel's destructor answers for a responder that nobody used.
responder::~responder() = default;

void responder::send(response answer) {
  if (const auto to = std::move(to_)) to->send(std::move(answer));
}

std::shared_ptr<event_stream> responder::start_stream(response head) {
  const auto to = std::move(to_);
  return to ? to->start_stream(std::move(head)) : nullptr;
}

} // namespace tobit::http
