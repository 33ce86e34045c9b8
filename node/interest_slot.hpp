#pragma once

#include "runtime/entity/interest_listener.hpp"

#include <memory>
#include <mutex>
#include <optional>
#include <utility>

namespace tobit::node {

/// Stands in for a listener that comes and goes: it is built after the entities it listens to, and in a cluster only
/// the leader has one. Nothing is missed: whoever fills the slot reads the rows afterwards. Thread-safe.
class interest_slot final : public entity::interest_listener {
public:
  explicit interest_slot(std::string_view source) : source_(source) {}
  /// Null: nobody listens any more.
  void fill(std::shared_ptr<entity::interest_listener> with) {
    std::lock_guard lock{guard_};
    listener_ = std::move(with);
  }

  std::string_view source() const noexcept override { return source_; }
  void interest_changed(const entity_ref& ref, std::int64_t version, std::optional<json> spec) override {
    if (auto listener = present()) listener->interest_changed(ref, version, std::move(spec));
  }

private:
  std::shared_ptr<entity::interest_listener> present() const {
    std::lock_guard lock{guard_};
    return listener_;
  }
  const std::string_view source_;
  mutable std::mutex guard_;
  std::shared_ptr<entity::interest_listener> listener_;
};

} // namespace tobit::node
