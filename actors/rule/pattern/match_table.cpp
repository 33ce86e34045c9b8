#include "actors/rule/pattern/match_table.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>

namespace tobit::rule::pattern {

namespace {

constexpr auto none = std::numeric_limits<std::size_t>::max();

} // namespace

std::size_t match_table::text_hash::operator()(std::string_view text) const noexcept {
  return static_cast<std::size_t>(XXH3_64bits(text.data(), text.size()));
}

// -- one match ------------------------------------------------------------------------------------------------------

bool match_table::is_complete(const partial_match& m) const noexcept {
  const auto& s = by_.steps[m.step];
  return s.all_of ? m.members == s.elements : m.count >= s.min;
}

bool match_table::is_waiting(const partial_match& m) const noexcept {
  return by_.waits && !m.noise && m.step + 1u == by_.steps.size() && is_complete(m);
}

bits match_table::wanted_by(const partial_match& m) const noexcept {
  if (m.noise) return 0;
  const auto& s = by_.steps[m.step];
  const bits more = s.all_of ? s.elements & ~m.members : m.count < s.max ? s.elements : 0;
  if (!is_complete(m)) return more;
  if (m.step + 1u == by_.steps.size()) return more | by_.quiet_after;
  return more | by_.steps[m.step + 1u].elements | by_.steps[m.step + 1u].forbidden;
}

bool match_table::fits_with_references(const partial_match& m, std::size_t element, const sighting& seen) const {
  const auto& references = by_.elements[element].references;
  return std::all_of(references.begin(), references.end(), [&](const reference& r) {
    const auto of_element = [&](const taken& t) { return t.element == r.element; };
    const capture* earlier = nullptr;
    if (r.last) {
      const auto found = std::find_if(m.events.rbegin(), m.events.rend(), of_element);
      if (found != m.events.rend()) earlier = found->what.get();
    } else {
      const auto found = std::find_if(m.events.begin(), m.events.end(), of_element);
      if (found != m.events.end()) earlier = found->what.get();
    }
    if (!earlier) return false; // a member of any_of that did not come
    const auto& now = seen.what()->fields[r.field];
    const auto& then = earlier->fields[r.earlier_field];
    // What was not there is kept as null, and nothing can be said about it.
    return !now.is_null() && !then.is_null() &&
           compare(r.op, operand::of(&now), operand::of(&then), r.fold) == expectation::outcome::matched;
  });
}

std::size_t match_table::first_fitting(const partial_match& m, bits candidates, const sighting& seen) const {
  for (; candidates != 0; candidates &= candidates - 1) {
    const auto element = static_cast<std::size_t>(std::countr_zero(candidates));
    if (by_.elements[element].references.empty() || fits_with_references(m, element, seen)) return element;
  }
  return none;
}

void match_table::take(partial_match& m, std::size_t element, const sighting& seen) {
  ++m.count;
  m.members |= bits{1} << element;
  const auto before =
      std::find_if(m.events.rbegin(), m.events.rend(), [&](const taken& t) { return t.element == element; });
  const auto ordinal = before == m.events.rend() ? 1 : before->ordinal + 1;
  if (ordinal > taken_per_step_max)
    *before = {static_cast<std::uint8_t>(element), ordinal, seen.what()};
  else
    m.events.push_back({static_cast<std::uint8_t>(element), ordinal, seen.what()});
}

match_table::fate match_table::after_taking(partial_match& m, std::int64_t time_us) {
  if (!is_complete(m)) return fate::taken;
  m.deadline_us = m.started_us + by_.within_us;
  if (m.step + 1u < by_.steps.size()) {
    if (const auto own = by_.steps[m.step + 1u].within_us; own > 0)
      m.deadline_us = std::min(m.deadline_us, time_us + own);
    return fate::taken;
  }
  if (!by_.waits) return fate::complete;
  if (by_.quiet_after_us > 0) m.deadline_us = time_us + by_.quiet_after_us;
  return fate::taken;
}

match_table::fate match_table::offer(partial_match& m, const sighting& seen) {
  const auto& s = by_.steps[m.step];
  if (is_complete(m)) {
    const bool at_end = m.step + 1u == by_.steps.size();
    const bits forbidden = at_end ? by_.quiet_after : by_.steps[m.step + 1u].forbidden;
    if (first_fitting(m, seen.fits & forbidden, seen) != none) return fate::broken;
    if (!at_end) {
      const auto next = first_fitting(m, seen.fits & by_.steps[m.step + 1u].elements, seen);
      if (next != none) {
        ++m.step;
        m.count = 0;
        m.members = 0;
        take(m, next, seen);
        return after_taking(m, seen.time_us);
      }
    }
  }
  const bits more = s.all_of ? s.elements & ~m.members : m.count < s.max ? s.elements : 0;
  const auto again = first_fitting(m, seen.fits & more, seen);
  if (again == none) return fate::untouched;
  take(m, again, seen);
  return after_taking(m, seen.time_us);
}

// -- the matches of a key -------------------------------------------------------------------------------------------

bool match_table::judge(std::string_view key, const sighting& seen, std::vector<complete_match>* out) {
  bool changed = false, used = false;
  const auto complete_before = figures_.complete;
  if (const auto at = keys_.find(key); at != keys_.end()) {
    auto& state = at->second;
    if (seen.time_us < state.newest_us) {
      ++figures_.late;
      return false;
    }
    if (seen.time_us > passed_us_) {
      const auto before = state.slots.size();
      settle(state, seen.time_us, out);
      changed = state.slots.size() != before;
    }
    if ((seen.fits & state.wanted) != 0 || by_.strict) changed |= offer_all(state, seen, used, out);
    if (changed) state.newest_us = seen.time_us;
    if (state.slots.empty()) keys_.erase(at);
  }
  const bool may_begin = by_.first_only             ? !used
                         : by_.skip_past_last_event ? !(used && figures_.complete != complete_before)
                                                    : true;
  if (may_begin && (seen.fits & by_.steps.front().elements) != 0) changed |= begin(key, seen, out);
  if ((seen.fits & by_.quiet_before) != 0) changed |= note_noise(key, seen);
  return changed;
}

void match_table::settle(key_state& state, std::int64_t time_us, std::vector<complete_match>* out) {
  std::vector<deadline_heap::entry> over;
  for (const auto at : state.slots)
    if (const auto& m = slots_[at].match; m.deadline_us < time_us) over.push_back({m.deadline_us, m.sequence, at});
  std::sort(over.begin(), over.end());
  for (const auto& e : over) // one that ended may have ended the others
    if (std::find(state.slots.begin(), state.slots.end(), e.slot) != state.slots.end())
      finish(e.slot, e.deadline_us, out);
}

bool match_table::offer_all(key_state& state, const sighting& seen, bool& used, std::vector<complete_match>* out) {
  bool changed = false;
  for (std::size_t i = 0; i < state.slots.size();) {
    const auto at = state.slots[i];
    auto& m = slots_[at].match;
    if (m.noise) {
      ++i;
      continue;
    }
    const auto deadline = m.deadline_us;
    auto became = offer(m, seen);
    if (became == fate::untouched && by_.strict && !is_waiting(m)) became = fate::broken;
    if (became == fate::untouched) {
      ++i;
      continue;
    }
    changed = true;
    if (became == fate::taken) {
      used = true;
      state.wanted |= wanted_by(m);
      if (m.deadline_us != deadline) deadlines_.move(at, m.deadline_us);
      ++i;
    } else if (became == fate::broken) {
      ++figures_.broken;
      remove(at);
    } else {
      used = true;
      finish(at, seen.time_us, out);
      if (by_.skip_past_last_event) break;
    }
  }
  return changed;
}

/// Ends a match whose last step is taken or whose deadline has passed.
void match_table::finish(std::uint32_t at, std::int64_t ended_us, std::vector<complete_match>* out) {
  auto& s = slots_[at];
  auto& m = s.match;
  auto& state = *s.state;
  const bool matched = !m.noise && m.step + 1u == by_.steps.size() && is_complete(m);
  if (!matched) {
    figures_.expired += !m.noise;
    return remove(at);
  }
  ++figures_.complete;
  if (out) out->push_back({*s.key, m.started_us, ended_us, std::move(m.events)});
  remove(at);
  if (by_.skip_past_last_event) remove_matches(state);
}

bool match_table::begin(std::string_view key, const sighting& seen, std::vector<complete_match>* out) {
  if (const auto at = keys_.find(key); at != keys_.end()) {
    const auto& slots = at->second.slots;
    const auto is = [&](bool noise) {
      return std::any_of(slots.begin(), slots.end(), [&](auto s) { return slots_[s].match.noise == noise; });
    };
    if (by_.quiet_before != 0 && is(true)) return false;
    if (by_.first_only && is(false)) return false;
    // The older ones are nearer to their match, and with `skip_past_last_event` it is the oldest that is told.
    if (slots.size() >= by_.max_matches_per_key + (by_.quiet_before != 0)) {
      ++figures_.evicted;
      return false;
    }
  }
  partial_match m;
  m.started_us = seen.time_us;
  m.deadline_us = m.started_us + by_.within_us;
  take(m, static_cast<std::size_t>(std::countr_zero(seen.fits & by_.steps.front().elements)), seen);
  if (after_taking(m, seen.time_us) == fate::complete) { // nothing but quiet was asked for before a single event
    ++figures_.complete;
    if (out) out->push_back({std::string(key), m.started_us, m.started_us, std::move(m.events)});
    return true;
  }
  if (m.deadline_us < passed_us_) {
    ++figures_.late;
    return false;
  }
  m.sequence = next_sequence_++;
  make_room(key);
  slots_[add(key, std::move(m))].state->newest_us = seen.time_us;
  return true;
}

bool match_table::note_noise(std::string_view key, const sighting& seen) {
  const auto until = seen.time_us + by_.quiet_before_us;
  if (until < passed_us_) return false;
  if (const auto found = keys_.find(key); found != keys_.end()) {
    for (const auto at : found->second.slots) {
      auto& m = slots_[at].match;
      if (!m.noise) continue;
      m.deadline_us = until;
      deadlines_.move(at, until);
      found->second.newest_us = seen.time_us;
      return true;
    }
  }
  partial_match m;
  m.noise = true;
  m.started_us = seen.time_us;
  m.deadline_us = until;
  m.sequence = next_sequence_++;
  make_room(key);
  slots_[add(key, std::move(m))].state->newest_us = seen.time_us;
  return true;
}

// -- time and bounds ------------------------------------------------------------------------------------------------

bool match_table::pass(std::int64_t time_us, std::vector<complete_match>* out) {
  if (time_us <= passed_us_) return false;
  passed_us_ = time_us;
  bool changed = false;
  while (!deadlines_.empty() && deadlines_.top().deadline_us < time_us) {
    const auto top = deadlines_.top();
    const auto* key = slots_[top.slot].key;
    auto* state = slots_[top.slot].state;
    finish(top.slot, top.deadline_us, out);
    if (state->slots.empty()) keys_.erase(keys_.find(*key));
    changed = true;
  }
  return changed;
}

void match_table::make_room(std::string_view key) {
  const auto give_up = [&](std::uint32_t at) {
    const auto* of = slots_[at].key;
    auto* state = slots_[at].state;
    ++figures_.evicted;
    remove(at);
    if (state->slots.empty()) keys_.erase(keys_.find(*of));
  };
  const auto at = keys_.find(key);
  if (at == keys_.end() && keys_.size() >= by_.max_keys) {
    // The key whose match would be over first has the least to lose.
    const auto slots = slots_[deadlines_.top().slot].state->slots;
    for (const auto slot : slots) give_up(slot);
  }
  if (size() >= by_.max_matches) give_up(deadlines_.top().slot);
}

std::uint32_t match_table::add(std::string_view key, partial_match m) {
  auto found = keys_.find(key);
  if (found == keys_.end()) found = keys_.emplace(std::string(key), key_state{}).first;
  std::uint32_t at = 0;
  if (free_.empty()) {
    at = static_cast<std::uint32_t>(slots_.size());
    slots_.emplace_back();
  } else {
    at = free_.back();
    free_.pop_back();
  }
  auto& s = slots_[at];
  s.match = std::move(m);
  s.key = &found->first;
  s.state = &found->second;
  s.state->slots.push_back(at);
  s.state->wanted |= wanted_by(s.match);
  deadlines_.add({s.match.deadline_us, s.match.sequence, at});
  return at;
}

/// Leaves the key in place, perhaps without matches.
void match_table::remove(std::uint32_t at) {
  auto& s = slots_[at];
  deadlines_.remove(at);
  auto& slots = s.state->slots;
  slots.erase(std::find(slots.begin(), slots.end(), at));
  s = {};
  free_.push_back(at);
}

void match_table::remove_matches(key_state& state) {
  const auto slots = state.slots;
  for (const auto at : slots) {
    if (slots_[at].match.noise) continue;
    ++figures_.skipped;
    remove(at);
  }
}

// -- state ----------------------------------------------------------------------------------------------------------

void match_table::visit(const visitor& each) const {
  auto all = deadlines_.entries();
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.sequence < b.sequence; });
  for (const auto& e : all) each(*slots_[e.slot].key, slots_[e.slot].state->newest_us, slots_[e.slot].match);
}

void match_table::clear(std::int64_t passed_us, std::uint64_t next_sequence) {
  keys_.clear();
  slots_.clear();
  free_.clear();
  deadlines_.clear();
  passed_us_ = passed_us;
  next_sequence_ = next_sequence;
}

void match_table::put_back(std::string_view key, std::int64_t newest_us, partial_match match) {
  slots_[add(key, std::move(match))].state->newest_us = newest_us;
}

} // namespace tobit::rule::pattern
