#include "actors/event/interest_index.hpp"

#include <algorithm>

namespace tobit::event {

namespace {

bool any_matches(const std::vector<std::string>& globs, std::string_view text) {
  return globs.empty() ||
         std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return entity::glob_matches(glob, text); });
}

} // namespace

std::optional<interest_index::change> interest_index::set(const entity_ref& ref, std::int64_t version,
                                                          const std::optional<entity::event_interest>& spec) {
  auto& known = entries_[ref];
  if (version <= known.version) return {};
  known.version = version;
  forget_answers();
  change c;
  c.wanted = spec.has_value();
  c.is_new = !known.place;
  if (!spec) {
    if (!known.place) return {};
    c.place = *known.place;
    subscribers_[c.place] = {};
    free_.push_back(c.place);
    known.place.reset();
    --wanted_;
    return c;
  }
  if (!known.place) {
    if (free_.empty()) {
      free_.push_back(static_cast<slot>(subscribers_.size()));
      subscribers_.emplace_back();
    }
    known.place = free_.back();
    free_.pop_back();
    ++wanted_;
  }
  c.place = *known.place;
  subscribers_[c.place] = {ref.tenant, *spec, true};
  return c;
}

bool interest_index::wants(slot place, std::string_view type, std::string_view source) const {
  const auto& one = subscribers_[place];
  return one.used && any_matches(one.spec.types, type) && any_matches(one.spec.sources, source);
}

const std::vector<interest_index::slot>& interest_index::of_type(const tenant_id& tenant, std::string_view type) {
  const auto [known, is_new] = by_type_[tenant].try_emplace(std::string(type));
  if (!is_new) return known->second;
  ++remembered_count_;
  for (slot i = 0; i < subscribers_.size(); ++i)
    if (subscribers_[i].used && subscribers_[i].tenant == tenant && any_matches(subscribers_[i].spec.types, type))
      known->second.push_back(i);
  return known->second;
}

const std::vector<interest_index::slot>& interest_index::wanting(const tenant_id& tenant, std::string_view type,
                                                                 std::string_view source) {
  if (remembered_count_ >= remembered_max) forget_answers();
  key_.assign(type).append(1, '\0').append(source);
  const auto [known, is_new] = by_pair_[tenant].try_emplace(key_);
  if (!is_new) return known->second;
  ++remembered_count_;
  for (const auto i : of_type(tenant, type))
    if (any_matches(subscribers_[i].spec.sources, source)) known->second.push_back(i);
  return known->second;
}

void interest_index::forget_answers() {
  by_type_.clear();
  by_pair_.clear();
  remembered_count_ = 0;
}

} // namespace tobit::event
