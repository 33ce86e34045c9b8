#pragma once

#include "runtime/entity/effect_handler.hpp"
#include "runtime/storage/statement.hpp"
#include "schemas/error.hpp"

#include <functional>
#include <map>
#include <unordered_map>
#include <vector>

namespace tobit::entity {

/// Who waits for the effects of which decision. Used by the outbox dispatcher alone.
class settle_watch {
public:
  using listener = std::function<void(result<std::vector<effect_outcome>>)>;

  /// False if too many wait already.
  bool add(const std::string& correlation, steady_time deadline, listener done);
  bool watched(const std::string& correlation) const { return waiting_.count(correlation) > 0; }
  bool empty() const noexcept { return waiting_.empty(); }
  /// Those that are waited for.
  std::vector<std::string> correlations() const;
  /// Remembers an outcome in full until all of its correlation are settled; rows hold less.
  void note(const std::string& correlation, const std::string& effect_id, const effect_outcome& outcome);
  /// All effects of the correlation (id, status, last error) as the rows say. Answers and forgets who waits if none is
  /// pending.
  void compare(const std::string& correlation, const storage::rows& effects);
  void fail_all(const std::string& correlation, const error& why);
  /// Answers those whose deadline passed with `deadline_exceeded`.
  void expire(steady_time now);

private:
  struct watcher {
    steady_time deadline;
    listener done;
  };
  struct group {
    std::vector<watcher> watchers;
    std::map<std::string, effect_outcome> outcomes; ///< by effect id
  };
  std::unordered_map<std::string, group> waiting_;
};

} // namespace tobit::entity
