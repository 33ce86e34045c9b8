#pragma once

#include "http/server/answer_inbox.hpp"
#include "http/server/responder_channel.hpp"
#include "http/server/response_writer.hpp"
#include "http/server/task_queue.hpp"

#include <memory>

namespace tobit::http::edge {

/// Where the answer to one request goes.
struct answer_address {
  std::shared_ptr<answer_inbox> inbox;
  connection_id connection = 0;
  std::uint64_t request_number = 0;
  answer_form form;
};

/// The server's side of one responder. Turns the answer into bytes on the caller's thread, except that callers other
/// than workers (actors, say) leave the compression of large bodies to a worker.
class connection_channel final : public responder::channel {
public:
  connection_channel(answer_address to, std::shared_ptr<task_queue> tasks, std::size_t stream_bytes_max)
      : to_(std::move(to)), tasks_(std::move(tasks)), stream_bytes_max_(stream_bytes_max) {}
  ~connection_channel() override;

  void send(response answer) override;
  std::shared_ptr<event_stream> start_stream(response head) override;

private:
  answer_address to_;
  std::shared_ptr<task_queue> tasks_;
  std::size_t stream_bytes_max_;
  bool used_ = false;
};

} // namespace tobit::http::edge
