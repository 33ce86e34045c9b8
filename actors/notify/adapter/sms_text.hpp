#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tobit::notify {

/// True if the text can be sent in the 7-bit alphabet of GSM 03.38, in which one message holds 160 characters. Anything
/// else, Korean too, goes out as UCS-2 with 70 characters in one message and 67 in each part of a longer one.
bool is_gsm_text(std::string_view text) noexcept;

/// How long the text is for the network: septets for GSM text (some characters count twice), else UTF-16 units.
std::size_t sms_length(std::string_view text) noexcept;

/// Messages that the text is sent, and paid for, as.
std::size_t sms_parts(std::string_view text) noexcept;

/// At most `length_max` long by `sms_length`, cut between characters and marked with "..." (which, unlike "…", keeps
/// GSM text GSM text).
std::string cut_sms(std::string_view text, std::size_t length_max);

} // namespace tobit::notify
