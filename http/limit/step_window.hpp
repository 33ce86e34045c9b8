#pragma once

#include <cstddef>
#include <functional>
#include <memory>

namespace tobit::http {

/// Runs `count` asynchronous steps with at most `under_way_max` of them under way, and says when all have ended. No
/// thread of its own: whoever ends a step begins the next. Lives as long as a step is under way.
class step_window : public std::enable_shared_from_this<step_window> {
public:
  /// Begins one step; `ended` is to be called once, from any thread, also before this returns.
  using step = std::function<void(std::size_t index, std::function<void()> ended)>;

  /// `finished` is called once, after the last step, on the thread that ended it; at once if there are none.
  static void run(std::size_t count, std::size_t under_way_max, step begin, std::function<void()> finished);

  ~step_window();

private:
  step_window(std::size_t count, std::size_t under_way_max, step begin, std::function<void()> finished);
  void pump();
  void ended();

  struct progress;
  const std::size_t count_, under_way_max_;
  const step begin_;
  const std::function<void()> finished_;
  const std::unique_ptr<progress> progress_;
};

} // namespace tobit::http
