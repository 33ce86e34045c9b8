#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace tobit::event {

/// Numbers the distinct (type, source) pairs of a batch in the order of their first appearance.
class pair_index {
public:
  /// Appends to `pairs`, which must be empty and outlive this.
  explicit pair_index(std::vector<std::pair<std::string, std::string>>& pairs) : pairs_(pairs) {}

  std::uint32_t of(std::string_view type, std::string_view source) {
    // Neighbours are mostly alike.
    if (!pairs_.empty() && pairs_[last_].first == type && pairs_[last_].second == source) return last_;
    key_.assign(type).append(1, '\0').append(source);
    const auto [entry, is_new] = numbers_.try_emplace(key_, static_cast<std::uint32_t>(pairs_.size()));
    if (is_new) pairs_.emplace_back(type, source);
    return last_ = entry->second;
  }

private:
  std::vector<std::pair<std::string, std::string>>& pairs_;
  std::unordered_map<std::string, std::uint32_t> numbers_;
  std::string key_;
  std::uint32_t last_ = 0;
};

} // namespace tobit::event
