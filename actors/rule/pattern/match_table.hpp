#pragma once

#include "actors/rule/pattern/deadline_heap.hpp"
#include "actors/rule/pattern/partial_match.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tobit::rule::pattern {

/// What became of matches and events since this table was made. Shown, and decides nothing.
struct match_figures {
  std::int64_t complete = 0, expired = 0, broken = 0, skipped = 0;
  std::int64_t late = 0;    ///< events older than what their key had already taken, or than any match could begin with
  std::int64_t evicted = 0; ///< matches that were given up, or not begun, because of a bound
};

/// The matches under way of all keys. An event moves each match of its key by at most one step; a match takes the first
/// event that fits (nothing branches), so there are never more matches than first events. Each is added, moved and
/// removed in O(log matches) worst case, and close to O(1) while events come in order of their time.
class match_table {
public:
  /// `by` must outlive this.
  explicit match_table(const compiled_pattern& by) : by_(by) {}
  match_table(const match_table&) = delete;
  match_table& operator=(const match_table&) = delete;

  /// Looks at one event of a key. True if it changed anything. `out` null: matches are not told.
  bool judge(std::string_view key, const sighting& seen, std::vector<complete_match>* out);

  /// Time has come to this point: what was to be over before it is over, and absences are certain. True if it changed
  /// anything.
  bool pass(std::int64_t time_us, std::vector<complete_match>* out);

  std::size_t keys() const noexcept { return keys_.size(); }
  std::size_t size() const noexcept { return deadlines_.entries().size(); }
  std::int64_t passed_us() const noexcept { return passed_us_; }
  std::uint64_t next_sequence() const noexcept { return next_sequence_; }
  const deadline_heap& deadlines() const noexcept { return deadlines_; }
  const match_figures& figures() const noexcept { return figures_; }

  /// In the order of their beginnings, with the time of the newest event that the key has taken.
  using visitor = std::function<void(const std::string& key, std::int64_t newest_us, const partial_match&)>;
  void visit(const visitor& each) const;
  const std::string& key_of(std::uint32_t at) const { return *slots_[at].key; }
  const partial_match& match_at(std::uint32_t at) const { return slots_[at].match; }

  /// Brings back what `visit` gave, in that order.
  void clear(std::int64_t passed_us, std::uint64_t next_sequence);
  void put_back(std::string_view key, std::int64_t newest_us, partial_match match);

  bool is_complete(const partial_match& m) const noexcept;
  bool is_waiting(const partial_match& m) const noexcept; ///< complete but for the absence at the end

private:
  struct key_state {
    std::vector<std::uint32_t> slots; ///< in the order of their beginnings
    std::int64_t newest_us = 0;
    bits wanted = 0; ///< at least every element that could change one of the matches
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept;
  };
  using key_map = std::unordered_map<std::string, key_state, text_hash, std::equal_to<>>;
  struct place {
    partial_match match;
    const std::string* key = nullptr;
    key_state* state = nullptr;
  };
  enum class fate : std::uint8_t { untouched, taken, complete, broken };

  fate offer(partial_match& m, const sighting& seen);
  fate after_taking(partial_match& m, std::int64_t time_us);
  bool fits_with_references(const partial_match& m, std::size_t element, const sighting& seen) const;
  std::size_t first_fitting(const partial_match& m, bits candidates, const sighting& seen) const;
  void take(partial_match& m, std::size_t element, const sighting& seen);
  bits wanted_by(const partial_match& m) const noexcept;

  bool offer_all(key_state& state, const sighting& seen, bool& used, std::vector<complete_match>* out);
  bool begin(std::string_view key, const sighting& seen, std::vector<complete_match>* out);
  bool note_noise(std::string_view key, const sighting& seen);
  void settle(key_state& state, std::int64_t time_us, std::vector<complete_match>* out);
  void finish(std::uint32_t at, std::int64_t ended_us, std::vector<complete_match>* out);
  std::uint32_t add(std::string_view key, partial_match m);
  void remove(std::uint32_t at);
  void remove_matches(key_state& state);
  void make_room(std::string_view key);

  const compiled_pattern& by_;
  key_map keys_;
  std::vector<place> slots_;
  std::vector<std::uint32_t> free_;
  deadline_heap deadlines_;
  std::int64_t passed_us_ = std::numeric_limits<std::int64_t>::min();
  std::uint64_t next_sequence_ = 1;
  match_figures figures_;
};

} // namespace tobit::rule::pattern
