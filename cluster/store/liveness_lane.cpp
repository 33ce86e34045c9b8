#include "cluster/store/liveness_lane.hpp"

#include "cluster/store/command_run.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace tobit::cluster {

namespace {

cluster_version version_in(const std::string& payload) {
  cluster_version version = 0;
  std::from_chars(payload.data(), payload.data() + payload.size(), version);
  return version;
}

} // namespace

liveness_lane::liveness_lane(opener open, liveness_news news)
    : open_(std::move(open))
    , news_(std::move(news))
    , bell_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    , thread_([this] { run(); }) {}

liveness_lane::~liveness_lane() {
  stop();
  ::close(bell_);
}

bool liveness_lane::push(ticket_ptr ticket) {
  {
    std::lock_guard lock{guard_};
    if (queue_.size() >= lane_queue_max) return false;
    queue_.push_back({std::move(ticket), closings_});
  }
  wake();
  return true;
}

std::vector<ticket_ptr> liveness_lane::close(std::uint64_t closings) {
  std::vector<ticket_ptr> abandoned;
  {
    std::lock_guard lock{guard_};
    closings_ = closings;
    if (current_) abandoned.push_back(current_);
    for (auto& waiting : queue_) abandoned.push_back(std::move(waiting.ticket));
    queue_.clear();
  }
  wake();
  return abandoned;
}

void liveness_lane::stop() {
  {
    std::lock_guard lock{guard_};
    stopping_ = true;
  }
  session_.break_for_good();
  wake();
  if (thread_.joinable()) thread_.join();
}

void liveness_lane::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(bell_, &one, sizeof one);
}

void liveness_lane::drop() {
  session_.drop();
  held_ = false;
}

void liveness_lane::run() {
  while (wait()) {
    std::optional<order> next;
    {
      std::lock_guard lock{guard_};
      if (stopping_) break;
      if (session_closings_ != closings_ && session_.get()) drop();
      if (!queue_.empty()) {
        next = std::move(queue_.front());
        queue_.pop_front();
        current_ = next->ticket;
      }
    }
    if (next) {
      if (!next->ticket->answered()) carry_out(*next);
      std::lock_guard lock{guard_};
      current_.reset();
    }
    listen();
  }
  drop();
}

bool liveness_lane::wait() {
  {
    std::lock_guard lock{guard_};
    if (stopping_) return false;
    if (!queue_.empty()) return true;
  }
  pollfd watched[2] = {{bell_, POLLIN, 0}, {session_.get() ? session_.get()->descriptor() : -1, POLLIN, 0}};
  ::poll(watched, 2, -1);
  std::uint64_t rung = 0;
  [[maybe_unused]] const auto read = ::read(bell_, &rung, sizeof rung);
  return true;
}

void liveness_lane::listen() {
  if (!session_.get()) return;
  const auto heard = session_.get()->heard();
  if (!heard) {
    const bool held = held_;
    drop();
    if (held) news_.lost(session_closings_);
    return;
  }
  cluster_version newest = 0;
  for (const auto& payload : *heard) {
    const auto version = version_in(payload);
    newest = std::max(newest, version);
    if (version == 0) news_.told(payload);
  }
  if (newest > 0) news_.notified(newest);
}

void liveness_lane::carry_out(const order& next) {
  auto& ticket = *next.ticket;
  drop(); // it may hold an older incarnation's lock
  session_closings_ = next.closings;
  command_end end;
  if (session_.take(open_())) end = join(ticket);
  end.answer.id = ticket.id;
  const bool done = end.answer.result == outcome::done;
  held_ = news_.answer(ticket, std::move(end.answer)) && done;
  if (!held_) drop();
}

command_end liveness_lane::join(command_ticket& ticket) {
  auto& session = *session_.get();
  incarnation_no self = 0;
  if (const auto* again = std::get_if<resume_node>(&ticket.command)) {
    self = again->self;
  } else {
    auto drawn = run_alone(session, draw_incarnation(), ticket, {});
    if (drawn.answer.result != outcome::done) return drawn;
    self = drawn.answer.incarnation;
  }
  if (ticket.answered()) return {};
  auto locked = run_alone(session, take_liveness_lock(self), ticket, {});
  if (locked.answer.result != outcome::done) return locked;
  return run_transaction(session, ticket, std::holds_alternative<register_node>(ticket.command) ? self : 0);
}

} // namespace tobit::cluster
