#pragma once

#include "runtime/entity/entity_logic.hpp"

#include <map>
#include <string_view>
#include <vector>

namespace tobit::entity {

/// The kind table: which kinds of entity this program has. Built once by the composition root, then only read.
class kind_registry {
public:
  /// `kind` must live as long as the registry. Precondition: no other kind has its name.
  void add(const entity_kind& kind);
  /// The kind of this name, or null.
  const entity_kind* find(std::string_view name) const noexcept;
  /// All names in order.
  std::vector<std::string_view> names() const;

private:
  std::map<std::string_view, const entity_kind*> kinds_;
};

} // namespace tobit::entity
