#pragma once

#include "actors/notify/adapter/delivery.hpp"
#include "actors/notify/channel/channel_memory.hpp"
#include "actors/notify/channel/channel_settings.hpp"
#include "schemas/ids.hpp"

namespace tobit::notify {

/// The idempotency key of what a channel sends about a notice to a recipient (empty: to all at once): the same for
/// every attempt and every replay. 32 hexadecimal digits.
std::string delivery_key(const entity_ref& channel, const std::string& notice_id, const std::string& recipient);

/// What programs are told besides the words: policy, rule, alerts (at most 20), labels of the first one. Bounded.
json delivery_metadata(const channel::send_notice& notice);

/// Everything that an attempt needs. `thread`: of the notice, or null.
delivery plan_delivery(const entity_ref& channel, const channel_settings& settings, const channel::send_notice& notice,
                       const std::string& recipient, const message_thread* thread);

} // namespace tobit::notify
