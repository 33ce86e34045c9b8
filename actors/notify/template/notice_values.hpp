#pragma once

#include "schemas/channel/channel_protocol.hpp"
#include "schemas/json.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::notify {

/// In which language a channel speaks.
enum class language { en, ko };

/// Alerts of a notice that are shown; further ones are counted (`more`).
inline constexpr std::size_t alerts_shown_max = 20;
/// Labels, annotations and values of one alert that are shown.
inline constexpr std::size_t pairs_shown_max = 30;
/// Bytes of one value; a longer one is cut.
inline constexpr std::size_t value_bytes_max = 2'000;

/// Who speaks, for templates.
struct speaker {
  std::string channel_name;
  language speaks = language::en;
};

/// firing, resolved or acknowledged: what the notice says about its alerts.
std::string status_of(const channel::send_notice& notice);

/// What templates can show of a notice (docs/channels.md lists it): texts, objects of texts, and lists of these. Every
/// text is at most `value_bytes_max` long, without control characters other than line breaks and tabs.
json notice_values(const channel::send_notice& notice, const speaker& who);

/// All names that a template may use, without those below metadata, labels, annotations and values, which users choose.
const std::vector<std::string_view>& notice_value_names();
bool is_notice_value(std::string_view name) noexcept;
/// The most elements of a list of this name; 0 if it is no list.
std::size_t list_length_max(std::string_view name) noexcept;

/// Cuts at a character's start, and marks the cut with "…".
std::string cut_text(std::string_view text, std::size_t bytes_max);
/// The same in one line: line breaks and other control characters become blanks.
std::string one_line(std::string_view text, std::size_t bytes_max);

} // namespace tobit::notify
