#pragma once

#include "actors/rule/field_reader.hpp"

#include <cstdint>
#include <string>
#include <vector>

namespace tobit::rule::pattern {

/// A step as it is written, and where complaints about it and its members point to.
struct written_step {
  json spec;
  std::string pointer;
  std::vector<std::string> members; ///< empty: below `pointer`
};

/// Checks the steps of one pattern and gives their normalised form.
class steps_reader {
public:
  steps_reader(verdict& v, std::int64_t within_seconds) : verdict_(v), within_seconds_(within_seconds) {}

  /// `pointer`: the place of complaints about the steps as a whole.
  json read(const std::vector<written_step>& steps, const std::string& pointer);

private:
  json read_step(const written_step& written, std::size_t index, std::size_t count);
  json read_members(field_reader& in, const char* group, const written_step& written, const std::string& what);
  void read_element(field_reader& in, json& out, const std::string& what);
  void read_name(field_reader& in, json& out, const std::string& what);
  void read_conditions(field_reader& in, json& out);
  json read_reference(const json& spec, const std::string& pointer);
  void read_repetition(field_reader& in, json& out);
  void check_together(const json& steps, const std::vector<written_step>& written, const std::string& pointer);

  verdict& verdict_;
  std::int64_t within_seconds_;
  std::vector<std::string> names_;   ///< of all elements so far
  std::vector<std::string> earlier_; ///< what a condition may refer to
  std::size_t comparisons_ = 0;
};

} // namespace tobit::rule::pattern
