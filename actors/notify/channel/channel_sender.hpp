#pragma once

#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/channel/channel_options.hpp"
#include "runtime/outbound/outbound_client.hpp"
#include "runtime/time/clock.hpp"

#include <functional>

namespace tobit::notify {

/// Makes one attempt to hand a delivery over, with the adapter of its type. Stateless besides what it is given, which
/// outlives it; thread-safe.
class channel_sender {
public:
  using callback = std::function<void(entity::effect_outcome)>;

  channel_sender(outbound::outbound_client& out, const clock& time, channel_options options)
      : out_(out), time_(time), options_(std::move(options)) {}

  /// A message that is ready to leave; secrets are resolved, so it is not to be kept. Errors: final ones.
  result<outgoing_message> prepare(const channel_adapter& adapter, const delivery& what) const;
  /// `done` is called once, on the client's thread; it may outlive the sender.
  void send(const channel_adapter& adapter, outgoing_message message, callback done) const;

private:
  outbound::outbound_client& out_;
  const clock& time_;
  const channel_options options_;
};

} // namespace tobit::notify
