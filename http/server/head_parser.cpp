#include "http/server/head_parser.hpp"

#include "http/server/characters.hpp"
#include "http/server/target.hpp"

#include <cstring>

namespace tobit::http::edge {
namespace {

constexpr std::size_t blank_lines_max = 4;
constexpr std::size_t content_length_digits_max = 18;

auto refuse(const char* sentence) { return fail(error_code::validation_error, sentence); }

/// Takes one line, without its CRLF, off `text`. The scanner has made sure that every line ends in CRLF.
std::string_view take_line(std::string_view& text) noexcept {
  const auto end = text.find("\r\n");
  const auto line = text.substr(0, end);
  text.remove_prefix(end + 2);
  return line;
}

result<void> read_request_line(std::string_view line, const head_limits& limits, request_head& head,
                               std::string& authority) {
  const auto first = line.find(' ');
  const auto last = line.rfind(' ');
  if (first == std::string_view::npos || first == last || first == 0)
    return refuse("The request line must be 'METHOD TARGET HTTP/1.1'.");
  const auto method = line.substr(0, first), target = line.substr(first + 1, last - first - 1),
             version = line.substr(last + 1);
  if (!all_of(method, token_character)) return refuse("The method holds a character that is not allowed.");
  if (version.size() != 8 || version.substr(0, 7) != "HTTP/1." || version[7] < '0' || version[7] > '9')
    return refuse("HTTP/1.1 is spoken here; end the request line with 'HTTP/1.1'.");
  if (target.size() > limits.uri_max) return fail(error_code::uri_too_long);
  head.minor_version = version[7] == '0' ? 0 : 1;
  head.keep_alive = head.minor_version > 0;
  head.incoming.method = method;
  return read_target(target, head.incoming, authority);
}

result<void> read_header_line(std::string_view line, header_list& headers) {
  if (line.front() == ' ' || line.front() == '\t') return refuse("A header is folded over two lines; send it in one.");
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return refuse("A header line has no name or no colon.");
  const auto name = line.substr(0, colon);
  if (!all_of(name, token_character)) return refuse("A header's name holds a character that is not allowed.");
  const auto value = trimmed(line.substr(colon + 1));
  if (!all_of(value, value_character)) return refuse("A header's value holds a control character.");
  auto& [key, text] = headers.emplace_back(name, value);
  for (char& c : key) c = lower(c);
  return {};
}

result<std::uint64_t> read_content_length(std::string_view value) {
  if (value.empty()) return refuse("Content-Length must be a number.");
  std::uint64_t length = 0;
  for (const char c : value) {
    if (c < '0' || c > '9') return refuse("Content-Length must be one number.");
    length = length * 10 + static_cast<std::uint64_t>(c - '0');
    // Checked after each digit, so that leading zeros are no way to overflow.
    if (length >= 1'000'000'000'000'000'000u || value.size() > 2 * content_length_digits_max)
      return fail(error_code::payload_too_large);
  }
  return length;
}

void read_connection(std::string_view list, request_head& head, bool& close) {
  for (std::string_view option; next_element(list, option);) {
    if (equal_ignoring_case(option, "close")) close = true;
    if (equal_ignoring_case(option, "keep-alive")) head.keep_alive = true;
  }
}

bool is_host(std::string_view host) noexcept {
  for (const char c : host) {
    const bool alnum = (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z');
    if (!alnum && std::string_view{"-._~%!$&'()*+,;=:[]"}.find(c) == std::string_view::npos) return false;
  }
  return true;
}

/// What the headers say about framing, connection and host.
class semantics {
public:
  explicit semantics(request_head& head) : head_(head) {}

  result<void> read(std::string_view name, std::string_view value) {
    switch (name.size()) {
    case 4:
      return name == "host" ? host(value) : result<void>{};
    case 6:
      return name == "expect" ? expect(value) : result<void>{};
    case 10:
      if (name == "connection") read_connection(value, head_, close_);
      return {};
    case 14:
      return name == "content-length" ? length(value) : result<void>{};
    case 17:
      return name == "transfer-encoding" ? coding(value) : result<void>{};
    default:
      return {};
    }
  }

  result<void> conclude() {
    if (hosts_ != 1 && head_.minor_version > 0) return refuse("HTTP/1.1 requires exactly one Host header.");
    if (hosts_ > 1) return refuse("There is more than one Host header.");
    if (lengths_ > 0 && codings_ > 0) return refuse("Content-Length and Transfer-Encoding exclude each other.");
    if (codings_ > 0 && head_.minor_version == 0) return refuse("HTTP/1.0 knows no Transfer-Encoding.");
    if (close_) head_.keep_alive = false;
    if (head_.minor_version == 0) head_.expects_continue = false;
    return {};
  }

private:
  result<void> host(std::string_view value) {
    ++hosts_;
    return is_host(value) ? result<void>{} : refuse("The Host header is not a host name.");
  }
  result<void> expect(std::string_view value) {
    if (!equal_ignoring_case(value, "100-continue")) return fail(error_code::expectation_failed);
    head_.expects_continue = true;
    return {};
  }
  result<void> length(std::string_view value) {
    if (++lengths_ > 1) return refuse("There is more than one Content-Length header.");
    const auto number = read_content_length(value);
    if (!number) return fail(number.error());
    head_.content_length = *number;
    head_.body = *number > 0 ? framing::length : framing::none;
    return {};
  }
  result<void> coding(std::string_view value) {
    if (++codings_ > 1) return refuse("There is more than one Transfer-Encoding header.");
    if (!equal_ignoring_case(value, "chunked"))
      return fail(error_code::not_implemented, "The only Transfer-Encoding known here is 'chunked'.");
    head_.body = framing::chunked;
    return {};
  }

  request_head& head_;
  int hosts_ = 0, lengths_ = 0, codings_ = 0;
  bool close_ = false;
};

} // namespace

head_scanner::verdict head_scanner::scan(std::string_view bytes) noexcept {
  for (;;) {
    if (in_request_line() && bytes.size() > begin_ && bytes[begin_] != '\r' && !is_of(bytes[begin_], token_character))
      return verdict::malformed;
    const void* found = seen_ < bytes.size() ? std::memchr(bytes.data() + seen_, '\n', bytes.size() - seen_) : nullptr;
    if (!found) {
      seen_ = bytes.size();
      return verdict::incomplete;
    }
    const auto feed = static_cast<std::size_t>(static_cast<const char*>(found) - bytes.data());
    if (feed == line_ || bytes[feed - 1] != '\r') return verdict::malformed;
    const bool blank = feed - line_ == 1, before_request = in_request_line();
    seen_ = line_ = feed + 1;
    if (!blank) continue;
    if (!before_request) return verdict::complete;
    begin_ = line_;
    if (begin_ > 2 * blank_lines_max) return verdict::malformed;
  }
}

result<request_head> parse_head(std::string_view head, const head_limits& limits) {
  if (head.size() > limits.head_max) return fail(error_code::headers_too_large);
  request_head parsed;
  std::string authority;
  if (auto line = read_request_line(take_line(head), limits, parsed, authority); !line) return fail(line.error());
  auto& headers = parsed.incoming.headers;
  semantics meaning{parsed};
  for (auto line = take_line(head); !line.empty(); line = take_line(head)) {
    if (headers.size() >= limits.header_count_max)
      return fail(error_code::headers_too_large, "There are too many headers; send fewer.");
    if (auto read = read_header_line(line, headers); !read) return fail(read.error());
    if (auto understood = meaning.read(headers.back().first, headers.back().second); !understood)
      return fail(understood.error());
  }
  if (auto sound = meaning.conclude(); !sound) return fail(sound.error());
  // RFC 9112 §3.2.2: the authority of an absolute form replaces what Host said.
  if (!authority.empty()) {
    if (!is_host(authority)) return refuse("The address in the request line has no usable host.");
    for (auto& [name, value] : headers)
      if (name == "host") value = authority;
  }
  return parsed;
}

} // namespace tobit::http::edge
