#include "http/server/transport.hpp"

#include <cerrno>
#include <sys/socket.h>

namespace tobit::http::edge {
namespace {

io_result outcome_of(ssize_t count) noexcept {
  if (count > 0) return {io_status::done, static_cast<std::size_t>(count)};
  if (count == 0) return {io_status::ended, 0};
  if (errno == EAGAIN || errno == EINTR) return {io_status::blocked, 0};
  return {io_status::failed, 0};
}

io_result receive(int fd, std::span<char> into) noexcept {
  ssize_t count = 0;
  do count = ::recv(fd, into.data(), into.size(), 0);
  while (count < 0 && errno == EINTR);
  return outcome_of(count);
}

class plain_transport final : public transport {
public:
  using transport::transport;
  io_result handshake() override { return {io_status::done, 0}; }
  io_result read(std::span<char> into) override { return receive(handle(), into); }
  io_result write(std::span<const iovec> pieces) override {
    ssize_t count = 0;
    do
      count = pieces.size() == 1 ? ::send(handle(), pieces[0].iov_base, pieces[0].iov_len, MSG_NOSIGNAL)
                                 : send_many(pieces);
    while (count < 0 && errno == EINTR);
    return outcome_of(count);
  }
  void finish_writing() noexcept override { ::shutdown(handle(), SHUT_WR); }
  bool secure() const noexcept override { return false; }

private:
  ssize_t send_many(std::span<const iovec> pieces) const noexcept {
    msghdr message{};
    message.msg_iov = const_cast<iovec*>(pieces.data());
    message.msg_iovlen = pieces.size();
    return ::sendmsg(handle(), &message, MSG_NOSIGNAL);
  }
};

} // namespace

io_result transport::discard(std::span<char> scratch) noexcept { return receive(handle(), scratch); }

std::unique_ptr<transport> make_plain_transport(file_handle handle) {
  return std::make_unique<plain_transport>(std::move(handle));
}

} // namespace tobit::http::edge
