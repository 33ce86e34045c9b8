#pragma once

#include "schemas/error.hpp"
#include "schemas/time.hpp"

#include <string>
#include <string_view>
#include <vector>

/// Mails as text: RFC 5322 headers, RFC 2047 words, RFC 2045 parts.
namespace tobit::notify {

/// A mail address with what people see of it.
struct mail_address {
  std::string name;    ///< may be empty; any language
  std::string address; ///< name@host, ASCII
};

/// Reads `name@host` or `Shown name <name@host>`. Line breaks and other control characters, with which further headers
/// could be smuggled in, are refused. Errors: validation_error.
result<mail_address> parse_mail_address(std::string_view text);

struct mail_parts {
  mail_address from;
  std::vector<mail_address> to;
  std::string reply_to; ///< bare, may be empty
  std::string subject, text, html;
  std::string message_id;  ///< without brackets: unique@host
  std::string in_reply_to; ///< the same of the mail that this one belongs to; may be empty
  utc_time date;
  std::string boundary; ///< between the parts; letters and digits that do not occur in base64 text's line starts
  bool urgent = false;
};

/// The whole message with CRLF at line ends, ASCII only: text and HTML as alternatives, base64 encoded. Errors:
/// validation_error if a header would hold a control character.
result<std::string> compose_mail(const mail_parts& parts);

/// A header's value with everything that is not plain ASCII as encoded words (RFC 2047, UTF-8, base64), folded so that
/// no line is longer than 76 characters. `used`: characters before it on its line.
std::string encode_header(std::string_view text, std::size_t used);

/// `Fri, 20 Nov 2026 08:30:00 +0000`.
std::string mail_date(utc_time at);

} // namespace tobit::notify
