#pragma once

#include "http/server/server.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace tobit::http {

/// What browsers are told: the security headers of the contract §0.4 and CORS.
struct browser_rules {
  bool security_headers = true;
  std::vector<std::string> cors_origins; ///< scripts of these origins may call the API, e.g. "https://ops.example"
};

/// Content-Security-Policy, nosniff, frame, referrer and permissions policy; HSTS over TLS only.
void add_security_headers(header_list& headers, const browser_rules& rules, bool secure);

/// Access-Control-Allow-Origin and its like, if the request's Origin is one of the rules.
void add_cors_headers(header_list& headers, const browser_rules& rules, const request& incoming);

/// Whether this is a CORS preflight.
bool is_preflight(const request& incoming);
void add_preflight_headers(header_list& headers, const browser_rules& rules, const request& incoming);

} // namespace tobit::http
