#include "actors/event/interest_index.hpp"

#include "schemas/event/event.hpp"

#include <algorithm>
#include <cmath>

namespace tobit::event {

namespace {

bool any_matches(const std::vector<std::string>& globs, std::string_view text) {
  return globs.empty() ||
         std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return entity::glob_matches(glob, text); });
}

} // namespace

// -- the audience of a type and source ------------------------------------------------------------------------------

void interest_index::audience::add(slot place, const entity::event_interest& spec) {
  ++size_;
  const bool numbers = std::all_of(spec.values.begin(), spec.values.end(), [](const json& v) { return v.is_number(); });
  const bool texts = std::all_of(spec.values.begin(), spec.values.end(), [](const json& v) { return v.is_string(); });
  if (spec.field.empty() || spec.values.empty() || (!numbers && !texts)) return always_.push_back(place);
  auto at = std::find_if(fields_.begin(), fields_.end(), [&](const field& f) { return f.path == spec.field; });
  if (at == fields_.end()) {
    at = fields_.insert(at, field{});
    at->path = spec.field;
  }
  at->all.push_back(place);
  if (numbers) at->of_numbers.push_back(place);
  const auto join = [&](std::vector<slot>& those) {
    if (those.empty() || those.back() != place) those.push_back(place); // a value may stand twice in a list
  };
  for (const auto& value : spec.values)
    if (numbers)
      join(at->by_number[value.get<std::int64_t>()]);
    else
      join(at->by_text[value.get<std::string>()]);
}

void interest_index::audience::select(const json& data, std::vector<slot>& out) const {
  out = always_;
  const auto join = [&](const std::vector<slot>& those) { out.insert(out.end(), those.begin(), those.end()); };
  for (const auto& f : fields_) {
    const auto* value = find_path(data, f.path);
    if (!value) { // an attribute may have this name: the subscriber knows
      join(f.all);
    } else if (value->is_string()) {
      if (const auto found = f.by_text.find(value->get_ref<const std::string&>()); found != f.by_text.end())
        join(found->second);
      join(f.of_numbers); // the text may be read as a number
    } else if (value->is_boolean()) {
      join(f.of_numbers);
    } else if (value->is_number_float()) {
      const double d = value->get<double>();
      if (d != std::trunc(d) || std::abs(d) > 9'007'199'254'740'992.0) continue;
      if (const auto found = f.by_number.find(static_cast<std::int64_t>(d)); found != f.by_number.end())
        join(found->second);
    } else if (value->is_number_integer()) {
      if (const auto found = f.by_number.find(value->get<std::int64_t>()); found != f.by_number.end())
        join(found->second);
    }
  }
}

// -- subscribers ----------------------------------------------------------------------------------------------------

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
  for (slot i = 0; i < subscribers_.size(); ++i)
    if (subscribers_[i].used && subscribers_[i].tenant == tenant && any_matches(subscribers_[i].spec.types, type))
      known->second.push_back(i);
  remembered_count_ += 1 + known->second.size();
  return known->second;
}

std::shared_ptr<const interest_index::audience> interest_index::wanting(const tenant_id& tenant, std::string_view type,
                                                                        std::string_view source) {
  if (remembered_count_ >= remembered_max) forget_answers();
  key_.assign(type).append(1, '\0').append(source);
  auto& known = by_pair_[tenant][key_];
  if (known) return known;
  const auto fresh = std::make_shared<audience>();
  for (const auto i : of_type(tenant, type))
    if (any_matches(subscribers_[i].spec.sources, source)) fresh->add(i, subscribers_[i].spec);
  remembered_count_ += 1 + fresh->size_;
  return known = fresh;
}

void interest_index::forget_answers() {
  by_type_.clear();
  by_pair_.clear();
  remembered_count_ = 0;
}

} // namespace tobit::event
