#include "actors/poll/http_source.hpp"

#include "runtime/outbound/query.hpp"

#include <algorithm>

namespace tobit::poll {

namespace {

/// Bytes of an unusable answer that are shown.
constexpr std::size_t excerpt_max = 160;
constexpr std::size_t body_max = 1u << 20;

/// The beginning of a body as one line of printable text.
std::string excerpt(std::string_view body) {
  std::string out;
  for (char c : body.substr(0, excerpt_max)) {
    const bool blank = static_cast<unsigned char>(c) < 32 || c == ' ' || c == 127;
    if (!blank)
      out.push_back(c);
    else if (!out.empty() && out.back() != ' ')
      out.push_back(' ');
  }
  if (body.size() > excerpt_max) out += "…";
  return out;
}

std::string described(const outbound::http_response& answer) {
  const auto type = answer.header("content-type").substr(0, 80);
  auto text = "status " + std::to_string(answer.status);
  if (!type.empty()) text += ", " + excerpt(type);
  return text + (answer.body.empty() ? ", no body" : ", body begins with: " + excerpt(answer.body));
}

class http_source final : public metric_source {
public:
  explicit http_source(http_source_deps deps) : deps_(std::move(deps)) {}

  void read(const entity::poll_interest& what, std::function<void(result<metric_document>)> done) override {
    const bool own = what.endpoint.substr(0, 1) == "/";
    if (own && (!deps_.own || !deps_.own_address))
      return done(
          fail(error_code::validation_error, "An endpoint on the node itself cannot be polled here; write a URL."));
    auto request = poll_request(what, own ? deps_.own_address() : std::string{});
    if (!request) return done(fail(request.error()));
    request->trusted = own;
    auto& client = own ? *deps_.own : deps_.outside;
    client.send(std::move(*request), [done = std::move(done)](result<outbound::http_response> answer) {
      if (!answer) return done(fail(answer.error()));
      done(read_answer(*answer));
    });
  }

private:
  const http_source_deps deps_;
};

} // namespace

result<outbound::http_request> poll_request(const entity::poll_interest& what, const std::string& base) {
  outbound::http_request request;
  request.method = what.method;
  request.url = base + what.endpoint;
  request.timeout = std::chrono::milliseconds{what.timeout_ms};
  request.response_max = body_max;
  request.headers.emplace_back("accept", "application/json");
  if (what.headers.is_object())
    for (const auto& [name, value] : what.headers.items())
      request.headers.emplace_back(name, outbound::plain_text(value));
  if (what.method == "GET") {
    if (what.params.is_object()) request.url = outbound::with_query(std::move(request.url), what.params);
  } else if (what.method == "POST") {
    request.body = to_text(what.params.is_null() ? json::object() : what.params);
    request.headers.emplace_back("content-type", "application/json");
  } else {
    return fail(error_code::validation_error, "'method' is one of GET, POST.");
  }
  return request;
}

result<metric_document> read_answer(const outbound::http_response& answer) {
  if (answer.status < 200 || answer.status > 299)
    return fail(error_code::external_service_error, "The endpoint did not answer with a metric: " + described(answer));
  auto document = parse_json(answer.body);
  if (!document)
    return fail(error_code::external_service_error, "The endpoint did not answer with JSON: " + described(answer));
  return std::make_shared<const json>(std::move(*document));
}

std::unique_ptr<metric_source> make_http_source(http_source_deps deps) {
  return std::make_unique<http_source>(std::move(deps));
}

} // namespace tobit::poll
