#include "actors/rule/window/window_table.hpp"

#include <algorithm>

/// How windows end as time goes on.
namespace tobit::rule::window {

namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b != 0 && a < 0); }

} // namespace

void window_table::advance(std::int64_t now, std::vector<outcome>& out) {
  if (now < now_ && now_ != always) return;
  now_ = now;
  if (spec_.by_arrival) return move_watermark(now, out);
  if (newest_ == always) return;
  const auto quiet = std::max<std::int64_t>(0, now - last_arrival_ - spec_.idle);
  move_watermark(newest_ - spec_.lateness + quiet, out);
}

std::optional<std::int64_t> window_table::wake_at() const {
  if (due_.empty()) return std::nullopt;
  const auto boundary = due_.begin()->first;
  if (spec_.by_arrival) return boundary;
  return boundary + spec_.lateness - newest_ + last_arrival_ + spec_.idle;
}

void window_table::move_watermark(std::int64_t to, std::vector<outcome>& out) {
  if (to <= watermark_) return;
  while (!due_.empty() && due_.begin()->first <= to) {
    const auto boundary = due_.begin()->first;
    watermark_ = std::max(watermark_, boundary);
    const auto places = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    for (const auto p : places)
      if (keys_.is_used(p) && keys_[p].due == boundary) fall_due(p, boundary, out);
  }
  watermark_ = to;
}

void window_table::fall_due(place p, std::int64_t boundary, std::vector<outcome>& out) {
  keys_[p].due = never;
  if (spec_.type == window_type::session)
    close_sessions(p, boundary, out);
  else if (spec_.on_update)
    expire_panes(p, boundary, out);
  else
    close_panes(p, boundary, out);
}

void window_table::close_panes(place p, std::int64_t boundary, std::vector<outcome>& out) {
  const auto end = boundary / spec_.pane;
  auto& state = keys_[p];
  report(p, joined(state, end - spec_.panes, end), (end - spec_.panes) * spec_.pane, boundary, true, state.matched,
         out);
  drop_panes_before(state, end + 1 - spec_.panes);
  // An alert must hear that nothing came any more.
  if (state.panes.empty() && spec_.all_verdicts && state.matched) return schedule_at(p, boundary + spec_.pane);
  if (state.panes.empty()) return drop(p);
  schedule_at(p, (std::max(end, state.panes.front().index) + 1) * spec_.pane);
}

void window_table::expire_panes(place p, std::int64_t boundary, std::vector<outcome>& out) {
  const auto end = boundary / spec_.pane;
  auto& state = keys_[p];
  drop_panes_before(state, end + 1 - spec_.panes);
  const bool told = spec_.all_verdicts && state.lively;
  if (spec_.type == window_type::sliding && (state.matched || told)) {
    report(p, joined(state, end + 1 - spec_.panes, never), (end + 1 - spec_.panes) * spec_.pane, boundary + spec_.pane,
           true, state.matched, out);
  } else if (told) { // the next tumbling window begins with nothing
    bool matched = true;
    report(p, {}, boundary, boundary + spec_.pane, true, matched, out);
  }
  if (state.panes.empty()) return drop(p);
  schedule(p);
}

void window_table::close_sessions(place p, std::int64_t boundary, std::vector<outcome>& out) {
  auto& panes = keys_[p].panes;
  for (std::size_t i = 0; i < panes.size();) {
    if (panes[i].last + spec_.gap > boundary) {
      ++i;
      continue;
    }
    const auto closed = std::move(panes[i]);
    panes.erase(panes.begin() + static_cast<std::ptrdiff_t>(i));
    bytes_ -= sizeof closed - sizeof closed.sum + closed.sum.bytes();
    bool matched = closed.matched;
    if (!spec_.on_update) report(p, closed.sum, closed.index, closed.last + spec_.gap, true, matched, out);
  }
  if (panes.empty()) return drop(p);
  schedule(p);
}

void window_table::schedule(place p) {
  const auto& state = keys_[p];
  if (state.panes.empty()) return;
  const auto& oldest = state.panes.front();
  if (spec_.type == window_type::session) {
    auto first = oldest.last;
    for (const auto& s : state.panes) first = std::min(first, s.last);
    // A session that grows leaves its earlier time standing; it is looked at again then.
    if (state.due == never || first + spec_.gap < state.due) schedule_at(p, first + spec_.gap);
    return;
  }
  auto end = oldest.index + (spec_.on_update ? spec_.panes : 1);
  if (watermark_ != always) end = std::max(end, floor_div(watermark_, spec_.pane) + 1);
  if (end * spec_.pane < state.due) schedule_at(p, end * spec_.pane);
}

void window_table::schedule_at(place p, std::int64_t due) {
  keys_[p].due = due;
  due_[due].push_back(p);
}

} // namespace tobit::rule::window
