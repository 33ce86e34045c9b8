#include "http/server/reactor.hpp"

#include "http/server/blocked_signals.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <system_error>

namespace tobit::http::edge {
namespace {

constexpr std::size_t scratch_size = 64 * 1024;
constexpr std::size_t events_per_round = 512;
constexpr int accepts_per_round = 128;
constexpr auto accept_pause = std::chrono::milliseconds{100};
constexpr int sleep_max_ms = 60'000;

// Ids of connections are a serial number and the file descriptor; these two are no connections.
constexpr connection_id listener_id = 1, inbox_id = 2;
constexpr unsigned handle_bits = 24;

steady_time steady_now() noexcept {
  return std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
}

file_handle make_epoll() {
  file_handle made{::epoll_create1(EPOLL_CLOEXEC)};
  if (!made) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  return made;
}

file_handle make_reserve() { return file_handle{::open("/dev/null", O_RDONLY | O_CLOEXEC)}; }

bool watch(int epoll, int handle, connection_id id, std::uint32_t events) {
  epoll_event wanted{};
  wanted.events = events;
  wanted.data.u64 = id;
  return ::epoll_ctl(epoll, EPOLL_CTL_ADD, handle, &wanted) == 0;
}

} // namespace

reactor::reactor(edge_scope& edge, file_handle listener, dealer deal)
    : edge_(edge)
    , listener_(std::move(listener))
    , deal_(std::move(deal))
    , epoll_(make_epoll())
    , reserve_(make_reserve())
    , scope_{edge, std::make_shared<answer_inbox>(), {}, std::vector<char>(scratch_size), steady_now()} {
  watch(epoll_.get(), scope_.inbox->handle(), inbox_id, EPOLLIN | EPOLLET);
  if (listener_) watch(epoll_.get(), listener_.get(), listener_id, EPOLLIN);
}

reactor::~reactor() {
  if (thread_.joinable()) {
    stop(std::chrono::milliseconds{0});
  }
  scope_.inbox->close();
}

void reactor::start() {
  thread_ = std::thread{[this] { run(); }};
  pthread_setname_np(thread_.native_handle(), "http-reactor");
}

void reactor::adopt(accepted_socket socket) {
  instruction one{instruction::kind::adopt};
  one.socket = std::move(socket);
  scope_.inbox->post(std::move(one));
}

void reactor::stop(std::chrono::milliseconds grace) {
  if (!thread_.joinable()) return;
  edge_.stopping = true;
  grace_ms_ = grace.count();
  scope_.inbox->wake();
  thread_.join();
}

void reactor::run() {
  block_signals();
  while (!done_) {
    try {
      round();
    } catch (const std::exception& failure) {
      spdlog::error("http.reactor_trouble {}", failure.what());
    }
  }
  end_all();
}

void reactor::round() {
  std::array<epoll_event, events_per_round> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), wait_time());
  scope_.now = steady_now();
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    if (event.data.u64 == listener_id)
      accept_some();
    else if (event.data.u64 != inbox_id)
      on_event(event.data.u64, event.events);
  }
  give_turns();
  take_instructions();
  edge_.tasks->submit(scope_.ready);
  check_deadlines();
  if (edge_.stopping.load(std::memory_order_relaxed)) check_stop();
}

/// Milliseconds for epoll_wait. Not before the next deadline, or it would be woken for nothing.
int reactor::wait_time() {
  if (!turns_.empty() || !scope_.inbox->may_sleep()) return 0;
  auto until = std::min(accept_again_at_, stop_at_);
  if (const auto next = deadlines_.next()) until = std::min(until, *next);
  if (until == steady_time::max()) return sleep_max_ms;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - steady_now()).count();
  return static_cast<int>(std::clamp<std::int64_t>(left, 0, sleep_max_ms));
}

connection* reactor::find(connection_id id) const noexcept {
  const auto handle = static_cast<std::size_t>(id & ((1u << handle_bits) - 1));
  if (handle >= connections_.size()) return nullptr;
  const auto& found = connections_[handle];
  return found && found->id() == id ? found.get() : nullptr;
}

/// Does something with a connection and draws the consequences. Only lack of memory, or a handler's `limit_for` that
/// throws, gets here as an exception; it costs that connection.
template <class Action>
void reactor::touch(connection& one, Action action) {
  try {
    action(one);
  } catch (const std::exception& failure) {
    spdlog::error("http.connection_failed {}", failure.what());
    one.finish();
  } catch (...) {
    one.finish();
  }
  settle(one);
}

void reactor::settle(connection& one) {
  if (one.finished()) {
    --count_;
    connections_[static_cast<std::size_t>(one.handle())].reset();
    return;
  }
  if (one.wants_turn()) turns_.push_back(one.id());
  if (const auto when = one.deadline(); when < one.armed) {
    one.armed = when;
    deadlines_.remind(one.id(), when);
  }
}

