#pragma once

#include "actors/alert/alerting_kind.hpp"
#include "actors/notify/channel/channel_kind.hpp"
#include "actors/rule/rule_kind.hpp"
#include "runtime/entity/kind_registry.hpp"

namespace tobit::rehearsal {

/// The kinds of entity that can be rehearsed without a node. Nothing leaves a rehearsal, so that every address is
/// allowed and no secret is needed. Registers their messages.
class rehearsal_kinds {
public:
  rehearsal_kinds();

  const entity::kind_registry& table() const noexcept { return table_; }

private:
  rule::rule_kind rules_;
  alert::alerting_kind alerting_;
  notify::channel_kind channels_;
  entity::kind_registry table_;
};

} // namespace tobit::rehearsal
