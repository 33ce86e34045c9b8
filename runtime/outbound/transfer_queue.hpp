#pragma once

#include "runtime/outbound/transfer.hpp"

#include <deque>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tobit::outbound {

/// One accepted request with its callback.
struct pending_transfer {
  std::unique_ptr<transfer> what;
  answer_callback done;
};

/// Who gets a connection next: first come first served per host, hosts take turns, at most so many at a time per host
/// and in total. libcurl has such limits too, but does not end what waits for a connection when its time is over.
class transfer_queue {
public:
  transfer_queue(std::size_t active_max, std::size_t active_per_host_max)
      : active_max_(active_max), active_per_host_max_(active_per_host_max) {}

  void add(pending_transfer t);
  /// The next that may start now; counts as active until `finished`.
  std::optional<pending_transfer> next();
  void finished(const std::string& authority);
  /// Removes what has waited beyond its deadline.
  std::vector<pending_transfer> expire(steady_time now);
  /// Removes everything that waits.
  std::vector<pending_transfer> clear();
  /// When the first of those that wait expires; max() if none waits.
  steady_time next_deadline() const noexcept;

private:
  struct host {
    std::list<pending_transfer> waiting;
    std::size_t active = 0;
    bool in_line = false; ///< is in `line_`
  };
  struct place {
    std::string authority;
    std::list<pending_transfer>::iterator position;
  };
  void stand_in_line(const std::string& authority, host& h);
  void forget_if_idle(std::map<std::string, host>::iterator h);

  const std::size_t active_max_, active_per_host_max_;
  std::size_t active_ = 0;
  std::map<std::string, host> hosts_;
  std::deque<std::string> line_; ///< hosts that may start something, in turn
  std::multimap<steady_time, place> deadlines_;
  std::map<const transfer*, std::multimap<steady_time, place>::iterator> deadline_of_;
};

} // namespace tobit::outbound
