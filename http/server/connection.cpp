#include "http/server/connection.hpp"

#include <algorithm>
#include <array>

namespace tobit::http::edge {
namespace {

constexpr std::size_t reads_per_turn = 16;
constexpr std::size_t pieces_per_write = 64;
// A client that still sends when it is refused must get the answer before the connection is reset under it.
constexpr auto linger_time = std::chrono::milliseconds{2000};
constexpr auto linger_time_at_stop = std::chrono::milliseconds{200};

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
