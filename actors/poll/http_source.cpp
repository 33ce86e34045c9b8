#include "actors/poll/http_source.hpp"

#include "actors/poll/exposition/exposition.hpp"
#include "actors/poll/exposition/query_answer.hpp"
#include "actors/poll/exposition/series_document.hpp"
#include "runtime/outbound/query.hpp"

#include <algorithm>

namespace tobit::poll {

namespace {

/// Bytes of an unusable answer that are shown.
constexpr std::size_t excerpt_max = 160;
constexpr std::size_t body_max = 1u << 20, page_max = 16u << 20;
constexpr std::string_view query_path = "/api/v1/query";

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

/// The parameters of an instant query; the server is to give up no later than the poll.
json query_params(const entity::poll_interest& what) {
  auto params = what.params.is_object() ? what.params : json::object();
  params["query"] = what.query;
  params["timeout"] = std::to_string(what.timeout_ms) + "ms";
  return params;
}

result<metric_document> document_of(const result<std::vector<series>>& found, const std::string& reduce) {
  if (!found) return fail(found.error());
  auto document = series_document(*found, reduce);
  if (!document) return fail(document.error());
  return std::make_shared<const json>(std::move(*document));
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
    if (what.source == "probe") return probe(client, std::move(*request), std::move(done));
    client.send(std::move(*request), [what, done = std::move(done)](result<outbound::http_response> answer) {
      if (!answer) return done(fail(answer.error()));
      done(read_answer(what, *answer));
    });
  }

private:
  void probe(outbound::http_client& client, outbound::http_request request,
             std::function<void(result<metric_document>)> done) {
    const auto now = [time = deps_.time] { return time ? time->steady_now() : steady_time{}; };
    client.send(std::move(request),
                [now, began = now(), done = std::move(done)](const result<outbound::http_response>& answer) {
                  // An address that rules may not reach says nothing about the service behind it.
                  if (!answer && answer.error().code == error_code::address_refused) return done(fail(answer.error()));
                  done(probe_document(answer, now() - began));
                });
  }

  const http_source_deps deps_;
};

} // namespace

result<outbound::http_request> poll_request(const entity::poll_interest& what, const std::string& base) {
  outbound::http_request request;
  request.method = what.method;
  request.url = base + what.endpoint;
  request.timeout = std::chrono::milliseconds{what.timeout_ms};
  request.response_max = body_max;
  if (!what.selector.empty()) request.response_max = page_max;
  request.headers.emplace_back("accept", what.selector.empty() ? "application/json"
                                                               : "text/plain;version=0.0.4, "
                                                                 "application/openmetrics-text;version=1.0.0;q=0.5");
  if (what.headers.is_object())
    for (const auto& [name, value] : what.headers.items())
      request.headers.emplace_back(name, outbound::plain_text(value));
  const bool asks_prometheus = what.source == "prometheus";
  if (asks_prometheus) {
    if (request.url.ends_with('/')) request.url.pop_back();
    request.url += query_path;
  }
  if (asks_prometheus && what.method == "GET") {
    request.url = outbound::with_query(std::move(request.url), query_params(what));
  } else if (asks_prometheus && what.method == "POST") {
    const auto form = outbound::with_query("", query_params(what)); // the same encoding, behind a question mark
    request.body = form.substr(std::min<std::size_t>(form.size(), 1));
    request.headers.emplace_back("content-type", "application/x-www-form-urlencoded");
  } else if (what.method == "GET") {
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

result<metric_document> read_answer(const entity::poll_interest& what, const outbound::http_response& answer) {
  if (what.source == "prometheus") {
    auto document = parse_json(answer.body); // also its refusals, which come with 4xx and 5xx
    if (!document || (answer.status > 299 && !(document->is_object() && document->contains("error"))))
      return fail(error_code::external_service_error,
                  "This is not Prometheus's query API (" + std::string(query_path) + "): " + described(answer));
    return document_of(read_query_answer(*document), what.reduce);
  }
  if (what.selector.empty()) return read_answer(answer);
  if (answer.status < 200 || answer.status > 299)
    return fail(error_code::external_service_error, "The endpoint did not answer with metrics: " + described(answer));
  auto wanted = series_selector::parse(what.selector);
  if (!wanted) return fail(wanted.error());
  return document_of(read_exposition(answer.body, *wanted), what.reduce);
}

metric_document probe_document(const result<outbound::http_response>& answer, std::chrono::microseconds took) {
  const bool up = answer && answer->status < 400;
  json document{{"up", up ? 1 : 0},
                {"status", answer ? answer->status : 0},
                {"latency_ms", static_cast<double>(took.count()) / 1e3},
                {"bytes", answer ? answer->body.size() : 0},
                {"error", nullptr}};
  if (!answer)
    document["error"] = answer.error().text();
  else if (!up)
    document["error"] = "status " + std::to_string(answer->status);
  return std::make_shared<const json>(std::move(document));
}

std::unique_ptr<metric_source> make_http_source(http_source_deps deps) {
  return std::make_unique<http_source>(std::move(deps));
}

} // namespace tobit::poll
