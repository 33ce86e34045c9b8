#include "http/route/browser_headers.hpp"

#include <algorithm>

namespace tobit::http {

namespace {

bool is_allowed(const browser_rules& rules, std::string_view origin) {
  return !origin.empty() &&
         std::find(rules.cors_origins.begin(), rules.cors_origins.end(), origin) != rules.cors_origins.end();
}

} // namespace

void add_security_headers(header_list& headers, const browser_rules& rules, bool secure) {
  if (!rules.security_headers) return;
  headers.emplace_back("Content-Security-Policy",
                       "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'self'; "
                       "form-action 'self'; frame-ancestors 'self'");
  headers.emplace_back("X-Content-Type-Options", "nosniff");
  headers.emplace_back("X-Frame-Options", "SAMEORIGIN");
  // The filter of old browsers can itself be abused; 0 is what OWASP asks for today.
  headers.emplace_back("X-XSS-Protection", "0");
  headers.emplace_back("Referrer-Policy", "strict-origin-when-cross-origin");
  headers.emplace_back("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()");
  if (secure) headers.emplace_back("Strict-Transport-Security", "max-age=31536000; includeSubDomains");
}

void add_cors_headers(header_list& headers, const browser_rules& rules, const request& incoming) {
  if (rules.cors_origins.empty()) return;
  headers.emplace_back("Vary", "Origin");
  const auto origin = incoming.header("origin");
  if (!is_allowed(rules, origin)) return;
  headers.emplace_back("Access-Control-Allow-Origin", std::string(origin));
  headers.emplace_back("Access-Control-Expose-Headers",
                       "ETag, Retry-After, X-Request-ID, X-Trace-ID, X-Parent-Trace-ID");
}

bool is_preflight(const request& incoming) {
  return incoming.method == "OPTIONS" && !incoming.header("access-control-request-method").empty();
}

void add_preflight_headers(header_list& headers, const browser_rules& rules, const request& incoming) {
  if (!is_allowed(rules, incoming.header("origin"))) return;
  headers.emplace_back("Access-Control-Allow-Methods", "GET, POST, PUT, DELETE, PATCH, OPTIONS");
  headers.emplace_back(
      "Access-Control-Allow-Headers",
      "Authorization, Content-Type, If-Match, Last-Event-ID, X-API-Key, X-Request-ID, X-Request-Timeout, "
      "X-Trace-ID, X-Parent-Trace-ID, traceparent, tracestate");
  headers.emplace_back("Access-Control-Max-Age", "3600");
}

} // namespace tobit::http
