#pragma once

#include "schemas/error.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::http {

using header_list = std::vector<std::pair<std::string, std::string>>;

/// A complete request, limits already checked, body already decompressed.
struct request {
  std::string method;
  std::string target;                                     ///< as sent: path and query
  std::string path;                                       ///< percent-decoded path, valid UTF-8, no dot segments
  std::vector<std::pair<std::string, std::string>> query; ///< decoded, in order
  header_list headers;                                    ///< names in lower case
  std::string body;
  std::string remote_address; ///< IP address of the peer
  bool secure = false;        ///< came over TLS
  steady_time received_at;    ///< when the request was complete

  std::string_view header(std::string_view lower_case_name) const noexcept; ///< first value, or empty
  const std::string* query_value(std::string_view name) const noexcept;     ///< first value, or null
};

struct response {
  int status = 200;
  header_list headers;
  std::string content_type = "application/json";
  std::string body;
};

/// A started event stream. Thread-safe; all calls return at once.
class event_stream {
public:
  virtual ~event_stream() = default;
  /// Queues bytes. False if the client is gone or its queue is full (then the connection is closed: a slow watcher
  /// resumes by Last-Event-ID).
  virtual bool send(std::shared_ptr<const std::string> bytes) = 0;
  virtual void close() = 0;
  /// Called once, from any thread, when the connection ends for whatever reason. Set right after starting the stream.
  virtual void on_closed(std::function<void()> callback) = 0;
};

/// The one right and duty to answer a request. Movable between threads; if it is destroyed unanswered, the client gets
/// 500 internal_server_error.
class responder {
public:
  class channel; ///< the server's side
  explicit responder(std::shared_ptr<channel> to) noexcept : to_(std::move(to)) {}
  responder(responder&&) noexcept = default;
  responder& operator=(responder&&) noexcept = default;
  responder(const responder&) = delete;
  ~responder();

  /// Answers. Compresses by Accept-Encoding where it is worth it. Later calls are ignored.
  void send(response answer);
  /// Answers with a head now and a body that is sent piece by piece. Null if the client is already gone.
  std::shared_ptr<event_stream> start_stream(response head);

private:
  std::shared_ptr<channel> to_;
};

/// What the server may do with a request whose head has arrived.
struct body_limit {
  std::size_t bytes = 1u << 20;           ///< of the body, sent as well as decompressed
  std::chrono::milliseconds time{30'000}; ///< from the head to the last byte
};

/// The server's user.
class request_handler {
public:
  virtual ~request_handler() = default;
  /// Called on a reactor thread when a head is complete; must be quick.
  virtual body_limit limit_for(std::string_view method, std::string_view path) const = 0;
  /// Called on a worker thread for each complete request. May keep the responder and answer later from any thread.
  virtual void handle(request incoming, responder answer) = 0;
  /// Makes the answer to a request that the server itself refuses (malformed, too large, too slow, too many).
  virtual response refuse(const error& why) const = 0;
};

struct server_options {
  std::string address = "127.0.0.1";              ///< numeric IPv4 or IPv6
  std::uint16_t port = 0;                         ///< 0: any free one
  std::string certificate_file, private_key_file; ///< PEM; both set: HTTPS (TLS 1.2+)
  std::size_t reactors = 1;
  std::size_t workers = 4;
  std::size_t connections_max = 20'000;
  std::size_t connections_per_address_max = 10'000;
  std::size_t head_max = 32u << 10; ///< bytes of request line and headers together
  std::size_t header_count_max = 100;
  std::size_t uri_max = 8u << 10;
  std::size_t queued_requests_max = 10'000;       ///< complete requests that wait for a worker; beyond it: 503
  std::size_t stream_queue_max = 1u << 20;        ///< bytes waiting for one slow watcher
  std::size_t response_queue_max = 64u << 20;     ///< bytes of answers waiting for one connection
  std::chrono::milliseconds head_time{10'000};    ///< from the first byte to the end of the headers
  std::chrono::milliseconds idle_time{75'000};    ///< keep-alive without a request
  std::chrono::milliseconds write_time{30'000};   ///< without progress while the client does not read
  std::chrono::milliseconds answer_time{120'000}; ///< from the complete request to the answer; beyond it: 504
  std::size_t request_bytes_max = 512u << 20;     ///< of the bodies of all requests under way; beyond it: 503
  std::size_t requests_per_connection_max = 1'000'000;
};

struct server_figures {
  std::size_t connections = 0, streams = 0, queued_requests = 0;
  std::uint64_t accepted = 0, requests = 0, refused = 0;
};

/// The HTTP/1.1 edge: one epoll reactor (or a few) that owns the connections and reads requests strictly by RFC 9112,
/// and a small worker pool that calls the handler.
class server {
public:
  virtual ~server() = default; ///< stops
  /// The bound port.
  virtual std::uint16_t port() const noexcept = 0;
  /// Stops accepting, lets requests under way finish for at most `grace`, closes everything.
  virtual void stop(std::chrono::milliseconds grace) = 0;
  virtual server_figures figures() const = 0;
};

/// Starts serving. `handler` outlives the server. Errors: configuration_error (address in use, bad certificate, …).
result<std::unique_ptr<server>> start_server(const server_options& options, request_handler& handler);

} // namespace tobit::http
