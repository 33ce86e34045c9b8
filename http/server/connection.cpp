#include "http/server/connection.hpp"

#include "http/server/connection_channel.hpp"
#include "http/server/request_task.hpp"

#include <algorithm>
#include <array>

namespace tobit::http::edge {
namespace {

constexpr std::size_t reads_per_turn = 16;
constexpr std::size_t pieces_per_write = 64;
constexpr std::size_t reserve_max = 1u << 20;
constexpr std::size_t piece_overhead = 16;
// A client that still sends when it is refused must get the answer before the connection is reset under it.
constexpr auto linger_time = std::chrono::milliseconds{2000};
constexpr auto linger_time_at_stop = std::chrono::milliseconds{200};

/// The steps of an answer that has to be framed piece by piece.
std::string chunk_head(std::size_t size) {
  std::array<char, 20> digits;
  const auto length = std::snprintf(digits.data(), digits.size(), "%zx\r\n", size);
  return {digits.data(), static_cast<std::size_t>(length)};
}

} // namespace

connection::connection(reactor_scope& scope, connection_id id, std::unique_ptr<transport> wire, std::string address)
    : scope_(scope)
    , id_(id)
    , wire_(std::move(wire))
    , address_(std::move(address))
    , phase_deadline_(scope.now + scope.edge.options.head_time)
    , progress_at_(scope.now) {
  scope_.edge.figures.connections.fetch_add(1, std::memory_order_relaxed);
}

connection::~connection() {
  finish();
  scope_.edge.figures.connections.fetch_sub(1, std::memory_order_relaxed);
  scope_.edge.doors.leave(address_);
}

void connection::on_ready(readiness what) {
  if (what.broken) return finish();
  // The end of the peer's bytes is read like bytes.
  readable_ = readable_ || what.readable || what.peer_closed;
  writable_ = writable_ || what.writable;
  peer_closed_ = peer_closed_ || what.peer_closed;
  advance();
}

void connection::advance() {
  wants_turn_ = false;
  for (std::size_t reads = 0; !finished();) {
    if (phase_ == phase::handshake && !shake_hands()) return;
    if (!flush() || (phase_ == phase::streaming && peer_closed_)) return finish();
    if (closing_ && output_.empty() && phase_ != phase::lingering) begin_linger();
    if (phase_ == phase::lingering) return linger();
    if (closing_ || (phase_ != phase::head && phase_ != phase::body)) return;
    // A client that does not read its answers gets no further ones.
    if (phase_ == phase::head && !output_.empty()) return;
    if (unparsed_) {
      unparsed_ = false;
      input_at_ += process(std::string_view{input_}.substr(input_at_));
      if (input_at_ == input_.size()) {
        std::string{}.swap(input_);
        input_at_ = 0;
      }
      continue;
    }
    if (!readable_) return;
    if (++reads > reads_per_turn) {
      wants_turn_ = true;
      return;
    }
    read_once();
  }
}

/// True once the connection can carry requests.
bool connection::shake_hands() {
  switch (wire_->handshake().status) {
  case io_status::done:
    phase_ = phase::head;
    phase_deadline_ = scope_.now + scope_.edge.options.idle_time;
    return true;
  case io_status::blocked:
    if (peer_closed_) finish();
    return false;
  default:
    finish();
    return false;
  }
}

/// Writes what waits. False if the connection is lost.
bool connection::flush() {
  while (!output_.empty() && writable_) {
    std::array<iovec, pieces_per_write> pieces;
    const auto count = output_.front(pieces.data(), pieces.size());
    const auto outcome = wire_->write({pieces.data(), count});
    if (outcome.status == io_status::blocked)
      writable_ = false;
    else if (outcome.status != io_status::done)
      return false;
    if (outcome.bytes == 0) continue;
    progress_at_ = scope_.now;
    const auto charges = output_.consume(outcome.bytes);
    if (stream_) stream_->release(charges);
  }
  return true;
}

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

void connection::on_instruction(instruction& one) {
  const bool current =
      one.request_number == request_number_ && (phase_ == phase::answering || phase_ == phase::streaming);
  if (!current || closing_) {
    if (one.stream) one.stream->end();
    return;
  }
  switch (one.what) {
  case instruction::kind::answer:
    take_answer(std::move(one.answer));
    break;
  case instruction::kind::abandoned:
    refuse(error_code::internal_server_error, form_.keep_alive);
    break;
  case instruction::kind::stream_start:
    start_stream(one);
    break;
  case instruction::kind::stream_piece:
    take_piece(std::move(one.piece));
    break;
  case instruction::kind::stream_end:
    end_stream();
    break;
  case instruction::kind::stream_overflow:
    return finish();
  case instruction::kind::adopt:
    return;
  }
  advance();
}

void connection::take_answer(written_answer answer) {
  if (answer.body.size() > scope_.edge.options.response_queue_max)
    return refuse({error_code::internal_server_error, "The answer is larger than this node may send; ask for less."},
                  form_.keep_alive);
  closing_ = answer.close || scope_.edge.stopping.load(std::memory_order_relaxed);
  enqueue(std::move(answer.head));
  if (!answer.body.empty()) enqueue(std::make_shared<const std::string>(std::move(answer.body)), 0);
  next_request();
}

void connection::start_stream(instruction& one) {
  closing_ = false;
  form_.keep_alive = !one.answer.close;
  enqueue(std::move(one.answer.head));
  if (form_.head_only || scope_.edge.stopping.load(std::memory_order_relaxed)) {
    one.stream->end();
    closing_ = !form_.head_only || one.answer.close;
    return next_request();
  }
  phase_ = phase::streaming;
  phase_deadline_ = steady_time::max();
  stream_ = std::move(one.stream);
  scope_.edge.figures.streams.fetch_add(1, std::memory_order_relaxed);
}

void connection::take_piece(std::shared_ptr<const std::string> bytes) {
  const auto charge = bytes->size() + piece_overhead;
  if (form_.minor_version == 0) return enqueue(std::move(bytes), charge);
  enqueue(chunk_head(bytes->size()));
  enqueue(std::move(bytes), charge);
  enqueue("\r\n");
}

void connection::end_stream() {
  if (form_.minor_version > 0) enqueue("0\r\n\r\n");
  closing_ = !form_.keep_alive || scope_.edge.stopping.load(std::memory_order_relaxed);
  next_request();
}

/// The current request has its answer in the output.
void connection::next_request() {
  if (auto stream = std::exchange(stream_, nullptr)) {
    scope_.edge.figures.streams.fetch_sub(1, std::memory_order_relaxed);
    stream->end();
  }
  release_body();
  ++request_number_;
  phase_ = phase::head;
  phase_deadline_ = scope_.now + (input_.empty() ? scope_.edge.options.idle_time : scope_.edge.options.head_time);
  unparsed_ = !input_.empty();
}

void connection::refuse(const error& why, bool keep_alive) {
  auto form = form_;
  form.keep_alive = keep_alive;
  form.coding = content_coding::identity;
  auto answer = write_answer(scope_.edge.refusal(why), form);
  closing_ = answer.close;
  incoming_.reset();
  decoder_ = {};
  enqueue(std::move(answer.head));
  enqueue(std::move(answer.body));
  next_request();
}

void connection::touch_output() noexcept {
  if (output_.empty()) progress_at_ = scope_.now;
}
void connection::enqueue(std::string bytes, std::size_t charge) {
  touch_output();
  output_.push(std::move(bytes), charge);
}
void connection::enqueue(std::shared_ptr<const std::string> bytes, std::size_t charge) {
  touch_output();
  output_.push(std::move(bytes), charge);
}

void connection::begin_linger() {
  wire_->finish_writing();
  std::string{}.swap(input_);
  phase_ = phase::lingering;
  const bool stopping = scope_.edge.stopping.load(std::memory_order_relaxed);
  phase_deadline_ = scope_.now + (stopping ? linger_time_at_stop : linger_time);
}

void connection::linger() {
  for (std::size_t reads = 0; readable_; ++reads) {
    if (reads == reads_per_turn) {
      wants_turn_ = true;
      return;
    }
    switch (wire_->discard(scope_.scratch).status) {
    case io_status::done:
      break;
    case io_status::blocked:
      readable_ = false;
      break;
    default:
      return finish();
    }
  }
}

void connection::on_deadline() {
  if (deadline() > scope_.now) return;
  const bool reader_stuck = !output_.empty() && progress_at_ + scope_.edge.options.write_time <= scope_.now;
  if (reader_stuck) return finish();
  switch (phase_) {
  case phase::head:
    if (input_.empty()) return finish();
    refuse(error_code::request_timeout);
    break;
  case phase::body:
    refuse(error_code::request_timeout);
    break;
  case phase::answering:
    refuse(error_code::deadline_exceeded);
    break;
  default:
    return finish();
  }
  advance();
}

steady_time connection::deadline() const noexcept {
  const auto stuck = output_.empty() ? steady_time::max() : progress_at_ + scope_.edge.options.write_time;
  // Between requests the clock of the next one starts when the last answer is written.
  if (phase_ == phase::head && !output_.empty()) return stuck;
  return std::min(stuck, phase_deadline_);
}

void connection::on_stop() {
  switch (phase_) {
  case phase::handshake:
    return finish();
  case phase::head:
    if (!input_.empty()) return;
    closing_ = true;
    return advance();
  case phase::streaming:
    end_stream();
    return advance();
  default:
    return;
  }
}

void connection::finish() noexcept {
  if (finished()) return;
  phase_ = phase::finished;
  wants_turn_ = false;
  if (const auto stream = std::exchange(stream_, nullptr)) {
    scope_.edge.figures.streams.fetch_sub(1, std::memory_order_relaxed);
    stream->end();
  }
  incoming_.reset();
  release_body();
  output_.clear();
}

void connection::release_body() noexcept {
  scope_.edge.figures.body_bytes.fetch_sub(std::exchange(body_held_, 0), std::memory_order_relaxed);
}

} // namespace tobit::http::edge
