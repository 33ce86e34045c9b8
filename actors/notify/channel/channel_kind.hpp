#pragma once

#include "actors/notify/channel/channel_definition.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "schemas/channel/channel_protocol.hpp"

namespace tobit::notify {

/// Channels as a kind of entity. Immutable; thread-safe.
class channel_kind final : public entity::entity_kind {
public:
  explicit channel_kind(channel_rules rules) : rules_(std::move(rules)) {}

  std::string_view name() const noexcept override { return channel::kind_name; }
  result<entity::compiled_definition> compile(const entity_ref& ref, const json& body,
                                              const json* before) const override;
  result<std::unique_ptr<entity::entity_logic>> instantiate(const entity_ref& ref, std::int64_t version,
                                                            const json& definition) const override;

private:
  channel_rules rules_;
};

} // namespace tobit::notify
