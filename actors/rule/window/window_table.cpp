#include "actors/rule/window/window_table.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

/// How inputs get into windows.
namespace tobit::rule::window {

namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b != 0 && a < 0); }

constexpr std::size_t key_overhead = 200; ///< bytes of a key without its text and panes, roughly

} // namespace

// -- keys -----------------------------------------------------------------------------------------------------------

window_table::place window_table::place_of(std::string_view key) {
  auto p = keys_.find(key);
  if (p == states::none) {
    while (keys_.size() > 0 && keys_.size() >= spec_.keys_max) {
      drop(keys_.oldest());
      ++figures_.evicted;
    }
    p = keys_.insert(key);
    bytes_ += key_overhead + key.size();
  } else {
    keys_.touch(p);
  }
  return last_place_ = p;
}

/// The newest key is the one that is being served; it stays.
void window_table::make_room() {
  while (bytes_ > state_bytes_max && keys_.size() > 1) {
    drop(keys_.oldest());
    ++figures_.evicted;
  }
}

void window_table::drop(place p) {
  bytes_ -= cost(keys_[p], keys_.key(p));
  if (last_place_ == p) last_place_ = states::none;
  keys_.erase(p);
}

std::size_t window_table::cost(const key_state& state, std::string_view key) noexcept {
  auto out = key_overhead + key.size();
  for (const auto& part : state.panes) out += sizeof part - sizeof part.sum + part.sum.bytes();
  return out;
}

window_table::pane& window_table::pane_at(place p, std::int64_t index) {
  auto& state = keys_[p];
  auto& panes = state.panes;
  if (!panes.empty() && panes.back().index == index) return panes.back();
  auto at = panes.end();
  if (!panes.empty() && panes.back().index > index)
    at = std::lower_bound(panes.begin(), panes.end(), index, [](const pane& a, std::int64_t i) { return a.index < i; });
  state.rest_of = 0;
  if (at != panes.end() && at->index == index) return *at;
  pane fresh;
  fresh.index = index;
  bytes_ += sizeof fresh;
  return *panes.insert(at, std::move(fresh));
}

void window_table::add(pane& to, double value) {
  const bool holds_values = spec_.kind == aggregate_kind::percentile || spec_.kind == aggregate_kind::distinct;
  if (!holds_values) return to.sum.add(spec_.kind, value);
  const auto before = to.sum.bytes();
  to.sum.add(spec_.kind, value);
  bytes_ += to.sum.bytes() - before;
}

void window_table::drop_panes_before(key_state& state, std::int64_t index) {
  auto end = state.panes.begin();
  for (; end != state.panes.end() && end->index < index; ++end)
    bytes_ -= sizeof *end - sizeof end->sum + end->sum.bytes();
  if (end == state.panes.begin()) return;
  state.panes.erase(state.panes.begin(), end);
  state.rest_of = 0;
}

// -- inputs ---------------------------------------------------------------------------------------------------------

window_table::reception window_table::take(std::string_view key, std::int64_t at, std::int64_t arrived, double value,
                                           std::vector<outcome>& out) {
  last_place_ = states::none;
  now_ = std::max(now_, arrived);
  if (!spec_.counted && !spec_.by_arrival && at > now_ + ahead_max_us) {
    ++figures_.ahead;
    return reception::ahead;
  }
  last_arrival_ = now_;
  if (spec_.counted) {
    take_counted(key, at, value, out);
  } else {
    if (spec_.by_arrival) at = now_;
    newest_ = std::max(newest_, std::min(at, now_));
    move_watermark(newest_ - spec_.lateness, out);
    const bool in_time =
        spec_.type == window_type::session ? take_session(key, at, value, out) : take_pane(key, at, value, out);
    if (!in_time) {
      ++figures_.late;
      return reception::late;
    }
  }
  ++figures_.taken;
  make_room();
  return reception::taken;
}

/// True if every window that a pane lies in is closed.
bool window_table::is_late(std::int64_t index) const noexcept {
  return watermark_ != always && (index + spec_.panes) * spec_.pane <= watermark_;
}

bool window_table::take_pane(std::string_view key, std::int64_t at, double value, std::vector<outcome>& out) {
  const auto index = floor_div(at, spec_.pane);
  if (is_late(index)) return false;
  const auto p = place_of(key);
  auto& state = keys_[p];
  const bool follows = spec_.on_update && spec_.type == window_type::sliding;
  if (follows && !state.panes.empty() && index <= state.panes.back().index - spec_.panes) return false;
  auto& part = pane_at(p, index);
  add(part, value);
  if (follows) {
    if (&part != &state.panes.back()) state.rest_of = 0;
    drop_panes_before(state, state.panes.back().index - spec_.panes + 1);
    const auto last = state.panes.back().index + 1;
    report(p, newest_window(state), (last - spec_.panes) * spec_.pane, last * spec_.pane, false, state.matched, out);
  } else if (spec_.on_update) {
    report(p, part.sum, index * spec_.pane, (index + 1) * spec_.pane, false, part.matched, out);
  }
  schedule(p);
  return true;
}

