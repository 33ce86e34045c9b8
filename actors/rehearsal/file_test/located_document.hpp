#pragma once

#include "schemas/json.hpp"

#include <tl/expected.hpp>

#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace tobit::rehearsal {

/// What is wrong with a file, and where.
struct file_flaw {
  std::string where; ///< `file:line:column`, or the file alone
  std::string message;
};
template <class T>
using file_result = tl::expected<T, file_flaw>;

/// Thrown where a file is read piece by piece, and caught where the reading began.
struct flaw_found {
  file_flaw what;
};

/// A YAML (or JSON) file as JSON that remembers where each value stands.
class located_document {
public:
  /// Reads a file of at most 8 MB. The flaw says where and what.
  static file_result<located_document> read_file(const std::string& path);
  static file_result<located_document> read(std::string_view text, const std::string& name);

  const json& value() const noexcept { return value_; }
  const std::string& name() const noexcept { return name_; }

  /// `file:line:column` of the value that the pointer names, or of the nearest one around it.
  std::string where(std::string pointer) const;
  file_flaw flaw(const std::string& pointer, std::string message) const { return {where(pointer), std::move(message)}; }

private:
  std::string name_;
  json value_;
  std::map<std::string, std::pair<int, int>> places_; ///< by pointer: line and column, from 0
};

} // namespace tobit::rehearsal
