#pragma once

#include "actors/rule/key_table.hpp"
#include "actors/rule/window/window_spec.hpp"

#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::rule::window {

/// What became of a window.
struct outcome {
  std::string key;
  std::int64_t start = 0, end = 0; ///< UTC microseconds; `end` does not belong to it
  std::uint64_t count = 0;
  std::optional<double> value; ///< nothing: too few inputs, or the values are too large for a sum
  bool exact = true;           ///< false: a percentile or number of distinct values from a sketch
  bool matched = false;
  bool closed = false; ///< by time or count, not by the input that was just taken
};

/// Counted since the rule's state began; part of it.
struct window_figures {
  std::uint64_t taken = 0;
  std::uint64_t late = 0;       ///< came after the last window that they belong to was closed
  std::uint64_t ahead = 0;      ///< from the future: more than `ahead_max_us` before its own time
  std::uint64_t unreadable = 0; ///< without a number or time where there should be one
  std::uint64_t evicted = 0;    ///< keys dropped with their windows, for the bounds' sake
};

/// The windows of all keys of one rule. Pure and bounded: by keys, by panes of a window, by bytes in all.
///
/// A window is made of panes that are only ever added to and joined; nothing is taken out of a sum. Time is that of the
/// newest event (its own, but never ahead of its arrival) less the allowed lateness, the *watermark*: windows that end
/// there or before are closed. With no input for a while it goes on with the clock.
class window_table {
public:
  using place = std::uint32_t;
  enum class reception : std::uint8_t { taken, late, ahead };

  explicit window_table(const window_spec& spec) : spec_(spec) {}

  /// Times in UTC microseconds. `value`: see `aggregate::add`. Outcomes that matter are added to `out`.
  reception take(std::string_view key, std::int64_t at, std::int64_t arrived, double value, std::vector<outcome>& out);
  void take_unreadable() { ++figures_.unreadable; }
  void advance(std::int64_t now, std::vector<outcome>& out);
  std::optional<std::int64_t> wake_at() const;

  /// What the window of this input would look like with it, and whether it would be taken. Changes nothing.
  struct glance {
    reception received = reception::taken;
    outcome seen;
  };
  glance preview(std::string_view key, std::int64_t at, std::int64_t arrived, double value) const;

  /// The place that the last `take` used; `key_table::none` if none.
  place last_place() const noexcept { return last_place_; }
  /// A number that the caller may keep with a key; 0 for a new one, and never stored.
  std::uint64_t& mark(place p) { return keys_[p].mark; }

  const window_figures& figures() const noexcept { return figures_; }
  std::size_t size() const noexcept { return keys_.size(); }
  std::size_t bytes() const noexcept { return bytes_; }
  std::int64_t watermark() const noexcept { return watermark_; }
  /// The window that is newest for each of up to `most` keys, those used last first.
  std::vector<outcome> newest(std::size_t most) const;

  std::string snapshot() const;
  bool restore(std::string_view snapshot);

private:
  static constexpr auto never = std::numeric_limits<std::int64_t>::max();
  static constexpr auto always = std::numeric_limits<std::int64_t>::min();

  struct pane {
    std::int64_t index = 0; ///< time divided by the pane's length; of sessions and counted windows the first time
    std::int64_t last = 0;  ///< the last time in it; only of sessions and counted windows
    aggregate sum;
    bool matched = false; ///< of windows that are one pane
  };
  struct key_state {
    std::vector<pane> panes; ///< by index
    std::int64_t due = never;
    std::uint64_t mark = 0;
    aggregate rest; ///< all panes but the last joined, if `rest_of` says for how many
    std::size_t rest_of = 0;
    bool matched = false; ///< of windows of several panes, at their last verdict
    bool lively = false;  ///< matched at some time
  };
  using states = key_table<key_state>;

  place place_of(std::string_view key);
  void make_room();
  void drop(place p);
  static std::size_t cost(const key_state& state, std::string_view key) noexcept;
  pane& pane_at(place p, std::int64_t index);
  void add(pane& to, double value);
  void drop_panes_before(key_state& state, std::int64_t index);
  bool is_late(std::int64_t index) const noexcept;

  bool take_pane(std::string_view key, std::int64_t at, double value, std::vector<outcome>& out);
  bool take_session(std::string_view key, std::int64_t at, double value, std::vector<outcome>& out);
  void take_counted(std::string_view key, std::int64_t at, double value, std::vector<outcome>& out);

  void move_watermark(std::int64_t to, std::vector<outcome>& out);
  void fall_due(place p, std::int64_t boundary, std::vector<outcome>& out);
  void close_panes(place p, std::int64_t boundary, std::vector<outcome>& out);
  void expire_panes(place p, std::int64_t boundary, std::vector<outcome>& out);
  void close_sessions(place p, std::int64_t boundary, std::vector<outcome>& out);
  void schedule(place p);
  void schedule_at(place p, std::int64_t due);

  aggregate joined(const key_state& state, std::int64_t from, std::int64_t to) const;
  const aggregate& newest_window(key_state& state);
  outcome judged(const aggregate& sum, std::int64_t start, std::int64_t end) const;
  void report(place p, const aggregate& sum, std::int64_t start, std::int64_t end, bool closed, bool& matched,
              std::vector<outcome>& out);
  outcome look(place p, std::int64_t at) const;

  window_spec spec_;
  states keys_;
  std::map<std::int64_t, std::vector<place>> due_; ///< may name places whose due time has changed since
  std::int64_t now_ = always, newest_ = always, last_arrival_ = always, watermark_ = always;
  std::size_t bytes_ = 0;
  window_figures figures_;
  place last_place_ = states::none;
  aggregate scratch_;
};

} // namespace tobit::rule::window
