#include "http/route/exchange.hpp"

#include "http/codec/envelope.hpp"
#include "http/route/deadline_watch.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tobit::http {

namespace {

const std::string no_text;

/// Only methods of the table become label values: their number is bounded.
std::string_view known_method(std::string_view method) {
  for (std::string_view known : {"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"})
    if (method == known) return known;
  return "other";
}

identity_ptr nobody(const incoming_trace& trace) {
  return std::make_shared<const identity>(
      identity{tenant_id{"default"}, principal_id{"anonymous"}, role::none, trace.request_id, trace.parent_trace});
}

} // namespace

exchange::exchange(std::shared_ptr<const exchange_surroundings> around, request incoming, responder answer)
    : around_(std::move(around))
    , incoming_(std::move(incoming))
    , answer_(std::move(answer))
    , trace_(read_trace(incoming_))
    , started_at_(around_->time->now())
    , body_bytes_(incoming_.body.size())
    , nobody_(nobody(trace_))
    , context_(context_of(trace_, nobody_, steady_time::max())) {
  around_->open.fetch_add(1, std::memory_order_relaxed);
}

exchange::~exchange() {
  if (around_->deadlines) around_->deadlines->remove(*this);
  if (!answered()) {
    spdlog::error("http.unanswered {} {}: a handler let go of the request trace={}", incoming_.method,
                  route_ ? route_->path : std::string("-"), to_string(trace_.trace));
    refuse(error{error_code::internal_server_error});
  }
  around_->open.fetch_sub(1, std::memory_order_release);
}

void exchange::identify(caller who) {
  context_.deadline = deadline_;
  who_ = std::move(who);
  if (!who_) return;
  context_.who = std::make_shared<const identity>(
      identity{who_.user->tenant, who_.principal(), who_.user->rank, trace_.request_id, trace_.parent_trace});
  identified_.store(true, std::memory_order_release);
}

const json* exchange::value(std::string_view name) const {
  for (const auto& [key, held] : parameters_)
    if (key == name) return &held;
  return nullptr;
}

const std::string& exchange::text(std::string_view name) const {
  const auto* held = value(name);
  return held && held->is_string() ? held->get_ref<const std::string&>() : no_text;
}

std::int64_t exchange::whole(std::string_view name, std::int64_t otherwise) const {
  const auto* held = value(name);
  if (!held) return otherwise;
  if (held->is_boolean()) return held->get<bool>() ? 1 : 0;
  return held->is_number() ? held->get<std::int64_t>() : otherwise;
}

std::optional<std::int64_t> exchange::micros(std::string_view name) const {
  const auto& written = text(name);
  if (written.empty()) return std::nullopt;
  const auto time = parse_rfc3339(written);
  return time ? std::optional(to_micros(*time)) : std::nullopt;
}

void exchange::answer(int status, const json& body, const json& metadata, header_list further) {
  if (answered()) return;
  response out;
  out.status = status;
  out.headers = std::move(further);
  out.body = success_envelope(now(), body, metadata);
  finish(std::move(out));
}

void exchange::refuse(const error& why, const json& details, header_list further) {
  if (answered()) return;
  response out;
  out.status = describe(why.code).http_status;
  out.headers = std::move(further);
  if (out.status == 401) out.headers.emplace_back("WWW-Authenticate", "Bearer realm=\"tobit\"");
  if (out.status == 503 &&
      std::none_of(out.headers.begin(), out.headers.end(), [](auto& h) { return h.first == "Retry-After"; }))
    out.headers.emplace_back("Retry-After", "1");
  out.body = error_envelope(now(), why, to_hyphenated(trace_.trace), details);
  finish(std::move(out));
}

void exchange::send(response bare) { finish(std::move(bare)); }

void exchange::failed(const char* what) {
  spdlog::error("http.handler_failed {} {}: {} trace={}", incoming_.method, route_ ? route_->path : std::string("-"),
                what, to_string(trace_.trace));
  refuse(error{error_code::internal_server_error});
}

