#pragma once

#include "schemas/entity/interest_spec.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tobit::event {

/// Who wants which events. Asked once for each distinct (type, source) of a batch; answers of the past are remembered
/// until something changes, so that 10,000 rules cost nothing per event.
class interest_index {
public:
  using slot = std::uint32_t; ///< names a subscriber, from 0; slots of those that left are used again

  /// A change that a kind reports. Nothing if this or a newer version of the entity is known.
  struct change {
    slot place = 0;
    bool wanted = false, is_new = false;
  };
  std::optional<change> set(const entity_ref& ref, std::int64_t version,
                            const std::optional<entity::event_interest>& spec);

  /// The subscribers of `tenant` that want events of this type and source. Valid until the next call of anything.
  const std::vector<slot>& wanting(const tenant_id& tenant, std::string_view type, std::string_view source);
  bool wants(slot place, std::string_view type, std::string_view source) const;

  std::size_t size() const noexcept { return wanted_; }

private:
  static constexpr std::size_t remembered_max = 50'000;

  struct entry {
    std::int64_t version = -1;
    std::optional<slot> place;
  };
  struct subscriber {
    tenant_id tenant;
    entity::event_interest spec;
    bool used = false;
  };
  std::unordered_map<entity_ref, entry> entries_; ///< also of those that left, for their version
  std::vector<subscriber> subscribers_;
  std::vector<slot> free_;
  std::size_t wanted_ = 0;
  using answers = std::unordered_map<tenant_id, std::unordered_map<std::string, std::vector<slot>>>;
  const std::vector<slot>& of_type(const tenant_id& tenant, std::string_view type);
  void forget_answers();

  answers by_type_; ///< so that many sources of one type do not ask every subscriber
  answers by_pair_;
  std::size_t remembered_count_ = 0;
  std::string key_;
};

} // namespace tobit::event
