#pragma once

#include "actors/rule/field_reader.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::alert {

inline constexpr std::size_t channels_max = 20;

/// An identifier of a part of the definition: 1 to 100 letters, digits, `-`, `_`, `.`, `:`.
std::string read_id(rule::field_reader& in, std::string_view name, std::optional<std::string> otherwise = std::nullopt);

/// The field `channels`: keys of channels, at most `channels_max`.
json read_channels(rule::field_reader& in);

/// info 0 … critical 6; -1 for an unknown word.
int severity_rank(std::string_view severity) noexcept;

} // namespace tobit::alert
