#include "http/server/connection.hpp"
#include "http/server/connection_channel.hpp"
#include "http/server/request_task.hpp"

#include <algorithm>

// The half of a connection that turns bytes into requests.
namespace tobit::http::edge {
namespace {

constexpr std::size_t reserve_max = 1u << 20;

} // namespace

void connection::read_once() {
  const auto outcome = wire_->read(scope_.scratch);
  switch (outcome.status) {
  case io_status::done:
    break;
  case io_status::blocked:
    readable_ = false;
    return;
  default:
    return finish();
  }
  // A short read of a plain socket has emptied it: the next bytes raise a new edge.
  if (outcome.bytes < scope_.scratch.size() && !wire_->secure() && !peer_closed_) readable_ = false;
  const std::string_view fresh{scope_.scratch.data(), outcome.bytes};
  if (input_.empty()) {
    const auto used = process(fresh);
    if (used < fresh.size() && !closing_) input_.assign(fresh.substr(used));
    return;
  }
  input_.erase(0, input_at_);
  input_.append(fresh);
  input_at_ = process(input_);
  if (input_at_ == input_.size()) {
    std::string{}.swap(input_);
    input_at_ = 0;
  }
}

/// Uses bytes until a request is complete or none are left; returns how many.
std::size_t connection::process(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && !closing_) {
    if (phase_ == phase::head) {
      const auto taken = take_head(bytes.substr(used));
      if (taken == 0) break;
      used += taken;
    } else if (phase_ == phase::body) {
      used += take_body(bytes.substr(used));
    } else {
      break;
    }
  }
  return used;
}

/// Returns the size of the head if it is complete, otherwise 0.
std::size_t connection::take_head(std::string_view bytes) {
  const auto& options = scope_.edge.options;
  switch (scanner_.scan(bytes)) {
  case head_scanner::verdict::incomplete:
    check_partial_head(bytes);
    return 0;
  case head_scanner::verdict::malformed:
    refuse({error_code::validation_error, "This is not an HTTP/1.1 request; lines end in CR LF."});
    return 0;
  case head_scanner::verdict::complete:
    break;
  }
  const auto begin = scanner_.begin(), end = scanner_.end();
  scanner_ = {};
  auto head =
      parse_head(bytes.substr(begin, end - begin), {options.head_max, options.header_count_max, options.uri_max});
  if (!head) {
    refuse(head.error());
    return 0;
  }
  begin_request(std::move(*head));
  return end;
}

/// Refuses a head that can no longer become acceptable, and starts its clock.
void connection::check_partial_head(std::string_view bytes) {
  const auto& options = scope_.edge.options;
  constexpr std::size_t method_and_version = 64;
  const auto size = bytes.size() - scanner_.begin();
  if (scanner_.in_request_line() && size > options.uri_max + method_and_version)
    return refuse(error_code::uri_too_long);
  if (size > options.head_max) return refuse(error_code::headers_too_large);
  if (input_.empty()) phase_deadline_ = scope_.now + options.head_time;
}

void connection::begin_request(request_head head) {
  ++requests_;
  form_ = {head.incoming.method == "HEAD", head.minor_version,
           head.keep_alive && requests_ < scope_.edge.options.requests_per_connection_max,
           choose_coding(head.incoming.header("accept-encoding"))};
  body_limit_ = {};
  incoming_ = std::make_unique<request>(std::move(head.incoming));
  if (head.body == framing::none) return dispatch();
  begin_body(head);
}

void connection::begin_body(const request_head& head) {
  body_limit_ = scope_.edge.handler.limit_for(incoming_->method, incoming_->path);
  if (head.body == framing::length && head.content_length > body_limit_.bytes)
    return refuse(error_code::payload_too_large);
  decoder_ = head.body == framing::length ? body_decoder::of_length(head.content_length)
                                          : body_decoder::chunked(body_limit_.bytes);
  if (head.body == framing::length)
    incoming_->body.reserve(static_cast<std::size_t>(std::min<std::uint64_t>(head.content_length, reserve_max)));
  phase_ = phase::body;
  phase_deadline_ = scope_.now + body_limit_.time;
  if (head.expects_continue) enqueue("HTTP/1.1 100 Continue\r\n\r\n");
}

std::size_t connection::take_body(std::string_view bytes) {
  auto& body = incoming_->body;
  const auto before = body.size();
  const auto used = decoder_.feed(bytes, body);
  if (!used) {
    refuse(used.error());
    return bytes.size();
  }
  const auto grown = body.size() - before;
  body_held_ += grown;
  if (scope_.edge.figures.body_bytes.fetch_add(grown, std::memory_order_relaxed) + grown >
      scope_.edge.options.request_bytes_max)
    refuse(error_code::overloaded);
  else if (decoder_.done())
    dispatch();
  return *used;
}

void connection::dispatch() {
  auto& edge = scope_.edge;
  phase_ = phase::answering;
  phase_deadline_ = scope_.now + edge.options.answer_time;
  ++request_number_;
  auto incoming = std::move(incoming_);
  if (edge.tasks->waiting() + scope_.ready.size() >= edge.options.queued_requests_max)
    return refuse(error_code::overloaded, form_.keep_alive);
  incoming->remote_address = address_;
  incoming->secure = wire_->secure();
  incoming->received_at = scope_.now;
  responder answer{std::make_shared<connection_channel>(answer_address{scope_.inbox, id_, request_number_, form_},
                                                        edge.tasks, edge.options.stream_queue_max)};
  scope_.ready.push_back(make_request_task(edge, std::move(*incoming), std::move(answer), body_limit_.bytes));
}

} // namespace tobit::http::edge