bool window_table::take_session(std::string_view key, std::int64_t at, double value, std::vector<outcome>& out) {
  // Of its own it would be closed already; it can only join one that is open.
  const bool too_late_alone = watermark_ != always && at + spec_.gap <= watermark_;
  const auto known = keys_.find(key);
  const auto joins = [&](const pane& s) {
    return at < s.last + spec_.gap && s.index < at + spec_.gap &&
           std::max(s.last, at) - std::min(s.index, at) < spec_.longest;
  };
  if (too_late_alone &&
      (known == states::none || std::none_of(keys_[known].panes.begin(), keys_[known].panes.end(), joins)))
    return false;
  const auto p = place_of(key);
  auto& panes = keys_[p].panes;
  auto found = std::find_if(panes.begin(), panes.end(), joins);
  if (found == panes.end()) {
    pane fresh;
    fresh.index = fresh.last = at;
    bytes_ += sizeof fresh;
    const auto later = std::find_if(panes.begin(), panes.end(), [&](const pane& s) { return s.index > at; });
    found = panes.insert(later, std::move(fresh));
  }
  add(*found, value);
  found->index = std::min(found->index, at);
  found->last = std::max(found->last, at);
  // An input between two sessions makes them one, unless that were too long.
  const auto next = std::next(found);
  if (next != panes.end() && next->index < found->last + spec_.gap && next->last - found->index < spec_.longest) {
    bytes_ -= found->sum.bytes() + next->sum.bytes() + sizeof(pane) - sizeof(aggregate);
    found->sum.merge(spec_.kind, next->sum);
    bytes_ += found->sum.bytes();
    found->last = std::max(found->last, next->last);
    found->matched = found->matched || next->matched;
    panes.erase(next);
  }
  if (spec_.on_update) report(p, found->sum, found->index, found->last + spec_.gap, false, found->matched, out);
  schedule(p);
  return true;
}

void window_table::take_counted(std::string_view key, std::int64_t at, double value, std::vector<outcome>& out) {
  const auto p = place_of(key);
  auto& state = keys_[p];
  const auto full = static_cast<std::uint64_t>(spec_.pane);
  if (state.panes.empty() || state.panes.back().sum.count() == full) {
    pane fresh;
    fresh.index = fresh.last = at;
    bytes_ += sizeof fresh;
    state.panes.push_back(std::move(fresh));
    state.rest_of = 0;
  }
  auto& part = state.panes.back();
  add(part, value);
  part.index = std::min(part.index, at);
  part.last = std::max(part.last, at);
  if (part.sum.count() < full || state.panes.size() < static_cast<std::size_t>(spec_.panes)) return;
  auto start = part.index, end = part.last;
  for (const auto& one : state.panes) {
    start = std::min(start, one.index);
    end = std::max(end, one.last);
  }
  report(p, newest_window(state), start, end, true, state.matched, out);
  const auto& oldest = state.panes.front();
  bytes_ -= sizeof oldest - sizeof oldest.sum + oldest.sum.bytes();
  state.panes.erase(state.panes.begin());
  state.rest_of = 0;
}

// -- sums -----------------------------------------------------------------------------------------------------------

aggregate window_table::joined(const key_state& state, std::int64_t from, std::int64_t to) const {
  aggregate out;
  for (const auto& part : state.panes)
    if (part.index >= from && part.index < to) out.merge(spec_.kind, part.sum);
  return out;
}

/// All panes joined. The ones before the last rarely change, so their sum is kept; it is always made in the same order,
/// so that a restored table has the same digits.
const aggregate& window_table::newest_window(key_state& state) {
  if (state.panes.size() == 1) return state.panes.front().sum;
  if (state.rest_of != state.panes.size()) {
    state.rest = {};
    for (std::size_t i = 0; i + 1 < state.panes.size(); ++i) state.rest.merge(spec_.kind, state.panes[i].sum);
    state.rest_of = state.panes.size();
  }
  scratch_ = state.rest;
  scratch_.merge(spec_.kind, state.panes.back().sum);
  return scratch_;
}

outcome window_table::judged(const aggregate& sum, std::int64_t start, std::int64_t end) const {
  outcome out;
  out.start = start;
  out.end = end;
  out.count = sum.count();
  out.value = sum.result(spec_.kind, spec_.q, spec_.seconds());
  if (out.value && !std::isfinite(*out.value)) out.value.reset();
  out.exact = sum.is_exact();
  out.matched = out.value && (!spec_.has_threshold || spec_.holds(*out.value));
  return out;
}

/// Adds the outcome if it matters. At the end of windows each match does; at each input the change to a match, for with
/// every input the same match would be told again. Alerts follow a key that ever matched in both directions.
void window_table::report(place p, const aggregate& sum, std::int64_t start, std::int64_t end, bool closed,
                          bool& matched, std::vector<outcome>& out) {
  auto now = judged(sum, start, end);
  const bool before = std::exchange(matched, now.matched);
  const bool news = spec_.on_update ? now.matched && !before : now.matched;
  auto& lively = keys_[p].lively;
  lively = lively || now.matched;
  if (!news && !(spec_.all_verdicts && lively)) return;
  now.key = keys_.key(p);
  now.closed = closed;
  out.push_back(std::move(now));
}

} // namespace tobit::rule::window
