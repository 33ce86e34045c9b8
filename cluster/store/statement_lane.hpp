#pragma once

#include "cluster/store/command_ticket.hpp"
#include "cluster/store/lane_session.hpp"
#include "runtime/storage/work_queue.hpp"

#include <functional>
#include <string>
#include <thread>

namespace tobit::cluster {

/// Commands that wait for a lane at most; beyond it they fail at once.
inline constexpr std::size_t lane_queue_max = 10'000;

/// One thread and one session that carry out commands one after the other. A session that breaks is opened anew by the
/// next command; a command that was not touched by the break is repeated once.
class statement_lane {
public:
  using opener = std::function<result<std::unique_ptr<storage::session>>()>;

  statement_lane(std::string name, opener open, answer_ticket answer);
  ~statement_lane() { stop(); }

  /// False: too many wait.
  bool push(ticket_ptr ticket);
  /// Breaks what is under way and waits for the thread.
  void stop();

private:
  void run();
  void carry_out(command_ticket& ticket);

  const opener open_;
  const answer_ticket answer_;
  lane_session<storage::session> session_;
  storage::work_queue<ticket_ptr> queue_{lane_queue_max};
  std::thread thread_;
};

} // namespace tobit::cluster
