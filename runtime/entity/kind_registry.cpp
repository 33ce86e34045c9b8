#include "runtime/entity/kind_registry.hpp"

#include <cassert>

namespace tobit::entity {

void kind_registry::add(const entity_kind& kind) {
  [[maybe_unused]] const bool fresh = kinds_.emplace(kind.name(), &kind).second;
  assert(fresh);
}

const entity_kind* kind_registry::find(std::string_view name) const noexcept {
  auto entry = kinds_.find(name);
  return entry == kinds_.end() ? nullptr : entry->second;
}

std::vector<std::string_view> kind_registry::names() const {
  std::vector<std::string_view> all;
  for (const auto& [name, kind] : kinds_) all.push_back(name);
  return all;
}

} // namespace tobit::entity
