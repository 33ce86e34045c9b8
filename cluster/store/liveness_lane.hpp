#pragma once

#include "cluster/store/command_run.hpp"
#include "cluster/store/lane_session.hpp"
#include "cluster/store/statement_lane.hpp"
#include "runtime/storage/postgres_listener.hpp"

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tobit::cluster {

/// What the liveness lane tells, with the number of closings before the session was asked for: news of a session that
/// was closed since is none.
struct liveness_news {
  answer_ticket answer;
  std::function<void(std::uint64_t closings)> lost;
  std::function<void(cluster_version)> notified;
  std::function<void(const std::string&)> told;
};

/// The thread of the session that holds the liveness lock and listens. Carries out `register_node` and `resume_node`,
/// each on a new session; waits on the socket otherwise, so that it learns of the session's end when it happens.
class liveness_lane {
public:
  using opener = std::function<result<std::unique_ptr<storage::postgres_listener>>()>;

  liveness_lane(opener open, liveness_news news);
  ~liveness_lane();
  liveness_lane(const liveness_lane&) = delete;
  liveness_lane& operator=(const liveness_lane&) = delete;

  /// False: too many wait.
  bool push(ticket_ptr ticket);
  /// Closes the session soon. Returns what was handed in and is not answered yet; its sessions are closed, too.
  std::vector<ticket_ptr> close(std::uint64_t closings);
  void stop();

private:
  struct order {
    ticket_ptr ticket;
    std::uint64_t closings = 0;
  };
  void run();
  void wake() noexcept;
  bool wait(); ///< False: the lane is being stopped.
  void listen();
  void carry_out(const order& next);
  command_end join(command_ticket& ticket);
  void drop();

  const opener open_;
  const liveness_news news_;
  const int bell_; ///< eventfd
  lane_session<storage::postgres_listener> session_{"liveness"};
  bool held_ = false;                  ///< an answer said that the session holds the lock
  std::uint64_t session_closings_ = 0; ///< when the session was asked for

  std::mutex guard_;
  std::deque<order> queue_;
  ticket_ptr current_;
  std::uint64_t closings_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace tobit::cluster
