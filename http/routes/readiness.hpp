#pragma once

#include "runtime/time/clock.hpp"
#include "schemas/error.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace tobit::http {

/// Asks one dependency whether it works. `done` is called once, from any thread.
using dependency_check = std::function<void(std::function<void(result<void>)> done)>;

/// Knows whether everything works that this node needs. Each dependency is asked at most once a second however often
/// somebody looks, and whoever looks is answered within `patience`: a dependency that hangs counts as failed.
/// Thread-safe; lives in a shared pointer, because an answer may come after its end.
class readiness : public std::enable_shared_from_this<readiness> {
public:
  struct verdict {
    std::string name;
    bool ok = false;
    std::string problem; ///< for operators; empty if ok
    std::chrono::microseconds took{0};
  };
  struct report {
    bool ready = false;
    std::vector<verdict> checks;
  };

  static constexpr std::chrono::milliseconds asked_every{1'000}, patience{2'000};

  explicit readiness(const clock& time) : time_(time) {}

  void add(std::string name, dependency_check check); ///< before the first `look`
  void look(std::function<void(const report&)> done);
  /// Answers those that waited for `patience`. Called every 100 ms or so.
  void sweep();
  /// A node that starts or stops is not ready whatever its dependencies say. Empty: it is running.
  void set_phase(std::string phase);

private:
  struct dependency {
    std::string name;
    dependency_check check;
    std::optional<verdict> known;
    steady_time asked_at{}, known_at{};
    bool asking = false;
  };
  struct waiter {
    steady_time since;
    std::function<void(const report&)> done;
  };

  void ask(std::size_t index);
  void answered(std::size_t index, const result<void>& outcome);
  bool all_known(steady_time now) const;
  report write_report(steady_time now) const;

  const clock& time_;
  mutable std::mutex guard_;
  std::vector<dependency> dependencies_;
  std::vector<waiter> waiting_;
  std::string phase_;
};

} // namespace tobit::http
