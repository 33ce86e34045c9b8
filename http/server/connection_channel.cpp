#include "http/server/connection_channel.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace tobit::http::edge {
namespace {

constexpr std::size_t compress_elsewhere_from = 4096;
constexpr std::size_t piece_overhead = 16; ///< chunk framing and bookkeeping

void post_answer(const answer_address& to, response answer) {
  instruction one{instruction::kind::answer, to.connection, to.request_number};
  one.answer = write_answer(std::move(answer), to.form);
  to.inbox->post(std::move(one));
}

class compression_task final : public task {
public:
  compression_task(answer_address to, response answer) : to_(std::move(to)), answer_(std::move(answer)) {}
  void run() override { post_answer(to_, std::move(answer_)); }

private:
  answer_address to_;
  response answer_;
};

class queued_stream final : public event_stream {
public:
  queued_stream(answer_address to, std::shared_ptr<stream_link> link) : to_(std::move(to)), link_(std::move(link)) {}
  // An owner that lets go of its stream has nothing more to send.
  ~queued_stream() override { close(); }

  bool send(std::shared_ptr<const std::string> bytes) override {
    if (closed_.load(std::memory_order_relaxed) || link_->ended()) return false;
    // An empty chunk would end the body.
    if (!bytes || bytes->empty()) return true;
    if (!link_->reserve(bytes->size() + piece_overhead)) {
      if (!closed_.exchange(true)) post(instruction::kind::stream_overflow, nullptr);
      return false;
    }
    return post(instruction::kind::stream_piece, std::move(bytes));
  }
  void close() override {
    if (!closed_.exchange(true)) post(instruction::kind::stream_end, nullptr);
  }
  void on_closed(std::function<void()> callback) override { link_->on_closed(std::move(callback)); }

private:
  bool post(instruction::kind what, std::shared_ptr<const std::string> bytes) {
    instruction one{what, to_.connection, to_.request_number};
    one.piece = std::move(bytes);
    one.stream = link_;
    return to_.inbox->post(std::move(one));
  }

  answer_address to_;
  std::shared_ptr<stream_link> link_;
  std::atomic<bool> closed_{false};
};

} // namespace

connection_channel::~connection_channel() {
  if (used_) return;
  try {
    to_.inbox->post({instruction::kind::abandoned, to_.connection, to_.request_number});
  } catch (...) {
    // Without memory for this, the server's answer time ends the request.
  }
}

void connection_channel::send(response answer) {
  if (!worker_pool::on_worker() && answer.body.size() >= compress_elsewhere_from && wants_compression(answer, to_.form))
    tasks_->submit(std::make_unique<compression_task>(to_, std::move(answer)));
  else
    post_answer(to_, std::move(answer));
  used_ = true;
}

std::shared_ptr<event_stream> connection_channel::start_stream(response head) {
  auto link = std::make_shared<stream_link>(stream_bytes_max_);
  auto stream = std::make_shared<queued_stream>(to_, link);
  instruction one{instruction::kind::stream_start, to_.connection, to_.request_number};
  one.answer = write_stream_head(head, to_.form);
  one.stream = std::move(link);
  used_ = true;
  if (!to_.inbox->post(std::move(one))) return nullptr;
  return stream;
}

} // namespace tobit::http::edge
