#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "runtime/outbound/http_client.hpp"
#include "schemas/rule/rule_protocol.hpp"

namespace tobit::rule {

/// Rules as a kind of entity. Immutable; thread-safe.
class rule_kind final : public entity::entity_kind {
public:
  /// `guard`: which addresses webhooks and metric sources may have, besides public ones.
  explicit rule_kind(outbound::guard_options guard) : guard_(std::move(guard)) {}

  std::string_view name() const noexcept override { return kind_name; }
  result<entity::compiled_definition> compile(const entity_ref& ref, const json& body,
                                              const json* before) const override;
  result<std::unique_ptr<entity::entity_logic>> instantiate(const entity_ref& ref, std::int64_t version,
                                                            const json& definition) const override;

private:
  outbound::guard_options guard_;
};

} // namespace tobit::rule
