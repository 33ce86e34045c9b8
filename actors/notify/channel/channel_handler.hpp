#pragma once

#include "actors/notify/channel/channel_sender.hpp"
#include "runtime/entity/effect_handler.hpp"
#include "runtime/storage/database.hpp"
#include "runtime/telemetry/metrics.hpp"

#include <memory>

namespace tobit::notify {

struct channel_handler_deps {
  outbound::outbound_client& out;
  storage::database& store;
  const clock& time;
  telemetry::metrics* figures = nullptr; ///< null: nothing is counted
};

/// Carries out the effects of the type "channel_send": one attempt through the adapter of the channel's type.
///
/// Where the receiver recognises repetitions (webhook, PagerDuty): at least once, with the same key. Where it does not
/// (mail, Slack, SMS, Teams): at most once in doubt. An attempt is written down before it begins; if the process dies
/// in it, or nobody answers after the message may have arrived, it is not made again: the notice goes to the fallback
/// or becomes a dead letter that says so, and a person decides. Thread-safe.
class channel_handler final : public entity::effect_handler {
public:
  /// What `deps` names outlives the handler.
  channel_handler(const channel_handler_deps& deps, channel_options options);
  ~channel_handler() override;

  std::string_view type() const noexcept override { return channel_effect; }
  void attempt(const entity::outgoing_effect& effect, std::function<void(entity::effect_outcome)> done) override;
  std::vector<storage::statement> settle(const entity::outgoing_effect& effect, const entity::effect_outcome& outcome,
                                         utc_time now) override;
  int attempts_max() const noexcept override { return 10; } // a channel's own limit is at most this

private:
  struct core;
  const std::shared_ptr<core> core_; ///< also held by what waits for the database
};

} // namespace tobit::notify
