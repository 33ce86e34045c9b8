#include "actors/rehearsal/kinds.hpp"

#include "schemas/alert/alert_protocol.hpp"
#include "schemas/channel/channel_protocol.hpp"
#include "schemas/entity/entity_protocol.hpp"
#include "schemas/rule/rule_protocol.hpp"

namespace tobit::rehearsal {

namespace {

outbound::guard_options everything() { return {{"0.0.0.0/0", "::/0", "localhost"}}; }

} // namespace

rehearsal_kinds::rehearsal_kinds()
    : rules_(everything()), alerting_(everything()), channels_(notify::channel_rules{everything(), {{""}, {"/"}}}) {
  entity::register_entity_messages();
  rule::register_rule_messages();
  alert::register_alert_messages();
  channel::register_channel_messages();
  table_.add(rules_);
  table_.add(alerting_);
  table_.add(channels_);
}

} // namespace tobit::rehearsal
