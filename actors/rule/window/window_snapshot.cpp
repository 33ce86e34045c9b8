#include "actors/rule/window/window_table.hpp"

#include <algorithm>

/// Windows as bytes, and what can be seen of them.
namespace tobit::rule::window {

namespace {

std::int64_t floor_div(std::int64_t a, std::int64_t b) noexcept { return a / b - (a % b != 0 && a < 0); }

constexpr std::uint64_t layout = 1;

} // namespace

std::string window_table::snapshot() const {
  std::string bytes;
  packer out{bytes};
  out.count(layout);
  for (const auto time : {now_, newest_, last_arrival_, watermark_}) out.whole(time);
  for (const auto n : {figures_.taken, figures_.late, figures_.ahead, figures_.unreadable, figures_.evicted})
    out.count(n);
  out.count(keys_.size());
  for (auto p = keys_.oldest(); p != states::none; p = keys_.newer(p)) {
    const auto& state = keys_[p];
    out.text(keys_.key(p));
    out.count((state.matched ? 1u : 0u) | (state.lively ? 2u : 0u));
    out.whole(state.panes.empty() ? state.due : never);
    out.count(state.panes.size());
    for (const auto& part : state.panes) {
      out.whole(part.index);
      out.whole(part.last);
      out.count(part.matched ? 1 : 0);
      part.sum.pack(out);
    }
  }
  return bytes;
}

bool window_table::restore(std::string_view snapshot) {
  *this = window_table{spec_};
  if (snapshot.empty()) return true;
  unpacker in{snapshot};
  if (in.count() != layout) return false;
  for (auto* time : {&now_, &newest_, &last_arrival_, &watermark_}) *time = in.whole();
  for (auto* n : {&figures_.taken, &figures_.late, &figures_.ahead, &figures_.unreadable, &figures_.evicted})
    *n = in.count();
  for (auto keys = in.count(); in.can_hold(keys) && keys > 0; --keys) {
    const auto key = in.text();
    if (!in.good() || keys_.find(key) != states::none) return false;
    const auto evicted = figures_.evicted;
    const auto p = place_of(key);
    auto& state = keys_[p];
    const auto flags = in.count();
    state.matched = (flags & 1) != 0;
    state.lively = (flags & 2) != 0;
    const auto due = in.whole();
    for (auto parts = in.count(); in.can_hold(parts) && parts > 0; --parts) {
      pane part;
      part.index = in.whole();
      part.last = in.whole();
      part.matched = in.count() != 0;
      part.sum = aggregate::unpack(in);
      bytes_ += sizeof part - sizeof part.sum + part.sum.bytes();
      state.panes.push_back(std::move(part));
    }
    if (!spec_.counted && state.panes.empty() && due != never) schedule_at(p, due);
    if (!spec_.counted) schedule(p);
    // A smaller bound than before keeps the keys that were used last.
    if (figures_.evicted != evicted) make_room();
  }
  last_place_ = states::none;
  return in.good() && in.at_end();
}

outcome window_table::look(place p, std::int64_t at) const {
  const auto& state = keys_[p];
  if (spec_.type == window_type::session) {
    for (const auto& s : state.panes)
      if (at >= s.index && at <= s.last) return judged(s.sum, s.index, s.last + spec_.gap);
    return {};
  }
  const auto index = spec_.on_update ? state.panes.back().index : floor_div(at, spec_.pane);
  const auto first = index + 1 - spec_.panes;
  return judged(joined(state, first, index + 1), first * spec_.pane, (index + 1) * spec_.pane);
}

window_table::glance window_table::preview(std::string_view key, std::int64_t at, std::int64_t arrived,
                                           double value) const {
  window_table trial{spec_};
  trial.now_ = now_;
  trial.newest_ = newest_;
  trial.last_arrival_ = last_arrival_;
  trial.watermark_ = watermark_;
  if (const auto p = keys_.find(key); p != states::none) {
    const auto copy = trial.keys_.insert(key);
    trial.keys_[copy] = keys_[p];
    trial.keys_[copy].due = never;
    trial.bytes_ = cost(keys_[p], key);
    if (!spec_.counted) trial.schedule(copy);
  }
  glance out;
  std::vector<outcome> ignored;
  if (!spec_.counted) {
    out.received = trial.take(key, at, arrived, value, ignored);
    if (out.received == reception::taken) out.seen = trial.look(trial.last_place_, spec_.by_arrival ? trial.now_ : at);
  } else {
    auto& panes = trial.keys_[trial.place_of(key)].panes;
    if (panes.empty() || panes.back().sum.count() == static_cast<std::uint64_t>(spec_.pane)) {
      panes.emplace_back();
      panes.back().index = at;
    }
    trial.add(panes.back(), value);
    aggregate all;
    for (const auto& part : panes) all.merge(spec_.kind, part.sum);
    out.seen = trial.judged(all, panes.front().index, std::max(at, panes.back().last));
    const bool full = all.count() == static_cast<std::uint64_t>(spec_.pane * spec_.panes);
    out.seen.matched = out.seen.matched && full;
  }
  out.seen.key = key;
  return out;
}

std::vector<outcome> window_table::newest(std::size_t most) const {
  std::vector<place> latest;
  for (auto p = keys_.oldest(); p != states::none; p = keys_.newer(p))
    if (!keys_[p].panes.empty()) latest.push_back(p);
  if (latest.size() > most) latest.erase(latest.begin(), latest.end() - static_cast<std::ptrdiff_t>(most));
  std::vector<outcome> out;
  for (auto i = latest.rbegin(); i != latest.rend(); ++i) {
    const auto& state = keys_[*i];
    const auto& last = state.panes.back();
    if (spec_.counted)
      out.push_back(judged(joined(state, always, never), state.panes.front().index, last.last));
    else
      out.push_back(look(*i, spec_.type == window_type::session ? last.index : last.index * spec_.pane));
    out.back().key = keys_.key(*i);
  }
  return out;
}

} // namespace tobit::rule::window
