#pragma once

#include "http/codec/shape.hpp"
#include "schemas/call_context.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tobit::http {

class exchange;
using exchange_ptr = std::shared_ptr<exchange>;

/// Answers one request, now or later; must neither block nor wait. An exception gives the client a 500 and a log line.
using route_handler = std::function<void(const exchange_ptr&)>;

/// Who may call a route.
struct access {
  enum class kind { anybody, signed_in, person, role, permission };
  kind is = kind::signed_in;
  role least = role::viewer;  ///< of `role`
  std::string permission;     ///< of `permission`, e.g. "cep:read"
  std::string resource_type;  ///< what overrides name, e.g. "rule"
  std::string resource_param; ///< the path parameter that holds the resource's id; may be empty

  static access anybody() { return {kind::anybody, {}, {}, {}, {}}; }
  static access signed_in() { return {}; }
  static access person() { return {kind::person, {}, {}, {}, {}}; } ///< a person with an access token: no API key
  static access at_least(role rank) { return {kind::role, rank, {}, {}, {}}; }
  static access permitted(std::string permission, std::string type, std::string param = {}) {
    return {kind::permission, {}, std::move(permission), std::move(type), std::move(param)};
  }
};

/// One parameter in the path, the query or a header.
struct parameter {
  enum class place { path, query, header };
  std::string name;
  shape type;
  place in = place::query;
  bool required = false;
};
parameter in_path(std::string name, shape type);
parameter in_query(std::string name, shape type);
parameter in_header(std::string name, shape type);

/// What a request may carry. A parsed body is JSON and was checked against `type`; a raw body is left to the handler.
struct body_rule {
  shape type;
  bool required = true;
  bool raw = false;
  std::vector<std::string> content_types{"application/json"};
  std::size_t bytes_max = 0; ///< 0: the node's limit for bodies (http.body_max)
};

/// What a route answers when all goes well.
struct answer_rule {
  int status = 200;
  shape type; ///< of the envelope's `data`; of the whole body where `content_type` is not JSON
  std::string content_type = "application/json";
  bool enveloped = true;
  std::vector<int> also{}; ///< further statuses of success with the same shape, e.g. 202
};

/// One line of the route table: everything that the dispatcher, the OpenAPI document and the reference page know.
struct route {
  std::string method{};
  std::string path{};      ///< segments are literal or `{name}`
  std::string operation{}; ///< OpenAPI operationId
  std::string tag{};       ///< group in the documentation
  std::string summary{};   ///< one sentence
  std::string notes{};     ///< further sentences for the documentation
  access needs = access::signed_in();
  std::vector<parameter> parameters{};
  std::optional<body_rule> body{};
  answer_rule answers{};
  std::vector<error_code> errors{};      ///< besides those that every route can give
  std::chrono::milliseconds deadline{0}; ///< 0: the node's (http.request_time)
  bool unlimited = false;                ///< exempt from rate limits: health checks
  route_handler handler{};
};

} // namespace tobit::http
