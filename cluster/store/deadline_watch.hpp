#pragma once

#include "cluster/store/command_ticket.hpp"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

namespace tobit::cluster {

/// Gives up commands whose time is over, whatever their threads are waiting for. One thread; tickets come in the order
/// of their deadlines.
class deadline_watch {
public:
  /// `tell` is called on the watch's thread with tickets that it has given up.
  explicit deadline_watch(std::function<void(const command_ticket&, outcome)> tell);
  ~deadline_watch() { stop(); }

  void add(ticket_ptr ticket);
  /// Gives these up now.
  void hurry(std::vector<ticket_ptr> tickets);
  /// Gives up everything that is left and ends the thread.
  void stop();

private:
  void run();
  void give_up(const std::vector<ticket_ptr>& tickets);

  std::function<void(const command_ticket&, outcome)> tell_;
  std::mutex guard_;
  std::condition_variable changed_;
  std::deque<ticket_ptr> waiting_;
  std::vector<ticket_ptr> hurried_;
  bool stopping_ = false;
  std::thread thread_;
};

} // namespace tobit::cluster
