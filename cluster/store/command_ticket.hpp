#pragma once

#include "cluster/store/database_command.hpp"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace tobit::cluster {

/// A command on its way through the gateway. Two may answer it, the thread that carries it out and the one that looks
/// at the time; the first one does. Giving it up before its commit has begun keeps it from taking effect.
class command_ticket {
public:
  using clock = std::chrono::steady_clock;

  command_ticket(std::uint64_t number, database_command what, clock::time_point until)
      : id(number), command(std::move(what)), deadline(until) {}

  const std::uint64_t id;
  const database_command command;
  const clock::time_point deadline;

  bool answered() const noexcept { return stage_ == stage::answered; }
  /// False: it was given up; nothing of it may take effect.
  bool begin_commit() noexcept {
    auto expected = stage::before_commit;
    return stage_.compare_exchange_strong(expected, stage::committing);
  }
  /// Whoever gets `true` tells the answer.
  bool settle() noexcept { return stage_.exchange(stage::answered) != stage::answered; }
  /// Settles it without waiting for its end: `failed` or, if it may be committed, `unknown`. Nothing if it is settled.
  std::optional<outcome> give_up() noexcept {
    auto expected = stage::before_commit;
    if (stage_.compare_exchange_strong(expected, stage::answered)) return outcome::failed;
    if (expected != stage::answered && settle()) return outcome::unknown;
    return std::nullopt;
  }

private:
  enum class stage : std::uint8_t { before_commit, committing, answered };
  std::atomic<stage> stage_{stage::before_commit};
};

using ticket_ptr = std::shared_ptr<command_ticket>;

/// Tells the answer unless somebody else did. True if it did.
using answer_ticket = std::function<bool(command_ticket&, database_answer)>;

} // namespace tobit::cluster
