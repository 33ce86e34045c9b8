#include "runtime/outbound/http_transfer.hpp"

#include <algorithm>
#include <cctype>

namespace tobit::outbound {

namespace {

constexpr std::size_t headers_max = 100;
constexpr std::size_t header_bytes_max = 64u << 10;

bool is_token(std::string_view text) noexcept {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) ||
           std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
  });
}

bool is_header_value(std::string_view text) noexcept {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// Headers that say where a message ends or belong to the connection: a caller's value could smuggle a second request.
bool is_framing(std::string_view lower_name) noexcept {
  constexpr std::string_view names[] = {
      "connection", "content-length",    "expect",  "keep-alive",       "te",
      "trailer",    "transfer-encoding", "upgrade", "proxy-connection", "proxy-authorization"};
  return std::find(std::begin(names), std::end(names), lower_name) != std::end(names);
}

result<void> check_headers(const http_request& request) {
  std::size_t bytes = 0;
  for (const auto& [name, value] : request.headers) {
    bytes += name.size() + value.size();
    if (!is_token(name) || name.size() > 200)
      return fail(error_code::validation_error,
                  "A header's name is empty or has characters that are not allowed in it.");
    if (!is_header_value(value))
      return fail(error_code::validation_error,
                  "The value of the header '" + name + "' contains a line break or control character; remove it.");
    if (is_framing(lower(name)))
      return fail(error_code::validation_error, "The header '" + name + "' is set by Tobit itself; remove it.");
  }
  if (request.headers.size() > headers_max || bytes > header_bytes_max)
    return fail(error_code::validation_error, "The request has more than 100 headers or more than 64 KB of them.");
  return {};
}

} // namespace

std::string_view http_response::header(std::string_view lower_case_name) const noexcept {
  for (const auto& [name, value] : headers)
    if (name == lower_case_name) return value;
  return {};
}

http_transfer::http_transfer(http_request request, wish what, const address_guard& guard)
    : transfer(std::move(what), guard), request_(std::move(request)) {
  // nop
}

result<std::unique_ptr<transfer>> http_transfer::make(http_request request, const address_guard& guard) {
  if (!is_token(request.method) || request.method.size() > 32 || request.method == "CONNECT" ||
      request.method == "TRACE")
    return fail(error_code::validation_error,
                "The method is not one that can be sent; use GET, POST, PUT, PATCH or DELETE.");
  if (auto checked = check_headers(request); !checked) return fail(checked.error());
  auto target = parse_target(request.url);
  if (!target) return fail(target.error());
  if (!request.trusted)
    if (auto checked = check_target(guard, *target); !checked) return fail(checked.error());
  wish what{std::move(*target), request.timeout, request.trusted, request.departed};
  return std::unique_ptr<transfer>(new http_transfer(std::move(request), std::move(what), guard));
}

void http_transfer::set_up(const transfer_surroundings& around) {
  const auto curl = easy();
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &http_transfer::header_arrived);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &http_transfer::body_arrived);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
  curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, ""); // everything that libcurl can unpack
  set_method();
  set_headers(around.user_agent);
}

void http_transfer::set_method() {
  const auto curl = easy();
  const auto& method = request_.method;
  const auto sends_body = !request_.body.empty() || method == "POST" || method == "PUT" || method == "PATCH";
  if (sends_body) {
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request_.body.data());
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  } else {
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    if (method == "HEAD") curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method.c_str());
}

void http_transfer::set_headers(const std::string& user_agent) {
  curl_slist* list = nullptr;
  const auto add = [&list](const std::string& line) {
    if (auto* longer = curl_slist_append(list, line.c_str())) list = longer;
  };
  bool has_type = false;
  for (const auto& [name, value] : request_.headers) {
    // "Name:" would remove the header; "Name;" sends it empty.
    add(trimmed(value).empty() ? name + ';' : name + ": " + value);
    if (lower(name) == "content-type") has_type = true;
  }
  add("Expect:");                      // do not wait a second for "100 Continue"
  if (!has_type) add("Content-Type:"); // not the form type that libcurl assumes
  headers_.reset(list);
  curl_easy_setopt(easy(), CURLOPT_HTTPHEADER, list);
  curl_easy_setopt(easy(), CURLOPT_USERAGENT, user_agent.c_str());
}

std::size_t http_transfer::header_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept {
  return static_cast<http_transfer*>(self)->on_header({from, size * count});
}

std::size_t http_transfer::body_arrived(char* from, std::size_t size, std::size_t count, void* self) noexcept {
  return static_cast<http_transfer*>(self)->on_body({from, size * count});
}

std::size_t http_transfer::on_header(std::string_view line) {
  header_bytes_ += line.size(); // interim answers count too, so that they cannot go on for ever
  if (header_bytes_ > response_headers_max) {
    cut_ = cut::headers_too_large;
    return 0;
  }
  if (line.starts_with("HTTP/")) {
    response_.headers.clear();
    headers_complete_ = false;
  } else if (trimmed(line).empty()) {
    headers_complete_ = true;
  } else if (const auto colon = line.find(':'); colon != line.npos) {
    response_.headers.emplace_back(lower(trimmed(line.substr(0, colon))), trimmed(line.substr(colon + 1)));
  }
  return line.size();
}

std::size_t http_transfer::on_body(std::string_view piece) {
  if (piece.size() > request_.response_max - response_.body.size()) {
    cut_ = cut::body_too_large;
    return 0;
  }
  response_.body.append(piece);
  return piece.size();
}

result<http_response> http_transfer::conclude(CURLcode outcome) {
  // libcurl is content with headers that end in the middle.
  if (outcome == CURLE_OK && !headers_complete_) outcome = CURLE_PARTIAL_FILE;
  if (outcome != CURLE_OK) return fail(explain(outcome));
  long status = 0;
  curl_easy_getinfo(easy(), CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  response_.took = steady_now() - started();
  return std::move(response_);
}

error http_transfer::explain(CURLcode outcome) const {
  using enum error_code;
  const auto& who = authority();
  if (cut_ == cut::body_too_large)
    return {external_service_error, "The answer of " + who + " is larger than " +
                                        std::to_string(request_.response_max) + " bytes and was cut off."};
  if (cut_ == cut::headers_too_large)
    return {external_service_error, "The headers of the answer of " + who + " are larger than 64 KB; it was cut off."};
  if (auto known = trouble(outcome)) return *known;
  switch (outcome) {
  case CURLE_SEND_ERROR:
  case CURLE_RECV_ERROR:
  case CURLE_GOT_NOTHING:
  case CURLE_PARTIAL_FILE:
    return {connection_error, who + " closed the connection before its answer was complete."};
  default:
    return {external_service_error, who + " gave an answer that is not valid HTTP: " + curl_says(outcome) + '.'};
  }
}

} // namespace tobit::outbound
