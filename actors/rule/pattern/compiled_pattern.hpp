#pragma once

#include "actors/rule/condition.hpp"
#include "actors/rule/subject.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Patterns over several events: sequences, absences, repetition. Pure. What they mean: docs/patterns.md.
namespace tobit::rule::pattern {

inline constexpr std::size_t steps_max = 10;                  ///< in one pattern, absences counted
inline constexpr std::size_t members_max = 8;                 ///< of one `all_of` or `any_of`
inline constexpr std::size_t elements_max = 32;               ///< steps and members: each is one bit
inline constexpr std::int64_t repetition_max = 1'000;         ///< of `min` and `max`
inline constexpr std::int64_t within_seconds_max = 2'592'000; ///< 30 days
inline constexpr std::int64_t lateness_seconds_max = 3'600;   ///< of `allowed_lateness_seconds`
inline constexpr std::int64_t future_us_max = 3'600'000'000;  ///< an event further beyond its arrival is not taken
inline constexpr std::size_t fields_max = 100;                ///< fields that are kept of an event
inline constexpr std::size_t buffered_events_max = 10'000;    ///< events that wait for late ones

/// A set of elements.
using bits = std::uint32_t;

/// A comparison of an event with one that an earlier step took.
struct reference {
  std::size_t field; ///< of the event, in `compiled_pattern::fields`
  comparison_op op;
  bool fold;            ///< ASCII letters are equal in both cases
  std::uint8_t element; ///< the earlier step (or member)
  bool last;            ///< its latest event instead of its first
  std::size_t earlier_field;
};

/// Something that an event can be: a step, or a member of one.
struct element {
  std::string name;
  std::vector<std::string> types, sources; ///< globs; empty lets everything through
  std::optional<condition> fits;
  std::vector<reference> references;
};

/// A step that wants events. Absences are folded into the steps around them.
struct step {
  bits elements = 0;   ///< one, or the members
  bool all_of = false; ///< every member once, in any order; otherwise any of them counts
  std::uint32_t min = 1, max = 1;
  std::int64_t within_us = 0; ///< to be complete so long after the step before was; 0: the pattern's time only
  bits forbidden = 0;         ///< ends the match if it comes after the step before was complete and before this step
};

/// A normalised trigger_spec of the type "pattern", compiled. Immutable; thread-safe.
class compiled_pattern {
public:
  /// Precondition: `definition` is a normalised rule. Throws json::exception if it is not. The whole rule, because what
  /// its messages show of an event (`{{A.user}}`) must be kept of it.
  explicit compiled_pattern(const json& definition);

  struct glance {
    bits fits = 0;      ///< elements whose types, sources and conditions the event fits; references are not looked at
    bool shown = false; ///< it has the type and source of some element
  };
  /// Precondition: an event. No allocation.
  glance look(const subject& event) const noexcept;

  std::string text; ///< in one line: "A{3} then B within 5m by user"
  std::vector<element> elements;
  std::vector<step> steps; ///< at least one
  bits quiet_before = 0;   ///< must not have come in the `quiet_before_us` before the first step
  std::int64_t quiet_before_us = 0;
  bool waits = false;               ///< an absence stands at the end
  bits quiet_after = 0;             ///< must not come after the last step
  std::int64_t quiet_after_us = 0;  ///< after the last step; 0: until the pattern's time is over
  std::int64_t within_us = 0;       ///< from the first event to the last
  bool strict = false;              ///< every event that is shown is the next step's, or the match is over
  bool first_only = false;          ///< no new match of a key while one is under way
  bool skip_past_last_event = true; ///< a match ends all others of its key
  bool by_arrival = false;
  std::int64_t lateness_us = 0;
  std::vector<std::string> group_by;
  std::size_t max_keys = 10'000, max_matches = 10'000, max_matches_per_key = 100;
  std::vector<field_path> fields; ///< what is kept of an event

  /// The names of these elements, for people: "A or B".
  std::string names_of(bits set) const;

private:
  std::size_t field_index(const std::string& path);
  std::uint8_t read_element(const json& spec);
  void read_references(element& e, const json& spec);
  void keep_placeholders(const json& value);
};

} // namespace tobit::rule::pattern
