#pragma once

#include "runtime/entity/entity_logic.hpp"

namespace tobit::counter {

/// Definition: {name?, label?, step? (1–1000), enabled?, interests? ({source: spec}), broken? (instantiate fails:
/// "error" or "throw"), keeps_state? (false: refuses to take over)}.
class counter_kind final : public entity::entity_kind {
public:
  std::string_view name() const noexcept override;
  result<entity::compiled_definition> compile(const entity_ref& ref, const json& body,
                                              const json* before) const override;
  result<std::unique_ptr<entity::entity_logic>> instantiate(const entity_ref& ref, std::int64_t version,
                                                            const json& definition) const override;
};

} // namespace tobit::counter
