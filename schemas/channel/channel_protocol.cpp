#include "schemas/channel/channel_protocol.hpp"

#include "schemas/channel/channel_events.hpp"

namespace tobit::channel {

void register_channel_messages() {
  register_messages<send_notice, notice_taken, notice_settled, replay_notice, notice_accepted, notice_dropped,
                    part_settled, notice_passed_on, notice_ended>();
}

} // namespace tobit::channel
