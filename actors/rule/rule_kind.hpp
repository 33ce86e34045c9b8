#pragma once

#include "actors/rule/firing_throttle.hpp"
#include "runtime/entity/entity_logic.hpp"
#include "runtime/outbound/http_client.hpp"
#include "schemas/rule/rule_protocol.hpp"

namespace tobit::rule {

/// Rules as a kind of entity. Immutable; thread-safe.
class rule_kind final : public entity::entity_kind {
public:
  /// `guard`: which addresses webhooks and metric sources may have, besides public ones.
  /// `time_zone`: of rules that name none; an IANA name.
  /// `firings_per_minute`: limit of rules that name none.
  explicit rule_kind(outbound::guard_options guard, std::string time_zone = "UTC",
                     std::int64_t firings_per_minute = firings_per_minute_default)
      : guard_(std::move(guard)), time_zone_(std::move(time_zone)), firings_per_minute_(firings_per_minute) {}

  std::string_view name() const noexcept override { return kind_name; }
  result<entity::compiled_definition> compile(const entity_ref& ref, const json& body,
                                              const json* before) const override;
  result<std::unique_ptr<entity::entity_logic>> instantiate(const entity_ref& ref, std::int64_t version,
                                                            const json& definition) const override;

private:
  outbound::guard_options guard_;
  std::string time_zone_;
  std::int64_t firings_per_minute_;
};

} // namespace tobit::rule