void reactor::on_event(connection_id id, std::uint32_t events) {
  auto* one = find(id);
  if (!one) return;
  const connection::readiness what{(events & EPOLLIN) != 0, (events & EPOLLOUT) != 0, (events & EPOLLRDHUP) != 0,
                                   (events & (EPOLLERR | EPOLLHUP)) != 0};
  touch(*one, [&](connection& c) { c.on_ready(what); });
}

void reactor::take_instructions() {
  scope_.inbox->drain(instructions_);
  for (auto& todo : instructions_) {
    if (todo.what == instruction::kind::adopt) {
      place(std::move(todo.socket));
      continue;
    }
    if (auto* one = find(todo.to))
      touch(*one, [&](connection& c) { c.on_instruction(todo); });
    else if (todo.stream)
      todo.stream->end();
  }
  instructions_.clear();
}

void reactor::give_turns() {
  turns_now_.swap(turns_);
  for (const auto id : turns_now_)
    if (auto* one = find(id)) touch(*one, [](connection& c) { c.on_turn(); });
  turns_now_.clear();
}

void reactor::check_deadlines() {
  while (const auto id = deadlines_.due(scope_.now)) {
    auto* one = find(*id);
    if (!one) continue;
    one->armed = steady_time::max();
    touch(*one, [](connection& c) { c.on_deadline(); });
  }
  if (accept_again_at_ <= scope_.now) resume_accepting();
}

void reactor::accept_some() {
  for (int i = 0; i < accepts_per_round; ++i) {
    accepted_socket socket;
    switch (accept_from(listener_.get(), socket)) {
    case accept_outcome::none_waiting:
      return;
    case accept_outcome::gone:
      continue;
    case accept_outcome::out_of_handles:
      return accept_without_handles();
    case accept_outcome::accepted:
      break;
    }
    edge_.figures.accepted.fetch_add(1, std::memory_order_relaxed);
    if (edge_.doors.enter(socket.address))
      deal_(std::move(socket));
    else
      turn_away(std::move(socket));
  }
}

/// The process may open no more files. The client that waits would raise the event again and again, so it is taken with
/// the reserve and let go. There need not be one: the system looks for a free handle before it looks at the queue.
void reactor::accept_without_handles() {
  reserve_.reset();
  {
    accepted_socket turned_away;
    if (accept_from(listener_.get(), turned_away) == accept_outcome::accepted)
      edge_.figures.refused.fetch_add(1, std::memory_order_relaxed);
  }
  reserve_ = make_reserve();
  if (!reserve_) pause_accepting();
}

void reactor::pause_accepting() {
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, listener_.get(), nullptr);
  accept_again_at_ = scope_.now + accept_pause;
}

void reactor::resume_accepting() {
  accept_again_at_ = steady_time::max();
  if (!listener_) return;
  if (!reserve_) reserve_ = make_reserve();
  if (!reserve_ || !watch(epoll_.get(), listener_.get(), listener_id, EPOLLIN))
    accept_again_at_ = scope_.now + accept_pause;
}

/// Too many connections: a new socket takes a short answer without blocking.
void reactor::turn_away(accepted_socket socket) {
  const auto why = edge_.refusal({error_code::overloaded, "Too many connections; close some, or try again later."});
  if (edge_.tls) return;
  answer_form form;
  form.keep_alive = false;
  const auto answer = write_answer(why, form);
  ::send(socket.handle.get(), answer.head.data(), answer.head.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  ::shutdown(socket.handle.get(), SHUT_WR);
}

void reactor::place(accepted_socket socket) {
  const int handle = socket.handle.get();
  auto wire = edge_.tls ? edge_.tls->serve(std::move(socket.handle)) : make_plain_transport(std::move(socket.handle));
  if (!wire) return edge_.doors.leave(socket.address);
  const auto id = (++serial_ << handle_bits) | static_cast<connection_id>(handle);
  const auto index = static_cast<std::size_t>(handle);
  if (index >= connections_.size()) connections_.resize(index + index / 2 + 1);
  auto& slot = connections_[index];
  slot = std::make_unique<connection>(scope_, id, std::move(wire), std::move(socket.address));
  ++count_;
  const bool watched = watch(epoll_.get(), handle, id, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
  touch(*slot, [&](connection& c) {
    if (!watched || edge_.stopping.load(std::memory_order_relaxed)) c.finish();
  });
}

void reactor::check_stop() {
  if (!stopping_) {
    stopping_ = true;
    stop_at_ = scope_.now + std::chrono::milliseconds{grace_ms_.load()};
    listener_.reset();
    for (auto& one : connections_)
      if (one) touch(*one, [](connection& c) { c.on_stop(); });
  }
  if (count_ == 0 || scope_.now >= stop_at_) done_ = true;
}

void reactor::end_all() {
  for (auto& one : connections_)
    if (one) {
      one->finish();
      settle(*one);
    }
  listener_.reset();
  scope_.ready.clear();
  scope_.inbox->close();
}

} // namespace tobit::http::edge
