#pragma once

#include "actors/notify/template/notice_values.hpp"
#include "schemas/channel/channel_protocol.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tobit::notify {

/// How values are escaped: for where the text will stand.
enum class escaping {
  none, ///< plain text, or text that becomes a value of a JSON document
  html, ///< & < > " '
  slack ///< & < >, which begin links and mentions in Slack's mrkdwn
};

std::string escape_for(escaping target, std::string_view text);

/// Renders a template over `values` (from `notice_values`). A missing value is nothing; what is longer than `bytes_max`
/// is cut. Precondition: `check_template` accepts the template; what it does not accept gives an empty text.
std::string render_template(std::string_view text, const json& values, escaping target, std::size_t bytes_max);

/// The templates of a channel; empty ones: the defaults of its type and language.
struct template_overrides {
  std::string title, text, html;
};

/// A notice in words.
struct rendered_notice {
  std::string title; ///< one line, at most 300 bytes
  std::string text;  ///< at most 16 KiB, escaped for the type of channel
  std::string html;  ///< of mails only, at most 128 KiB
};

/// Renders a notice for a type of channel.
rendered_notice render_notice(std::string_view channel_type, const template_overrides& templates,
                              const channel::send_notice& notice, const speaker& who);

/// The default templates, also for documentation. `type`: of a channel.
std::string_view default_title(language speaks) noexcept;
std::string_view default_text(std::string_view type, language speaks) noexcept;
std::string_view default_html(language speaks) noexcept;

} // namespace tobit::notify
