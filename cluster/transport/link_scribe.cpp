#include "cluster/transport/link_scribe.hpp"

#include "cluster/transport/frame_guard.hpp"

#include <caf/io/middleman.hpp>
#include <caf/io/network/default_multiplexer.hpp>
#include <caf/io/network/interfaces.hpp>
#include <caf/io/network/stream_impl.hpp>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

namespace tobit::cluster {

namespace {

namespace net = caf::io::network;

constexpr std::size_t read_chunk = 64u << 10;
constexpr std::size_t write_turn = 256u << 10; ///< bytes to one connection before the others get their turn

/// How CAF's stream reads and writes. Runs in CAF's I/O thread only.
class link_policy {
public:
  link_policy(std::shared_ptr<link_session> session, std::uint32_t payload_max)
      : session_(std::move(session)), guard_(session_->side, payload_max), chunk_(read_chunk) {}
  link_policy(const link_policy&) = delete;
  link_policy& operator=(const link_policy&) = delete;
  ~link_policy() {
    session_->stream.reset();
    session_->release();
  }

  /// CAF asks for a header and then for its payload; reading ahead saves it two calls of the system for each message.
  net::rw_state read_some(std::size_t& result, net::native_socket, void* to, std::size_t size) {
    result = 0;
    if (at_ == filled_ && !fill()) return net::rw_state::failure;
    result = std::min(size, filled_ - at_);
    std::memcpy(to, chunk_.data() + at_, result);
    at_ += result;
    return net::rw_state::success;
  }

  net::rw_state write_some(std::size_t& result, net::native_socket, const void* from, std::size_t size) {
    result = 0;
    if (size == 0) return net::rw_state::indeterminate;
    const auto* bytes = static_cast<const char*>(from);
    while (result < std::min(size, write_turn)) {
      std::size_t put = 0;
      const auto step = session_->stream->write(bytes + result, size - result, put);
      result += put;
      if (step == secure_stream::step::failed) {
        session_->cut(session_->stream->failure().sentence); // so that the reading side notices, too
        return net::rw_state::failure;
      }
      if (step != secure_stream::step::done) break;
    }
    return net::rw_state::success;
  }

  /// No event of the socket announces what is in the chunk already.
  bool must_read_more(net::native_socket, std::size_t threshold) const { return filled_ - at_ >= threshold; }

private:
  bool fill() {
    at_ = filled_ = 0;
    std::size_t got = 0;
    if (session_->stream->read(chunk_.data(), chunk_.size(), got) == secure_stream::step::failed) {
      session_->cut(session_->stream->failure().sentence);
      return false;
    }
    if (!guard_.feed(chunk_.data(), got)) {
      session_->cut("The other side sent " + std::string(guard_.complaint()) + ".");
      return false;
    }
    filled_ = got;
    return true;
  }

  std::shared_ptr<link_session> session_;
  frame_guard guard_;
  std::vector<char> chunk_;
  std::size_t at_ = 0, filled_ = 0;
};

class link_scribe final : public caf::io::scribe {
public:
  link_scribe(net::default_multiplexer& multiplexer, int fd, std::shared_ptr<link_session> session,
              std::uint32_t payload_max, std::size_t buffer_max)
      : caf::io::scribe(net::conn_hdl_from_socket(fd))
      , session_(session)
      , buffer_max_(buffer_max)
      , stream_(multiplexer, fd, std::move(session), payload_max) {}

  void configure_read(caf::io::receive_policy::config config) override {
    stream_.configure_read(config);
    if (std::exchange(started_, true)) return;
    stream_.start(this);
  }
  void ack_writes(bool enable) override { stream_.ack_writes(enable); }
  std::vector<char>& wr_buf() override { return stream_.wr_buf(); }
  std::vector<char>& rd_buf() override { return stream_.rd_buf(); }
  void flush() override {
    if (stream_.wr_buf().size() > buffer_max_) session_->cut("Too much waits to be sent to the other side.");
    stream_.flush(this);
  }
  /// CAF's own way waits until everything is sent, for ever if the other side does not read.
  void graceful_shutdown() override {
    const caf::intrusive_ptr<link_scribe> alive(this);
    session_->cut("CAF closed the connection: nothing was heard for too long, or this node is stopping.");
    detach(&stream_.backend(), false);
  }
  std::string addr() const override {
    auto text = net::remote_addr_of_fd(stream_.fd());
    return text ? *text : std::string{};
  }
  std::uint16_t port() const override {
    auto number = net::remote_port_of_fd(stream_.fd());
    return number ? *number : std::uint16_t{0};
  }
  void add_to_loop() override { stream_.activate(this); }
  /// If CAF closes a connection in the same turn in which it took it (its heartbeat does that to handshakes), its loop
  /// cancels the registration without telling the stream, which then would keep us, and the socket, for ever.
  void remove_from_loop() override {
    const caf::intrusive_ptr<link_scribe> alive(this);
    const bool registered = (stream_.eventbf() & net::input_mask) != 0;
    stream_.passivate();
    if (!registered) stream_.removed_from_loop(net::operation::read);
  }

private:
  const std::shared_ptr<link_session> session_;
  const std::size_t buffer_max_;
  bool started_ = false;
  net::stream_impl<link_policy> stream_;
};

} // namespace

caf::io::scribe_ptr make_link_scribe(caf::actor_system& system, std::shared_ptr<link_session> session,
                                     std::uint32_t payload_max, std::size_t buffer_max) {
  auto& multiplexer = static_cast<net::default_multiplexer&>(system.middleman().backend());
  const int fd = session->stream->fd();
  return caf::make_counted<link_scribe>(multiplexer, fd, std::move(session), payload_max, buffer_max);
}

} // namespace tobit::cluster
