#pragma once

#include "http/server/answer_inbox.hpp"
#include "http/server/body_decoder.hpp"
#include "http/server/edge_scope.hpp"
#include "http/server/head_parser.hpp"
#include "http/server/output_queue.hpp"
#include "http/server/transport.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tobit::http::edge {

/// What a reactor lends to its connections.
struct reactor_scope {
  edge_scope& edge;
  std::shared_ptr<answer_inbox> inbox;
  std::vector<std::unique_ptr<task>> ready; ///< complete requests of this round
  std::vector<char> scratch;                ///< what `read` fills; valid during one call
  steady_time now;
};

/// One client, from the accepted socket to the end. One request at a time: pipelined ones wait in the socket, so
/// answers are in order and a client cannot queue work. Lives on its reactor's thread only. After every call the
/// reactor looks at `finished`, `wants_turn` and `deadline`.
class connection {
public:
  connection(reactor_scope& scope, connection_id id, std::unique_ptr<transport> wire, std::string address);
  ~connection();
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  struct readiness {
    bool readable = false, writable = false;
    bool peer_closed = false; ///< sends no more
    bool broken = false;      ///< neither direction works
  };
  void on_ready(readiness what);
  void on_instruction(instruction& one);
  /// Call when `deadline` may have passed.
  void on_deadline();
  /// The server stops: ends when nothing is under way any more.
  void on_stop();
  /// Continues reading after others had their turn.
  void on_turn() { advance(); }
  /// Ends at once.
  void finish() noexcept;

  connection_id id() const noexcept { return id_; }
  int handle() const noexcept { return wire_->handle(); }
  bool finished() const noexcept { return phase_ == phase::finished; }
  bool wants_turn() const noexcept { return wants_turn_; }
  steady_time deadline() const noexcept;
  steady_time armed = steady_time::max(); ///< the reactor's earliest reminder for this connection

private:
  enum class phase : std::uint8_t { handshake, head, body, answering, streaming, lingering, finished };

  void advance();
  bool shake_hands();
  bool flush();
  void read_once();
  std::size_t process(std::string_view bytes);
  std::size_t take_head(std::string_view bytes);
  std::size_t take_body(std::string_view bytes);
  void check_partial_head(std::string_view bytes);
  void begin_request(request_head head);
  void begin_body(const request_head& head);
  void dispatch();
  void take_answer(written_answer answer);
  void start_stream(instruction& one);
  void take_piece(std::shared_ptr<const std::string> bytes);
  void end_stream();
  void next_request();
  void refuse(const error& why, bool keep_alive = false);
  void enqueue(std::string bytes, std::size_t charge = 0);
  void enqueue(std::shared_ptr<const std::string> bytes, std::size_t charge);
  void touch_output() noexcept;
  void begin_linger();
  void linger();
  void release_body() noexcept;

  reactor_scope& scope_;
  const connection_id id_;
  std::unique_ptr<transport> wire_;
  const std::string address_;

  phase phase_ = phase::handshake;
  bool readable_ = true, writable_ = true; ///< not known to block
  bool peer_closed_ = false;
  bool closing_ = false;  ///< no further request; ends when the output is written
  bool unparsed_ = false; ///< the input may hold a complete request
  bool wants_turn_ = false;

  std::string input_;        ///< bytes read but not used: a partial head, or pipelined requests
  std::size_t input_at_ = 0; ///< used bytes of the input
  head_scanner scanner_;
  std::unique_ptr<request> incoming_; ///< while its body arrives
  body_decoder decoder_;
  body_limit body_limit_;
  answer_form form_;
  std::uint64_t request_number_ = 0;
  std::size_t requests_ = 0, body_held_ = 0;

  output_queue output_;
  std::shared_ptr<stream_link> stream_;

  steady_time phase_deadline_;
  steady_time progress_at_; ///< when output was last written or began to wait
};

} // namespace tobit::http::edge
