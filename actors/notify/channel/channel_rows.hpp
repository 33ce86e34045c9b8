#pragma once

#include "runtime/storage/statement.hpp"
#include "schemas/channel/channel_protocol.hpp"
#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <cstdint>
#include <string>
#include <vector>

/// The rows that a channel leaves behind, written in the transaction of the decision.
namespace tobit::notify {

/// How a notice ended, for the tables `channel_delivery` and `dead_letter`.
struct delivery_record {
  std::string id; ///< unique
  const entity_ref& channel;
  const std::string& type;
  const channel::send_notice& notice;
  std::string outcome; ///< sent | failed | passed_on | rate_limited | paused
  std::string error_name, error;
  std::int64_t attempts = 0, took_ms = 0;
  utc_time at;
};
storage::statement insert_delivery(const delivery_record& r);

/// `title`: for lists. `recipients`: those that were not reached; empty: nobody was.
storage::statement insert_dead_letter(const delivery_record& r, const std::string& title,
                                      const std::vector<std::string>& recipients);

/// Marks a dead letter as tried again. The transaction fails with `conflict` if it was before, or is gone.
storage::statement mark_replayed(const std::string& id, const tenant_id& tenant, const std::string& by, utc_time at);

} // namespace tobit::notify
