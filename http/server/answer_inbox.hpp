#pragma once

#include "http/server/deadline_queue.hpp"
#include "http/server/response_writer.hpp"
#include "http/server/socket.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace tobit::http::edge {

/// What an event stream and its connection share. Thread-safe.
class stream_link {
public:
  explicit stream_link(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  /// Room in the queue for so many more bytes; false if there is none.
  bool reserve(std::size_t bytes) noexcept;
  void release(std::size_t bytes) noexcept { queued_.fetch_sub(bytes, std::memory_order_relaxed); }
  bool ended() const noexcept { return ended_.load(std::memory_order_acquire); }
  /// The connection is over: tells the owner, once.
  void end() noexcept;
  void on_closed(std::function<void()> callback);

private:
  const std::size_t bytes_max_;
  std::atomic<std::size_t> queued_{0};
  std::atomic<bool> ended_{false};
  std::mutex mutex_;
  std::function<void()> callback_;
};

/// Something that another thread wants done on a connection, in answer to one of its requests.
struct instruction {
  enum class kind : std::uint8_t { adopt, answer, abandoned, stream_start, stream_piece, stream_end, stream_overflow };
  kind what = kind::answer;
  connection_id to = 0;
  std::uint64_t request_number = 0;
  written_answer answer{};                    ///< answer, stream_start
  std::shared_ptr<const std::string> piece{}; ///< stream_piece
  std::shared_ptr<stream_link> stream{};      ///< stream_*
  accepted_socket socket{};                   ///< adopt: a client accepted by another reactor
};

/// The way into a reactor for other threads: a queue that wakes the reactor when it sleeps, and only then. What is
/// queued is bounded by the users: one answer a request, and each stream's own limit. May be kept longer than the
/// reactor lives.
class answer_inbox {
public:
  answer_inbox();
  /// False once closed; then the instruction is dropped and its stream, if any, is ended.
  bool post(instruction one);
  /// Wakes the reactor without an instruction.
  void wake() noexcept;
  /// Takes all that waits.
  void drain(std::vector<instruction>& into);
  /// Announces that the reactor will sleep until woken; false if something waits, then it must not sleep.
  bool may_sleep();
  /// Drops what waits and what will come, ending the streams.
  void close();
  /// Readable (edge-triggered) after a wake-up.
  int handle() const noexcept { return handle_.get(); }

private:
  std::mutex mutex_;
  std::vector<instruction> waiting_;
  bool sleeping_ = false, closed_ = false;
  file_handle handle_;
};

} // namespace tobit::http::edge
