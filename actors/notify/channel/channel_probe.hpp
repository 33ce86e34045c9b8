#pragma once

#include "actors/notify/channel/channel_definition.hpp"
#include "actors/notify/channel/channel_sender.hpp"
#include "runtime/notice/channel_tester.hpp"

namespace tobit::notify {

/// Sends test messages. Channels that tell each recipient by himself tell the first ten, and it is said of each how it
/// ended.
class channel_probe final : public notice::channel_tester {
public:
  /// `out` and `time` outlive it.
  channel_probe(outbound::outbound_client& out, const clock& time, channel_rules rules, channel_options options)
      : time_(time), rules_(std::move(rules)), sender_(out, time, std::move(options)) {}

  void test(const entity_ref& channel, const json& definition, const call_context& context,
            std::function<void(result<notice::channel_test_outcome>)> done) override;

private:
  const clock& time_;
  const channel_rules rules_;
  const channel_sender sender_;
};

} // namespace tobit::notify
