#pragma once

#include "schemas/entity/interest_spec.hpp"
#include "schemas/ids.hpp"
#include "schemas/json.hpp"

#include <cstdint>
#include <memory>
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

  /// Those that want events of one type and source; some of them only if a field has one of their values. Immutable.
  class audience {
  public:
    bool empty() const noexcept { return always_.empty() && fields_.empty(); }
    /// False: `select` gives the same for all data, and needs none.
    bool looks_into_data() const noexcept { return !fields_.empty(); }
    /// Puts those that want an event with these data into `out`, each once. One look at each field, however many want
    /// it.
    void select(const json& data, std::vector<slot>& out) const;

  private:
    friend class interest_index;
    struct field {
      std::string path;
      std::unordered_map<std::string, std::vector<slot>> by_text;
      std::unordered_map<std::int64_t, std::vector<slot>> by_number;
      std::vector<slot> all, of_numbers; ///< whoever looks at this field; those of them that wait for numbers
    };
    void add(slot place, const entity::event_interest& spec);

    std::vector<slot> always_;
    std::vector<field> fields_;
    std::size_t size_ = 0;
  };

  /// The subscribers of `tenant` that want events of this type and source.
  std::shared_ptr<const audience> wanting(const tenant_id& tenant, std::string_view type, std::string_view source);
  bool wants(slot place, std::string_view type, std::string_view source) const;

  std::size_t size() const noexcept { return wanted_; }

private:
  /// Subscribers in all remembered answers, plus one for each answer.
  static constexpr std::size_t remembered_max = 2'000'000;

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
  template <class Answer>
  using answers = std::unordered_map<tenant_id, std::unordered_map<std::string, Answer>>;
  const std::vector<slot>& of_type(const tenant_id& tenant, std::string_view type);
  void forget_answers();

  answers<std::vector<slot>> by_type_; ///< so that many sources of one type do not ask every subscriber
  answers<std::shared_ptr<const audience>> by_pair_;
  std::size_t remembered_count_ = 0;
  std::string key_;
};

} // namespace tobit::event
