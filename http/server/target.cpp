#include "http/server/target.hpp"

#include "http/server/characters.hpp"

#include <simdjson.h>

#include <optional>

namespace tobit::http::edge {
namespace {

auto refuse(const char* sentence) { return fail(error_code::validation_error, sentence); }

/// Null for an escape that is not two hexadecimal digits.
std::optional<std::string> percent_decoded(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= text.size()) return {};
      const int high = hex_value(text[i + 1]), low = hex_value(text[i + 2]);
      if (high < 0 || low < 0) return {};
      decoded.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      decoded.push_back(plus_is_space && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return decoded;
}

bool is_utf8(std::string_view text) {
  for (const char c : text)
    if (static_cast<unsigned char>(c) >= 0x80) return simdjson::validate_utf8(text.data(), text.size());
  return true;
}

/// RFC 3986 §5.2.4 for a path that begins with a slash.
std::string without_dot_segments(std::string path) {
  if (path.find("/.") == std::string::npos) return path;
  std::string clean;
  std::size_t at = 0;
  while (at < path.size()) {
    auto next = path.find('/', at + 1);
    if (next == std::string::npos) next = path.size();
    const std::string_view segment{path.data() + at + 1, next - at - 1};
    const bool last = next == path.size();
    if (segment == "..") {
      const auto parent = clean.rfind('/');
      clean.resize(parent == std::string::npos ? 0 : parent);
      if (last) clean.push_back('/');
    } else if (segment == ".") {
      if (last) clean.push_back('/');
    } else {
      clean.append(path, at, next - at);
    }
    at = next;
  }
  return clean;
}

result<void> read_path(std::string_view raw, request& into) {
  auto decoded = percent_decoded(raw, false);
  if (!decoded) return refuse("The path holds a '%' that is not followed by two hexadecimal digits.");
  for (const char c : *decoded)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return refuse("The path holds a control character.");
  if (!is_utf8(*decoded)) return refuse("The path is not valid UTF-8.");
  into.path = without_dot_segments(std::move(*decoded));
  return {};
}

result<void> read_query(std::string_view raw, request& into) {
  while (!raw.empty()) {
    const auto end = raw.find('&');
    const auto pair = raw.substr(0, end);
    raw = end == std::string_view::npos ? std::string_view{} : raw.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decoded(pair.substr(0, equals), true);
    auto value = percent_decoded(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1), true);
    if (!name || !value) return refuse("The query holds a '%' that is not followed by two hexadecimal digits.");
    if (name->find('\0') != std::string::npos || value->find('\0') != std::string::npos)
      return refuse("The query holds a NUL character.");
    if (!is_utf8(*name) || !is_utf8(*value)) return refuse("The query is not valid UTF-8.");
    into.query.emplace_back(std::move(*name), std::move(*value));
  }
  return {};
}

/// Takes `http://authority` off an absolute form; what remains begins with '/' or '?' or is empty.
result<std::string_view> without_authority(std::string_view target, std::string& authority) {
  const auto scheme_end = target.find("://");
  if (scheme_end == std::string_view::npos) return refuse("The request target must begin with '/'.");
  const auto scheme = target.substr(0, scheme_end);
  if (!equal_ignoring_case(scheme, "http") && !equal_ignoring_case(scheme, "https"))
    return refuse("Only http and https addresses are served.");
  const auto rest = target.substr(scheme_end + 3);
  const auto end = rest.find_first_of("/?");
  authority = rest.substr(0, end);
  if (authority.empty() || authority.find('@') != std::string::npos)
    return refuse("The address in the request line has no usable host.");
  return end == std::string_view::npos ? std::string_view{} : rest.substr(end);
}

} // namespace

result<void> read_target(std::string_view target, request& into, std::string& authority) {
  if (!all_of(target, target_character) || target.empty())
    return refuse("The request target holds a character that must be percent-encoded.");
  into.target = target;
  if (target == "*") {
    if (into.method != "OPTIONS") return refuse("The target '*' is for OPTIONS only.");
    into.path = "*";
    return {};
  }
  auto local = target;
  if (target.front() != '/') {
    const auto rest = without_authority(target, authority);
    if (!rest) return fail(rest.error());
    local = *rest;
  }
  const auto question = local.find('?');
  const auto path = local.substr(0, question);
  if (auto done = read_path(path.empty() ? "/" : path, into); !done) return done;
  return question == std::string_view::npos ? result<void>{} : read_query(local.substr(question + 1), into);
}

} // namespace tobit::http::edge
