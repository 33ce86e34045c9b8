#include "cluster/transport/handshake_loop.hpp"

#include "cluster/transport/steady_now.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <map>
#include <new>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace tobit::cluster {

namespace {

constexpr std::chrono::milliseconds accept_pause{100};
constexpr std::size_t accepts_a_turn = 64;
constexpr std::chrono::seconds look_around{5}; ///< longest sleep

} // namespace

wake_signal::wake_signal() : fd_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {}
wake_signal::~wake_signal() {
  if (fd_ >= 0) ::close(fd_);
}
void wake_signal::ring() const noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(fd_, &one, sizeof one);
}
void wake_signal::drain() const noexcept {
  std::uint64_t count = 0;
  [[maybe_unused]] const auto got = ::read(fd_, &count, sizeof count);
}

handshake_loop::handshake_loop(const link_options& options, int listener, std::shared_ptr<wake_signal> wake,
                               std::shared_ptr<tls_context> tls, std::shared_ptr<link_table> links, hand_over give)
    : options_(options)
    , listener_(listener)
    , wake_(std::move(wake))
    , tls_(std::move(tls))
    , links_(std::move(links))
    , give_(std::move(give))
    , thread_([this] { work(); }) {}

handshake_loop::~handshake_loop() { stop(); }

void handshake_loop::stop() {
  if (!thread_.joinable()) return;
  stopping_ = true;
  wake_->ring();
  thread_.join();
  handshakes_.clear();
  ::close(listener_);
}

void handshake_loop::work() {
  while (!stopping_) {
    auto now = steady_now();
    wait(now);
    if (stopping_) return;
    now = steady_now();
    if (accept_ready_) accept_all(now);
    links_->expire(now);
    dial_all(now);
    carry_on(now);
  }
}

/// Sleeps until something can go on.
void handshake_loop::wait(steady_time now) {
  auto until = now + look_around;
  if (const auto due = links_->next_due()) until = std::min(until, *due);
  if (accept_again_) until = std::min(until, *accept_again_);
  std::vector<pollfd> fds;
  fds.push_back({wake_->fd(), POLLIN, 0});
  fds.push_back({accept_again_ ? -1 : listener_, POLLIN, 0});
  for (const auto& h : handshakes_) {
    until = std::min(until, h->due());
    fds.push_back({h->fd(), h->events(), 0});
  }
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - now).count();
  ::poll(fds.data(), fds.size(), static_cast<int>(std::max<std::int64_t>(0, left)));
  if ((fds[0].revents & POLLIN) != 0) wake_->drain();
  accept_ready_ = fds[1].revents != 0 || (accept_again_ && *accept_again_ <= steady_now());
  if (accept_ready_) accept_again_.reset();
}

void handshake_loop::accept_all(steady_time now) {
  for (std::size_t i = 0; i < accepts_a_turn; ++i) {
    const int fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) accept_again_ = now + accept_pause;
      return;
    }
    tune_link_socket(fd, static_cast<int>(options_.heartbeat.count() * 4));
    make_room();
    try {
      handshakes_.push_back(
          std::make_unique<handshake>(fd, socket_address::of_peer(fd), tls_.get(), now + options_.handshake_timeout));
    } catch (const std::bad_alloc&) {
      ::close(fd);
    }
  }
}

void handshake_loop::dial_all(steady_time now) {
  for (auto& dial : links_->due(now)) {
    const auto no = dial.no;
    const auto address = socket_address::parse(dial.address);
    if (!address) {
      links_->failed(no, address.error().message, now);
      continue;
    }
    if (options_.plain && !address->loopback()) {
      links_->failed(no, "Without TLS only addresses of this machine are dialled; configure certificates.", now);
      continue;
    }
    const auto fd = begin_connect(*address);
    if (!fd) {
      links_->failed(no, fd.error().message, now);
      continue;
    }
    tune_link_socket(*fd, static_cast<int>(options_.heartbeat.count() * 4));
    try {
      handshakes_.push_back(
          std::make_unique<handshake>(*fd, *address, tls_.get(), std::move(dial), now + options_.handshake_timeout));
    } catch (const std::bad_alloc&) {
      ::close(*fd);
      links_->failed(no, "Out of memory.", now);
    }
  }
}

void handshake_loop::carry_on(steady_time now) {
  for (std::size_t i = 0; i < handshakes_.size(); ++i) {
    auto& h = *handshakes_[i];
    auto state = h.run(*links_, now);
    if (state == handshake::state::waiting && h.late(now)) {
      h.give_up("The handshake took longer than " + std::to_string(options_.handshake_timeout.count()) + " ms.", now);
      state = h.run(*links_, now);
    }
    settle(h, state, now);
    if (const auto rival = h.take_rival(); rival != 0)
      for (auto& other : handshakes_)
        if (other->no() == rival) {
          other->give_up("A newer connection of the same node takes its place.", now);
          links_->failed(other->take_failed(true), other->why(), now);
        }
  }
  std::erase_if(handshakes_, [](const auto& h) { return h->fd() < 0; });
}

/// Tells what came of a handshake; one that is over has no socket afterwards.
void handshake_loop::settle(handshake& h, handshake::state state, steady_time now) {
  if (auto refusal = h.take_refusal()) tell(std::move(*refusal), h.address().host(), now);
  if (state == handshake::state::proven) {
    give_(h, h.due());
    return;
  }
  if (const auto no = h.take_failed(state == handshake::state::over); no != 0) links_->failed(no, h.why(), now);
  if (state == handshake::state::over) h.close();
}

void handshake_loop::make_room() {
  std::map<std::string, std::size_t> hosts;
  std::size_t unknown = 0;
  for (const auto& h : handshakes_) {
    if (!h->listening()) continue;
    ++unknown;
    ++hosts[h->address().host()];
  }
  if (unknown < options_.handshakes_max) return;
  const auto most =
      std::max_element(hosts.begin(), hosts.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  // Who has proved its name is spared as long as there is anybody else.
  auto victim = handshakes_.end();
  for (auto h = handshakes_.begin(); h != handshakes_.end(); ++h) {
    if (!(*h)->listening() || (*h)->address().host() != most->first) continue;
    if (victim == handshakes_.end() || std::make_pair(!(*h)->unknown(), (*h)->deadline()) <
                                           std::make_pair(!(*victim)->unknown(), (*victim)->deadline()))
      victim = h;
  }
  const auto now = steady_now();
  tell(
      {(*victim)->address().text(),
       {},
       "too_many_connections",
       "More than " + std::to_string(options_.handshakes_max) +
           " connections to the cluster's address have not proved who they are; the oldest ones are closed. Look which "
           "program connects, and keep it away with a firewall."},
      (*victim)->address().host(), now);
  const auto no = (*victim)->take_failed(true);
  handshakes_.erase(victim);
  if (no != 0) links_->failed(no, "Too many connections at once.", now);
}

void handshake_loop::tell(link_refusal refusal, const std::string& host, steady_time now) {
  if (auto told = notes_.take(std::move(refusal), host, now)) links_->refused(*told);
}

} // namespace tobit::cluster
