#pragma once

#include "http/server/server.hpp"
#include "http/server/socket.hpp"

#include <chrono>
#include <condition_variable>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::http::tests {

/// Longest wait for anything; a test that waits so long has failed.
inline constexpr auto patience = std::chrono::seconds{20};

/// A value that another thread sets, waited for with a deadline.
class event_count {
public:
  void raise() {
    const std::lock_guard lock{mutex_};
    ++count_;
    changed_.notify_all();
  }
  /// Waits until it was raised `wanted` times in all; false if that takes too long.
  bool reaches(int wanted) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, patience, [&] { return count_ >= wanted; });
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int count_ = 0;
};

/// Answers by path, and keeps what it is told to keep.
///   /hello  {"message":"hello"}     /echo   the body      /size   the size of the body    /long  10 kB of text
///   /throw  throws                  /drop   drops the responder                           /hold  answers on `release`
///   /stream an event stream, kept in `streams`             /big    8 MB
class test_handler final : public request_handler {
public:
  body_limit limit_for(std::string_view method, std::string_view path) const override;
  void handle(request incoming, responder answer) override;
  response refuse(const error& why) const override;

  void release_all();

  body_limit limit{1u << 20, std::chrono::seconds{30}};
  event_count held, streaming, closed;
  std::mutex mutex;
  std::vector<responder> waiting;
  std::vector<std::shared_ptr<event_stream>> streams;
  std::optional<request> last;
};

struct answer {
  int status = 0; ///< 0: the connection ended before an answer
  std::map<std::string, std::string> headers;
  std::string body;

  /// By value: CAF_CHECK_EQUAL keeps references, and one into a temporary's map would dangle.
  std::string header(const std::string& lower_case_name) const {
    const auto found = headers.find(lower_case_name);
    return found == headers.end() ? std::string{} : found->second;
  }
};

/// A client that writes what it is told, byte by byte if need be. Every wait ends by `patience`.
class raw_client {
public:
  /// A socket that is not connected yet.
  raw_client();
  explicit raw_client(std::uint16_t port, int receive_buffer = 0);
  void connect(std::uint16_t port);
  /// False if the peer does not take it any more.
  bool send(std::string_view bytes);
  /// As much as the socket takes without waiting.
  std::size_t send_some(std::string_view bytes);
  /// Reads one answer; `head_only`: it has no body, whatever it says.
  answer receive(bool head_only = false);
  answer ask(std::string_view bytes) { return send(bytes) ? receive() : answer{}; }
  /// Reads until `text` has arrived.
  bool receive_until(std::string_view text);
  /// True once the peer has closed; what came before is dropped.
  bool is_closed_by_peer();
  bool has_input_within(std::chrono::milliseconds time) const;
  void finish_writing();
  int handle() const noexcept { return handle_.get(); }

private:
  bool fill();
  edge::file_handle handle_;
  std::string input_;
};

/// A server that tests start when they have set the options; small and impatient by default.
struct edge_fixture {
  test_handler handler;
  server_options options;
  std::unique_ptr<server> running;

  edge_fixture() { options.workers = 2; }
  ~edge_fixture() {
    if (running) running->stop(std::chrono::milliseconds{0});
  }
  /// Returns the port; throws the error's text if it does not start.
  std::uint16_t start();
};

std::string get(std::string_view path, std::string_view headers = {});
std::string post(std::string_view path, std::string_view body, std::string_view headers = {});

} // namespace tobit::http::tests
