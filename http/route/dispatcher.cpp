#include "http/route/dispatcher.hpp"

#include "http/codec/envelope.hpp"
#include "http/route/deadline_watch.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <charconv>

namespace tobit::http {

namespace {

/// "Application/JSON; charset=utf-8" -> "application/json".
std::string media_type(std::string_view content_type) {
  auto type = content_type.substr(0, content_type.find(';'));
  while (!type.empty() && type.back() == ' ') type.remove_suffix(1);
  std::string out(type);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

error limited() { return error{error_code::rate_limit_exceeded}; }

} // namespace

dispatcher::dispatcher(const route_table& table, std::shared_ptr<const exchange_surroundings> around,
                       authenticator& people, dispatch_options options)
    : table_(table)
    , around_(std::move(around))
    , people_(people)
    , options_(options)
    , per_identity_(options.per_identity)
    , per_address_(options.per_address) {
  // nop
}

body_limit dispatcher::limit_for(std::string_view method, std::string_view path) const {
  const auto match = table_.find(method, path);
  body_limit limit{options_.body_max, options_.body_time};
  if (match.found && match.found->body && match.found->body->bytes_max > 0) limit.bytes = match.found->body->bytes_max;
  return limit;
}

void dispatcher::handle(request incoming, responder answer) {
  auto ex = std::make_shared<exchange>(around_, std::move(incoming), std::move(answer));
  ex->guarded([&] { begin(ex); });
  if (!ex->answered() && around_->deadlines) around_->deadlines->add(ex);
}

response dispatcher::refuse(const error& why) const {
  response out;
  out.status = describe(why.code).http_status;
  const auto trace = new_trace_id();
  out.headers.emplace_back("X-Trace-ID", to_hyphenated(trace));
  add_security_headers(out.headers, around_->browsers, false);
  if (describe(why.code).retryable && out.status != 408) out.headers.emplace_back("Retry-After", "1");
  out.body = error_envelope(around_->time->now(), why, to_hyphenated(trace));
  return out;
}

void dispatcher::begin(const exchange_ptr& ex) {
  const auto& incoming = ex->incoming();
  if (incoming.method == "OPTIONS") return answer_options(ex);
  auto match = table_.find(incoming.method, incoming.path);
  if (!match.found) return refuse_unknown(ex, match);
  ex->route_ = match.found;
  for (auto& [name, value] : match.path_values) ex->parameters_.emplace_back(name, std::move(value));
  if (auto set = set_deadline(*ex); !set) return ex->refuse(set.error());
  if (!match.found->unlimited)
    if (const auto wait = per_address_.take(incoming.remote_address, ex->steady_now()); wait.count() > 0)
      return ex->refuse(limited(), nullptr, retry_after(wait));
  if (match.found->needs.is == access::kind::anybody) return go_on(ex, caller{});
  people_.authenticate(incoming, [this, ex](result<caller> who) {
    if (!who) return ex->refuse(who.error());
    ex->guarded([&] { go_on(ex, std::move(*who)); });
  });
}

void dispatcher::answer_options(const exchange_ptr& ex) const {
  const auto& incoming = ex->incoming();
  const auto match = table_.find("OPTIONS", incoming.path);
  if (!match.path_known && incoming.path != "*") return refuse_unknown(ex, match);
  response out;
  out.status = 204;
  out.headers.emplace_back("Allow", table_.allowed_methods(incoming.path));
  if (is_preflight(incoming)) add_preflight_headers(out.headers, around_->browsers, incoming);
  ex->send(std::move(out));
}

void dispatcher::refuse_unknown(const exchange_ptr& ex, const route_match& match) const {
  const auto& path = ex->incoming().path;
  if (!match.path_known)
    return ex->refuse({error_code::not_found, "There is nothing at this path; /docs lists all of them."});
  const auto allowed = table_.allowed_methods(path);
  ex->refuse({error_code::method_not_allowed, "This path takes these methods: " + allowed + "."}, nullptr,
             {{"Allow", allowed}});
}

result<void> dispatcher::set_deadline(exchange& ex) const {
  auto patience = ex.route_->deadline.count() > 0 ? ex.route_->deadline : options_.deadline;
  if (const auto asked = ex.incoming().header("x-request-timeout"); !asked.empty()) {
    double seconds = 0;
    const auto [end, wrong] = std::from_chars(asked.data(), asked.data() + asked.size(), seconds);
    if (wrong != std::errc{} || end != asked.data() + asked.size() || !(seconds > 0) || seconds > 1e6)
      return fail(error_code::validation_error, "The header X-Request-Timeout is a number of seconds, for example 5.");
    patience = std::min(options_.deadline_max, std::chrono::milliseconds{static_cast<std::int64_t>(seconds * 1e3)});
  }
  ex.deadline_ = ex.incoming().received_at + patience;
  return {};
}

void dispatcher::go_on(const exchange_ptr& ex, caller who) {
  ex->identify(std::move(who));
  if (ex->who() && !ex->route_->unlimited)
    if (const auto wait = per_identity_.take(ex->context().who->principal.value, ex->steady_now()); wait.count() > 0)
      return ex->refuse(limited(), nullptr, retry_after(wait));
  if (auto allowed = read_parameters(*ex).and_then([&] { return authorize(*ex); }); !allowed) {
    // Who may not come in at all is told that, not what is wrong with the parameters.
    auto entry = authorize(*ex);
    return ex->refuse(entry ? allowed.error() : entry.error());
  }
  if (auto readable = read_body(*ex); !readable) return ex->refuse(readable.error());
  ex->guarded([&] { ex->route_->handler(ex); });
}

result<void> dispatcher::authorize(const exchange& ex) const {
  const auto& needs = ex.route_->needs;
  if (needs.is == access::kind::anybody) return {};
  const auto& who = ex.who();
  if (!who) return fail(error_code::unauthenticated);
  switch (needs.is) {
  case access::kind::person:
    if (who.key) return fail(error_code::authorization_error, "An API key cannot do this; sign in as a person.");
    return {};
  case access::kind::role:
    if (who.user->rank < needs.least)
      return fail(error_code::authorization_error,
                  "This takes the role " + std::string(to_string(needs.least)) + " or higher; ask an administrator.");
    // A narrowly scoped key must not reach what no scope word names.
    if (who.key && std::find(who.key->scope.begin(), who.key->scope.end(), "*") == who.key->scope.end())
      return fail(error_code::authorization_error, "This is outside the scope of the API key; it takes the scope '*'.");
    return {};
  case access::kind::permission: {
    const auto& id = needs.resource_param.empty() ? std::string{} : ex.text(needs.resource_param);
    const auto verdict = who.may({needs.permission, needs.resource_type, id}, ex.now());
    if (!verdict.granted)
      return fail(error_code::authorization_error, "The permission '" + needs.permission + "' is missing (" +
                                                       verdict.reason + "); ask an administrator.");
    return {};
  }
  default:
    return {};
  }
}

result<void> dispatcher::read_parameters(exchange& ex) const {
  for (const auto& p : ex.route_->parameters) {
    if (p.in == parameter::place::path) {
      for (auto& [name, held] : ex.parameters_) {
        if (name != p.name) continue;
        auto read = read_parameter(p.name, held.get_ref<const std::string&>(), p.type);
        // A path that cannot name anything names nothing.
        if (!read) return fail(error_code::not_found, read.error().message);
        held = std::move(*read);
      }
      continue;
    }
    std::optional<std::string_view> sent;
    if (p.in == parameter::place::query) {
      if (const auto* value = ex.incoming().query_value(p.name)) sent = *value;
    } else if (const auto value = ex.incoming().header(p.name); !value.empty()) {
      sent = value;
    }
    if (sent) {
      auto read = read_parameter(p.name, *sent, p.type);
      if (!read) return fail(read.error());
      ex.parameters_.emplace_back(p.name, std::move(*read));
    } else if (p.required) {
      return fail(error_code::validation_error, "The parameter '" + p.name + "' is missing.");
    } else if (!p.type.otherwise.is_null()) {
      ex.parameters_.emplace_back(p.name, p.type.otherwise);
    }
  }
  return {};
}

result<void> dispatcher::read_body(exchange& ex) const {
  const auto& rule = ex.route_->body;
  if (!rule || rule->raw) return {};
  const auto type = media_type(ex.incoming().header("content-type"));
  const bool known = type.empty() || std::find(rule->content_types.begin(), rule->content_types.end(), type) !=
                                         rule->content_types.end();
  if (!known && !ex.incoming().body.empty())
    return fail(error_code::unsupported_media_type, "The content type '" + type.substr(0, 100) +
                                                        "' is not taken here; send " + joined(rule->content_types) +
                                                        ".");
  if (ex.incoming().body.empty()) {
    if (rule->required) return fail(error_code::malformed_json, "The body is empty; send a JSON object.");
    ex.body_ = json::object();
  } else {
    auto parsed = parse_json(ex.incoming().body);
    if (!parsed) return fail(parsed.error());
    ex.body_ = std::move(*parsed);
  }
  return check(ex.body_, rule->type);
}

} // namespace tobit::http
