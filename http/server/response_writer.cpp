#include "http/server/response_writer.hpp"

#include "http/server/characters.hpp"

#include <array>
#include <charconv>
#include <ctime>

namespace tobit::http::edge {
namespace {

constexpr std::size_t inline_body_max = 32 * 1024;

/// IMF-fixdate (RFC 9110 §5.6.7), made once a second per thread.
std::string_view date_now() {
  thread_local std::time_t written_for = -1;
  thread_local std::array<char, 40> text;
  thread_local std::size_t length = 0;
  const auto now = std::time(nullptr);
  if (now != written_for) {
    std::tm parts{};
    gmtime_r(&now, &parts);
    constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                 "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    // Not strftime's %a and %b: they follow the locale.
    length = static_cast<std::size_t>(std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                                    days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                                    months[static_cast<std::size_t>(parts.tm_mon)],
                                                    parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec));
    written_for = now;
  }
  return {text.data(), length};
}

void append_number(std::string& out, std::uint64_t value) {
  std::array<char, 20> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ").append(value).append("\r\n");
}

/// Headers that only this file may write.
bool is_framing(std::string_view name) noexcept {
  for (const std::string_view own : {"content-length", "transfer-encoding", "connection", "keep-alive", "date"})
    if (equal_ignoring_case(name, own)) return true;
  return false;
}

bool has_header(const response& answer, std::string_view lower_case_name) noexcept {
  for (const auto& [name, value] : answer.headers)
    if (equal_ignoring_case(name, lower_case_name)) return true;
  return false;
}

bool asks_to_close(const response& answer) noexcept {
  for (const auto& [name, value] : answer.headers)
    if (equal_ignoring_case(name, "connection") && equal_ignoring_case(value, "close")) return true;
  return false;
}

bool has_no_body(int status) noexcept { return status == 204 || status == 304 || (status >= 100 && status < 200); }

std::string begin_head(const response& answer, bool weak_tag) {
  std::string out;
  out.reserve(512 + (answer.body.size() <= inline_body_max ? answer.body.size() : 0));
  out.append("HTTP/1.1 ");
  append_number(out, static_cast<std::uint64_t>(answer.status));
  out.append(" ").append(reason_of(answer.status)).append("\r\n");
  append_header(out, "Date", date_now());
  for (const auto& [name, value] : answer.headers) {
    // A handler that lets a client's bytes into a header must not let it write headers of its own.
    if (is_framing(name) || name.empty() || !all_of(name, token_character) || !all_of(value, value_character)) continue;
    const bool weaken = weak_tag && equal_ignoring_case(name, "etag") && !value.starts_with("W/");
    append_header(out, name, weaken ? "W/" + value : value);
  }
  if (!answer.content_type.empty() && !has_no_body(answer.status) && all_of(answer.content_type, value_character))
    append_header(out, "Content-Type", answer.content_type);
  return out;
}

void append_connection(std::string& out, const answer_form& form, bool close) {
  if (close)
    append_header(out, "Connection", "close");
  else if (form.minor_version == 0)
    append_header(out, "Connection", "keep-alive");
}

} // namespace

bool wants_compression(const response& answer, const answer_form& form) noexcept {
  return form.coding != content_coding::identity && answer.body.size() > compress_from && answer.status != 206 &&
         is_compressible(answer.content_type) && !has_header(answer, "content-encoding");
}

written_answer write_answer(response answer, const answer_form& form) {
  if (answer.status < 200 || answer.status > 599) answer.status = 500;
  const bool depends_on_coding = answer.body.size() > compress_from && is_compressible(answer.content_type);
  bool packed = false;
  if (wants_compression(answer, form))
    if (auto smaller = compress(form.coding, answer.body)) {
      answer.body = std::move(*smaller);
      packed = true;
    }
  written_answer written;
  written.close = !form.keep_alive || asks_to_close(answer);
  auto& head = written.head;
  head = begin_head(answer, packed);
  if (packed) append_header(head, "Content-Encoding", name_of(form.coding));
  if (depends_on_coding) append_header(head, "Vary", "Accept-Encoding");
  if (!has_no_body(answer.status)) {
    head.append("Content-Length: ");
    append_number(head, answer.body.size());
    head.append("\r\n");
  }
  append_connection(head, form, written.close);
  head.append("\r\n");
  if (form.head_only || has_no_body(answer.status)) return written;
  if (answer.body.size() <= inline_body_max)
    head.append(answer.body);
  else
    written.body = std::move(answer.body);
  return written;
}

written_answer write_stream_head(const response& head, const answer_form& form) {
  written_answer written;
  written.close = !form.keep_alive || form.minor_version == 0 || asks_to_close(head);
  written.head = begin_head(head, false);
  if (form.minor_version > 0) append_header(written.head, "Transfer-Encoding", "chunked");
  append_connection(written.head, form, written.close);
  written.head.append("\r\n");
  return written;
}

std::string_view reason_of(int status) noexcept {
  switch (status) {
  case 200:
    return "OK";
  case 201:
    return "Created";
  case 202:
    return "Accepted";
  case 204:
    return "No Content";
  case 206:
    return "Partial Content";
  case 207:
    return "Multi-Status";
  case 301:
    return "Moved Permanently";
  case 302:
    return "Found";
  case 303:
    return "See Other";
  case 304:
    return "Not Modified";
  case 307:
    return "Temporary Redirect";
  case 308:
    return "Permanent Redirect";
  case 400:
    return "Bad Request";
  case 401:
    return "Unauthorized";
  case 403:
    return "Forbidden";
  case 404:
    return "Not Found";
  case 405:
    return "Method Not Allowed";
  case 406:
    return "Not Acceptable";
  case 408:
    return "Request Timeout";
  case 409:
    return "Conflict";
  case 410:
    return "Gone";
  case 412:
    return "Precondition Failed";
  case 413:
    return "Content Too Large";
  case 414:
    return "URI Too Long";
  case 415:
    return "Unsupported Media Type";
  case 416:
    return "Range Not Satisfiable";
  case 417:
    return "Expectation Failed";
  case 422:
    return "Unprocessable Content";
  case 428:
    return "Precondition Required";
  case 429:
    return "Too Many Requests";
  case 431:
    return "Request Header Fields Too Large";
  case 500:
    return "Internal Server Error";
  case 501:
    return "Not Implemented";
  case 502:
    return "Bad Gateway";
  case 503:
    return "Service Unavailable";
  case 504:
    return "Gateway Timeout";
  case 507:
    return "Insufficient Storage";
  default:
    return "Unknown";
  }
}

} // namespace tobit::http::edge
