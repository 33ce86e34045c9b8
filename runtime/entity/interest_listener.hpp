#pragma once

#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <optional>
#include <string_view>

namespace tobit::entity {

/// Learns what entities want to be woken by. The runtime calls it after a definition's commit and before the asker is
/// answered, so that whoever got the answer can rely on the new definition being heard. Rows of the table `interest`
/// are the truth; at start a listener loads them.
class interest_listener {
public:
  virtual ~interest_listener() = default;
  /// The source it serves: "schedule", "poll" or "event".
  virtual std::string_view source() const noexcept = 0;
  /// `spec` is nothing when the entity no longer wants it (disabled, deleted, changed). `version` rises with each
  /// change of an entity: whoever knows a higher one ignores this call. Called from any thread; must only enqueue.
  virtual void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) = 0;
};

} // namespace tobit::entity
