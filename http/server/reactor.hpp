#pragma once

#include "http/server/connection.hpp"
#include "http/server/deadline_queue.hpp"
#include "http/server/edge_scope.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

namespace tobit::http::edge {

/// A thread that owns connections: waits with epoll (edge-triggered, so a busy connection costs no system call but its
/// own reads and writes), carries out what other threads post to its inbox, keeps the deadlines. The first reactor of a
/// server accepts and deals the clients out; idle connections cost memory only.
class reactor {
public:
  /// Takes a connection over, on any thread.
  using dealer = std::function<void(accepted_socket)>;

  /// With a listener this reactor accepts; `deal` places what it accepted.
  reactor(edge_scope& edge, file_handle listener, dealer deal);
  ~reactor();
  reactor(const reactor&) = delete;
  reactor& operator=(const reactor&) = delete;

  void start();
  /// Hands an accepted client over; thread-safe.
  void adopt(accepted_socket socket);
  /// Call after `edge.stopping` is set: ends when nothing is under way, or after `grace`. Thread-safe, once.
  void stop(std::chrono::milliseconds grace);

private:
  void run();
  void round();
  int wait_time();
  void accept_some();
  void accept_without_handles();
  void pause_accepting();
  void resume_accepting();
  void turn_away(accepted_socket socket);
  void place(accepted_socket socket);
  void on_event(connection_id id, std::uint32_t events);
  void take_instructions();
  void give_turns();
  void check_deadlines();
  void check_stop();
  void end_all();
  template <class Action>
  void touch(connection& one, Action action);
  void settle(connection& one);
  connection* find(connection_id id) const noexcept;

  edge_scope& edge_;
  file_handle listener_;
  dealer deal_;
  file_handle epoll_, reserve_;
  reactor_scope scope_;
  std::vector<std::unique_ptr<connection>> connections_; ///< by file descriptor
  std::size_t count_ = 0;
  std::uint64_t serial_ = 0;
  deadline_queue deadlines_;
  std::vector<connection_id> turns_, turns_now_;
  std::vector<instruction> instructions_;
  steady_time accept_again_at_ = steady_time::max();
  steady_time stop_at_ = steady_time::max(); ///< once stopping
  bool stopping_ = false, done_ = false;
  std::atomic<std::int64_t> grace_ms_{0};
  std::thread thread_;
};

} // namespace tobit::http::edge
