#pragma once

#include "cluster/transport/greeting.hpp"
#include "cluster/transport/link_table.hpp"
#include "cluster/transport/peer_links.hpp"
#include "cluster/transport/secure_stream.hpp"
#include "cluster/transport/socket_address.hpp"
#include "schemas/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace tobit::cluster {

/// One connection from its beginning until it has proved itself or is refused: connecting, TLS, greeting. Never blocks;
/// run by the one thread of `handshake_loop`. Owns its socket until `take`.
class handshake {
public:
  enum class state { waiting, proven, over };

  /// The dialling side.
  handshake(int fd, socket_address address, tls_context* tls, link_table::dial dial, steady_time deadline);
  /// The listening side.
  handshake(int fd, socket_address address, tls_context* tls, steady_time deadline);
  ~handshake();
  handshake(const handshake&) = delete;
  handshake& operator=(const handshake&) = delete;

  /// Goes on as far as it can.
  state run(link_table& links, steady_time now);
  /// The time is over, or it is given up for `why`.
  void give_up(const std::string& why, steady_time now);

  int fd() const noexcept { return fd_; }
  short events() const noexcept; ///< of poll(2) to wait for; 0: none
  /// When to call `run` at the latest; at `late` it is to be given up.
  steady_time due() const noexcept { return stage_ == stage::parked ? parked_until_ : deadline_; }
  bool late(steady_time now) const noexcept { return stage_ != stage::parked && now >= deadline_; }
  bool parked() const noexcept { return stage_ == stage::parked; }
  bool lingering() const noexcept { return stage_ == stage::lingering; }
  /// It is not known yet who that is.
  bool unknown() const noexcept { return !dial_ && no_ == 0 && stage_ != stage::parked && stage_ != stage::lingering; }
  bool listening() const noexcept { return !dial_; }
  steady_time deadline() const noexcept { return deadline_; }
  const socket_address& address() const noexcept { return address_; }

  /// Of the link, once that is known; else 0.
  std::uint64_t no() const noexcept { return no_; }
  /// The same, once, when no link can come of it any more; else 0.
  std::uint64_t take_failed(bool over) noexcept { return over || lingering() ? std::exchange(no_, 0) : 0; }
  /// A greeting of the same peer that is in the way, told once; else 0.
  std::uint64_t take_rival() noexcept { return std::exchange(rival_, 0); }
  /// Once, if it was refused by either side.
  std::optional<link_refusal> take_refusal() { return std::exchange(refusal_, std::nullopt); }
  const std::string& why() const noexcept { return why_; }

  void close() noexcept;
  /// Precondition: proven. The socket belongs to the session from now on.
  std::shared_ptr<link_session> take();

private:
  enum class stage { connecting, securing, greeting, parked, writing, lingering, proven, over };
  enum class progress { on, blocked };

  progress step(link_table& links, steady_time now);
  progress secure(steady_time now);
  progress read_greeting(link_table& links, steady_time now);
  progress write(steady_time now);
  progress connect(steady_time now);
  progress wait_parked(link_table& links, steady_time now);
  progress linger();
  void understand(link_table& links, const greeting_message& what, steady_time now);
  void knock(link_table& links, steady_time now);
  void say(const greeting_message& what, stage next);
  void refuse(refuse_peer refusal, steady_time now);
  void refused(std::string reason, std::string sentence);
  void fail(const stream_failure& failure, steady_time now);
  void end_gently(steady_time now);

  int fd_;
  socket_address address_;
  std::optional<link_table::dial> dial_;
  steady_time deadline_;
  std::unique_ptr<secure_stream> stream_;
  stage stage_, after_writing_ = stage::greeting;
  bool wants_write_ = false;
  std::string outgoing_, incoming_;
  std::size_t written_ = 0, linger_left_ = 0;
  std::array<unsigned char, 4> head_{};
  std::size_t head_read_ = 0;
  std::optional<certified> proof_;
  std::optional<said_hello> other_;
  hello self_;
  std::string key_;
  steady_time parked_until_{};
  std::uint64_t no_ = 0, rival_ = 0;
  std::optional<link_refusal> refusal_;
  std::string why_;
};

} // namespace tobit::cluster
