#include "actors/notify/webhook_request.hpp"

#include "runtime/outbound/query.hpp"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

namespace tobit::notify {

namespace {

bool same_name(std::string_view a, std::string_view b) noexcept {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// A member that is absent or null is null; one of another type than wanted is an error.
result<json> member(const json& body, const char* name, json::value_t wanted) {
  const auto found = body.find(name);
  if (found == body.end() || found->is_null()) return json(wanted);
  if (found->type() != wanted)
    return fail(error_code::validation_error, std::string("The webhook's '") + name + "' has the wrong type.");
  return *found;
}

struct content {
  std::string text;
  std::string type;
};

/// What is sent, with the parameters that found their place in it removed from `params`.
content content_of(const json& body, bool takes_payload, json& params) {
  const auto own = body.find("body");
  const auto payload = body.find("payload");
  json chosen;
  if (own != body.end() && !own->is_null())
    chosen = *own;
  else if (takes_payload && payload != body.end())
    chosen = *payload;
  if (chosen.is_null()) return {};
  if (chosen.is_object()) {
    for (auto& [name, value] : params.items())
      if (!chosen.contains(name)) chosen[name] = value;
    params = json::object();
  }
  if (!chosen.is_string()) return {to_text(chosen), "application/json"};
  auto text = chosen.get<std::string>();
  const auto type = json::accept(text) ? "application/json" : "text/plain; charset=utf-8";
  return {std::move(text), type};
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

void set_headers(outbound::http_request& request, const json& wanted, const entity::outgoing_effect& effect,
                 const std::string& content_type) {
  bool has_type = content_type.empty();
  for (const auto& [name, value] : wanted.items()) {
    if (same_name(name, "idempotency-key") || same_name(name, "traceparent")) continue;
    has_type = has_type || same_name(name, "content-type");
    request.headers.emplace_back(name, outbound::plain_text(value));
  }
  if (!has_type) request.headers.emplace_back("Content-Type", content_type);
  request.headers.emplace_back("Idempotency-Key", effect.id);
  request.headers.emplace_back("traceparent", to_traceparent(effect.context));
}

} // namespace

result<outbound::http_request> webhook_request(const entity::outgoing_effect& effect, const std::string& own_url) {
  if (!effect.body.is_object()) return fail(error_code::validation_error, "The webhook's body is not a JSON object.");
  const auto endpoint = member(effect.body, "endpoint", json::value_t::string);
  const auto method = member(effect.body, "method", json::value_t::string);
  const auto headers = member(effect.body, "headers", json::value_t::object);
  auto params = member(effect.body, "params", json::value_t::object);
  for (const result<json>* part : {&endpoint, &method, &headers, &std::as_const(params)})
    if (!*part) return fail(part->error());

  outbound::http_request request;
  request.url = endpoint->get<std::string>();
  if (request.url.starts_with('/')) {
    if (own_url.empty()) return fail(error_code::unavailable, "This node does not serve HTTP yet; it is tried again.");
    request.url = own_url + request.url;
    request.trusted = true;
  }
  request.method = upper(method->get<std::string>());
  const auto takes_payload = request.method != "GET" && request.method != "HEAD" && request.method != "DELETE";
  auto sent = content_of(effect.body, takes_payload, *params);
  if (request.method.empty()) request.method = sent.type.empty() ? "GET" : "POST";
  request.url = outbound::with_query(std::move(request.url), *params);
  set_headers(request, *headers, effect, sent.type);
  request.body = std::move(sent.text);
  return request;
}

} // namespace tobit::notify
