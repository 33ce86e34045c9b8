#include "http/server/connection.hpp"

#include <array>
#include <cstdio>

// The half of a connection that turns answers and event streams into bytes.
namespace tobit::http::edge {
namespace {

constexpr std::size_t piece_overhead = 16;

/// The line before a chunk (RFC 9112 §7.1).
std::string chunk_head(std::size_t size) {
  std::array<char, 20> digits;
  const auto length = std::snprintf(digits.data(), digits.size(), "%zx\r\n", size);
  return {digits.data(), static_cast<std::size_t>(length)};
}

} // namespace

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
  form_ = {};
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

} // namespace tobit::http::edge
