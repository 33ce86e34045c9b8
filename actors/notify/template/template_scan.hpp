#pragma once

#include "schemas/error.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Mustache templates (https://mustache.github.io/mustache.5.html) of notices.
namespace tobit::notify {

/// Largest template, in bytes.
inline constexpr std::size_t template_bytes_max = 16u << 10;
/// Sections inside sections.
inline constexpr std::size_t section_depth_max = 4;
/// What the plain text of a template may grow to if every list in it is as long as it can be.
inline constexpr std::size_t template_growth_max = 256u << 10;

/// Checks a template before it is stored, so that what is rendered later can neither fail nor grow without bound:
/// sections are closed in order and at most `section_depth_max` deep, no list is walked inside itself, the variables
/// exist, and there are no partials, delimiters of one's own or unescaped tags. Errors: validation_error with a
/// sentence that names the place by line.
result<void> check_template(std::string_view text);

} // namespace tobit::notify
