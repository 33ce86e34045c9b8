#include "runtime/storage/retention.hpp"

#include <utility>

namespace tobit::storage {

std::vector<retention_outcome> remove_old_rows(database& from, const std::vector<retention_rule>& rules, utc_time now) {
  std::vector<retention_outcome> outcomes;
  for (const auto& rule : rules) {
    retention_outcome outcome{rule.name, 0, std::nullopt};
    for (int chunk = 0; chunk < retention_chunks_max; ++chunk) {
      unit_of_work unit;
      unit.statements.push_back(
          {rule.sql, {to_micros(now - rule.keep), retention_chunk}, std::nullopt, error_code::conflict});
      auto done = from.write_and_wait(std::move(unit), std::chrono::seconds{30});
      if (!done) {
        outcome.failure = done.error();
        break;
      }
      outcome.removed += done->affected.front();
      if (done->affected.front() < retention_chunk) break;
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

retention::retention(database& from, const clock& time, std::vector<retention_rule> rules, std::chrono::seconds every,
                     std::function<void(const retention_outcome&)> told)
    : from_(from), time_(time), rules_(std::move(rules)), told_(std::move(told)), thread_([this, every] {
      run(every);
    }) {}

retention::~retention() {
  {
    std::lock_guard lock{guard_};
    stopping_ = true;
  }
  stop_requested_.notify_all();
  thread_.join();
}

void retention::run(std::chrono::seconds every) {
  std::unique_lock lock{guard_};
  while (!stop_requested_.wait_for(lock, every, [this] { return stopping_; })) {
    lock.unlock();
    for (const auto& outcome : remove_old_rows(from_, rules_, time_.now()))
      if (outcome.removed > 0 || outcome.failure) told_(outcome);
    lock.lock();
  }
}

} // namespace tobit::storage