void exchange::add_headers(response& out) const {
  out.headers.reserve(out.headers.size() + 14);
  add_trace_headers(out.headers, trace_, context_);
  add_security_headers(out.headers, around_->browsers, incoming_.secure);
  add_cors_headers(out.headers, around_->browsers, incoming_);
  if (around_->served_by && identified_.load(std::memory_order_acquire))
    if (auto node = around_->served_by(*this); !node.empty()) out.headers.emplace_back("X-Tobit-Node", std::move(node));
  const auto caches = [](const auto& h) { return h.first == "Cache-Control"; };
  if (std::none_of(out.headers.begin(), out.headers.end(), caches))
    out.headers.emplace_back("Cache-Control", "no-store");
}

void exchange::finish(response out) {
  if (answered_.exchange(true, std::memory_order_acq_rel)) return;
  add_headers(out);
  const auto status = out.status;
  const auto bytes = out.body.size();
  answer_.send(std::move(out));
  record(status, bytes);
}

std::shared_ptr<event_stream> exchange::start_stream() {
  if (answered_.exchange(true, std::memory_order_acq_rel)) return nullptr;
  response head;
  head.content_type = "text/event-stream";
  head.headers.emplace_back("Cache-Control", "no-cache");
  head.headers.emplace_back("X-Accel-Buffering", "no"); // nginx would hold events back
  add_headers(head);
  auto stream = answer_.start_stream(std::move(head));
  record(200, 0);
  return stream;
}

void exchange::record(int status, std::size_t bytes_out) const {
  const auto duration = std::max(std::chrono::microseconds{0}, around_->time->steady_now() - incoming_.received_at);
  const std::string_view path = route_ ? std::string_view(route_->path) : std::string_view("unmatched");
  if (around_->figures) {
    char digits[4] = {static_cast<char>('0' + status / 100 % 10), static_cast<char>('0' + status / 10 % 10),
                      static_cast<char>('0' + status % 10), 0};
    around_->figures->count(telemetry::metric::http_requests, {known_method(incoming_.method), path, digits});
    around_->figures->observe(telemetry::metric::http_duration, static_cast<double>(duration.count()) / 1e6, {path});
  }
  if (!around_->spans && !around_->accesses) return;
  // The deadline watch may answer while the caller is still being looked up on another thread: then `context_.who` must
  // not be touched.
  call_context anonymous;
  const bool known = identified_.load(std::memory_order_acquire);
  if (!known) anonymous = {context_.trace, context_.span, context_.parent, context_.flags, nobody_, deadline_};
  const auto& context = known ? context_ : anonymous;
  const bool bad = status >= 500;
  if (around_->spans && (bad || around_->spans->wants(context)))
    around_->spans->record({context.trace,
                            context.span,
                            context.parent,
                            context.tenant(),
                            "http " + std::string(known_method(incoming_.method)) + " " + std::string(path),
                            started_at_,
                            duration,
                            bad,
                            {{"http.status_code", std::to_string(status)}}});
  if (!around_->accesses) return;
  telemetry::access_record line;
  line.at = started_at_;
  line.method = incoming_.method;
  line.path = incoming_.path;
  if (route_) line.route = route_->path;
  line.status = status;
  line.bytes_in = body_bytes_;
  line.bytes_out = bytes_out;
  line.duration = duration;
  line.remote_address = incoming_.remote_address;
  line.user_agent = incoming_.header("user-agent");
  line.tenant = known ? context.tenant().value : std::string{};
  line.principal = known ? context.who->principal.value : std::string{};
  line.request_id = trace_.request_id;
  line.trace_id = to_hyphenated(trace_.trace);
  line.parent_trace_id = trace_.parent_trace;
  around_->accesses->write(line);
}

header_list retry_after(std::chrono::microseconds wait) {
  return {{"Retry-After", std::to_string(std::max<std::int64_t>(1, (wait.count() + 999'999) / 1'000'000))}};
}

} // namespace tobit::http
