#include "actors/notify/adapter/mail_message.hpp"

#include "actors/notify/adapter/signature.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace tobit::notify {

namespace {

constexpr std::size_t line_max = 76;
constexpr std::string_view word_begin = "=?UTF-8?B?", word_end = "?=";

bool has_control(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool is_ascii(std::string_view text) noexcept {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; });
}

/// What may stand in an address without quoting (RFC 5322 §3.4.1: dot-atom).
bool is_bare_address(std::string_view text) noexcept {
  const auto at = text.find('@');
  const auto atom = [](std::string_view part, std::string_view marks) {
    return !part.empty() && part.front() != '.' && part.back() != '.' && part.find("..") == part.npos &&
           std::all_of(part.begin(), part.end(), [&](unsigned char c) {
             return std::isalnum(c) || marks.find(static_cast<char>(c)) != marks.npos;
           });
  };
  return text.size() <= 254 && at != text.npos && at <= 64 && atom(text.substr(0, at), "!#$%&'*+-/=?^_`{|}~.") &&
         atom(text.substr(at + 1), "-.");
}

std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// The longest beginning of `text` with at most `bytes_max` bytes that ends between two characters.
std::size_t whole_characters(std::string_view text, std::size_t bytes_max) noexcept {
  if (text.size() <= bytes_max) return text.size();
  auto size = bytes_max;
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80) --size;
  return size;
}

/// Plain words, folded at blanks. A single word beyond the limit of a line cannot be folded; it is encoded instead.
std::string fold(std::string_view text, std::size_t used) {
  std::string out;
  auto column = used;
  for (std::size_t at = 0; at < text.size();) {
    auto end = text.find(' ', at + 1);
    if (end == text.npos) end = text.size();
    const auto word = text.substr(at, end - at); // with the blank before it
    if (column + word.size() > line_max && word.front() == ' ' && column > 1) {
      out += "\r\n";
      column = 0;
    }
    out += word;
    column += word.size();
    at = end;
  }
  return out;
}

std::string shown(const mail_address& who, std::size_t used) {
  if (who.name.empty()) return who.address;
  const auto plain = is_ascii(who.name) && std::all_of(who.name.begin(), who.name.end(), [](unsigned char c) {
                       return std::isalnum(c) || c == ' ' || c == '-' || c == '_';
                     });
  const auto name = plain ? '"' + who.name + '"' : encode_header(who.name, used);
  return name + " <" + who.address + '>';
}

std::string part(std::string_view boundary, std::string_view type, std::string_view content) {
  std::string out = "--" + std::string(boundary) + "\r\nContent-Type: " + std::string(type) +
                    "; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n";
  const auto encoded = base64(content);
  for (std::size_t at = 0; at < encoded.size(); at += line_max) out += encoded.substr(at, line_max) + "\r\n";
  return out + "\r\n";
}

} // namespace

result<mail_address> parse_mail_address(std::string_view text) {
  const auto wrong = [](const char* why) {
    return fail(error_code::validation_error,
                std::string(why) + " Write an address as ops@example.com or Operations <ops@example.com>.");
  };
  if (text.size() > 500) return wrong("A mail address is at most 500 bytes long.");
  if (has_control(text)) return wrong("A mail address holds no line breaks or control characters.");
  text = trimmed(text);
  mail_address out;
  if (!text.empty() && text.back() == '>') {
    const auto open = text.rfind('<');
    if (open == text.npos) return wrong("This is not a mail address.");
    auto name = trimmed(text.substr(0, open));
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    out.name = std::string(name);
    out.address = std::string(text.substr(open + 1, text.size() - open - 2));
  } else {
    out.address = std::string(text);
  }
  if (!is_bare_address(out.address)) return wrong("This is not a mail address.");
  return out;
}

std::string encode_header(std::string_view text, std::size_t used) {
  // "=?" in plain text would be read as an encoded word.
  const auto longest = [&] {
    std::size_t most = 0, run = 0;
    for (char c : text) most = std::max(most, run = c == ' ' ? 0 : run + 1);
    return most;
  };
  if (is_ascii(text) && text.find("=?") == text.npos && longest() < line_max - 10 &&
      (text.empty() || text.front() != ' '))
    return fold(text, used);
  std::string out;
  auto column = used;
  while (!text.empty()) {
    // A word is at most 75 characters long, and holds whole characters only (RFC 2047 §2, §5).
    const auto overhead = word_begin.size() + word_end.size();
    if (column + overhead + 8 > line_max) {
      out += "\r\n ";
      column = 1;
    }
    const auto room = std::min<std::size_t>(75, line_max - column) - overhead;
    const auto size = std::max<std::size_t>(whole_characters(text, room / 4 * 3), 1);
    const auto word = std::string(word_begin) + base64(text.substr(0, size)) + std::string(word_end);
    out += word;
    column += word.size();
    text.remove_prefix(size);
    if (!text.empty()) {
      out += "\r\n ";
      column = 1;
    }
  }
  return out;
}

std::string mail_date(utc_time at) {
  using namespace std::chrono;
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{floor<seconds>(at - day)};
  constexpr std::array<const char*, 7> weekdays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::array<char, 64> text;
  std::snprintf(text.data(), text.size(), "%s, %02u %s %04d %02d:%02d:%02d +0000", weekdays[weekday{day}.c_encoding()],
                static_cast<unsigned>(date.day()), months[static_cast<unsigned>(date.month()) - 1],
                static_cast<int>(date.year()), static_cast<int>(time.hours().count()),
                static_cast<int>(time.minutes().count()), static_cast<int>(time.seconds().count()));
  return text.data();
}

result<std::string> compose_mail(const mail_parts& parts) {
  for (const auto* text : {&parts.subject, &parts.from.name, &parts.from.address, &parts.reply_to, &parts.message_id,
                           &parts.in_reply_to, &parts.boundary})
    if (has_control(*text))
      return fail(error_code::validation_error, "A mail's header holds no line breaks or control characters.");
  std::string out;
  const auto header = [&](std::string_view name, const std::string& value) {
    out += std::string(name) + ": " + value + "\r\n";
  };
  header("Date", mail_date(parts.date));
  header("From", shown(parts.from, 6));
  std::string recipients;
  for (const auto& to : parts.to) {
    if (has_control(to.name) || has_control(to.address))
      return fail(error_code::validation_error, "A mail's header holds no line breaks or control characters.");
    recipients += (recipients.empty() ? "" : ",\r\n ") + shown(to, 4);
  }
  header("To", recipients);
  if (!parts.reply_to.empty()) header("Reply-To", parts.reply_to);
  header("Subject", encode_header(parts.subject, 9));
  header("Message-ID", '<' + parts.message_id + '>');
  if (!parts.in_reply_to.empty()) {
    header("In-Reply-To", '<' + parts.in_reply_to + '>');
    header("References", '<' + parts.in_reply_to + '>');
  }
  // So that no holiday answer comes back (RFC 3834).
  header("Auto-Submitted", "auto-generated");
  if (parts.urgent) header("Importance", "high");
  header("MIME-Version", "1.0");
  header("Content-Type", "multipart/alternative;\r\n boundary=\"" + parts.boundary + '"');
  out += "\r\n";
  out += part(parts.boundary, "text/plain", parts.text);
  if (!parts.html.empty()) out += part(parts.boundary, "text/html", parts.html);
  out += "--" + parts.boundary + "--\r\n";
  return out;
}

} // namespace tobit::notify
