#pragma once

#include "runtime/entity/entity_logic.hpp"
#include "runtime/outbound/http_client.hpp"

namespace tobit::alert {

/// The alerting of tenants as a kind of entity: `alerting/<tenant>/default`. Immutable; thread-safe.
class alerting_kind final : public entity::entity_kind {
public:
  /// `guard`: which addresses webhooks may have, besides public ones.
  explicit alerting_kind(outbound::guard_options guard) : guard_(std::move(guard)) {}

  std::string_view name() const noexcept override;
  result<entity::compiled_definition> compile(const entity_ref& ref, const json& body,
                                              const json* before) const override;
  result<std::unique_ptr<entity::entity_logic>> instantiate(const entity_ref& ref, std::int64_t version,
                                                            const json& definition) const override;
  std::optional<json> implicit_definition(const entity_ref& ref) const override;

private:
  outbound::guard_options guard_;
};

} // namespace tobit::alert
