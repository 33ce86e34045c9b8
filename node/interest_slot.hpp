#pragma once

#include "runtime/entity/interest_listener.hpp"

#include <atomic>
#include <optional>
#include <utility>

namespace tobit::node {

/// Stands in for a listener that is built after the entities it listens to. Before it is filled no entity runs, so
/// nothing is missed: whoever fills it reads the rows first.
class interest_slot final : public entity::interest_listener {
public:
  explicit interest_slot(std::string_view source) : source_(source) {}
  void fill(entity::interest_listener& with) noexcept { listener_.store(&with); }

  std::string_view source() const noexcept override { return source_; }
  void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) override {
    if (auto* listener = listener_.load()) listener->interest_changed(ref, version, std::move(spec));
  }

private:
  const std::string_view source_;
  std::atomic<entity::interest_listener*> listener_{nullptr};
};

} // namespace tobit::node
