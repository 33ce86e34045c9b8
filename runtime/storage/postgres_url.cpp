#include "runtime/storage/postgres_url.hpp"

#include "schemas/percent_encoding.hpp"

#include <vector>

namespace tobit::storage {

namespace {

struct url_parts {
  std::string_view scheme, user_info, place, parameters;
};

url_parts split(std::string_view url) {
  url_parts parts;
  const auto scheme_end = url.find("://");
  const auto start = scheme_end == std::string_view::npos ? 0 : scheme_end + 3;
  parts.scheme = url.substr(0, start);
  auto rest = url.substr(start);
  // A password may hold a '?' or a '/' only percent-encoded, but what is malformed must not leak either: the last '@'
  // counts.
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    parts.user_info = rest.substr(0, at);
    rest.remove_prefix(at + 1);
  }
  const auto question = rest.find('?');
  parts.place = rest.substr(0, question);
  if (question != std::string_view::npos) parts.parameters = rest.substr(question + 1);
  return parts;
}

void replace_all(std::string& text, std::string_view secret) {
  if (secret.empty()) return;
  for (auto at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3))
    text.replace(at, secret.size(), "***");
}

std::vector<std::string> secrets_of(std::string_view url) {
  const auto parts = split(url);
  std::vector<std::string> secrets;
  const auto add = [&](std::string_view secret) {
    secrets.emplace_back(secret);
    secrets.push_back(percent_decoded(secret));
  };
  if (const auto colon = parts.user_info.find(':'); colon != std::string_view::npos)
    add(parts.user_info.substr(colon + 1));
  auto rest = parts.parameters;
  while (!rest.empty()) {
    const auto end = rest.find('&');
    const auto parameter = rest.substr(0, end);
    for (std::string_view name : {"password=", "sslpassword="})
      if (parameter.starts_with(name)) add(parameter.substr(name.size()));
    rest = end == std::string_view::npos ? std::string_view{} : rest.substr(end + 1);
  }
  return secrets;
}

} // namespace

std::string without_secrets(std::string_view url) {
  const auto parts = split(url);
  return std::string(parts.scheme) + std::string(parts.place);
}

std::string redact(std::string text, std::string_view url) {
  replace_all(text, url);
  for (const auto& secret : secrets_of(url)) replace_all(text, secret);
  return text;
}

std::string with_parameter(std::string url, std::string_view name, std::string_view value) {
  const auto question = url.find('?');
  if (question != std::string::npos) {
    const auto parameters = "&" + url.substr(question + 1);
    if (parameters.find("&" + std::string(name) + "=") != std::string::npos) return url;
  }
  url.append(question == std::string::npos ? "?" : "&").append(name).append("=").append(value);
  return url;
}

} // namespace tobit::storage
