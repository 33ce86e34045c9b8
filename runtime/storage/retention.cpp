#include "runtime/storage/retention.hpp"

#include <algorithm>
#include <utility>

namespace tobit::storage {

namespace {

constexpr std::chrono::seconds patience{30}, backlog_pause{10};

bool backlog(const retention_outcome& outcome) {
  return !outcome.failure && outcome.removed >= retention_chunk * retention_chunks_max;
}

} // namespace

std::vector<retention_outcome> remove_old_rows(database& from, const std::vector<retention_rule>& rules, utc_time now) {
  std::vector<retention_outcome> outcomes;
  for (const auto& rule : rules) {
    retention_outcome outcome{rule.name, 0, std::nullopt};
    for (int chunk = 0; chunk < retention_chunks_max; ++chunk) {
      unit_of_work unit;
      unit.statements.push_back(
          {rule.sql, {to_micros(now - rule.keep), retention_chunk}, std::nullopt, error_code::conflict});
      auto done = from.write_and_wait(std::move(unit), patience);
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

std::int64_t give_back_space(database& from) {
  if (from.status().kind != "sqlite") return 0;
  const auto number = [&](std::string_view pragma) -> std::int64_t {
    auto read = from.read_and_wait({pragma, {}}, patience);
    return read && !read->empty() ? as_int((*read)[0][0]) : 0;
  };
  constexpr std::int64_t incremental = 2;
  if (number("PRAGMA auto_vacuum") != incremental) return 0;
  std::int64_t given = 0;
  for (int piece = 0; piece < vacuum_pieces_max; ++piece) {
    const auto free = number("PRAGMA freelist_count");
    if (free < vacuum_slack + vacuum_piece) break;
    unit_of_work unit;
    unit.statements.push_back({"PRAGMA incremental_vacuum(500)", {}, std::nullopt, error_code::conflict});
    if (!from.write_and_wait(std::move(unit), patience)) break;
    given += vacuum_piece;
  }
  return given;
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
  auto pause = every;
  while (!stop_requested_.wait_for(lock, pause, [this] { return stopping_; })) {
    lock.unlock();
    pause = every;
    for (const auto& outcome : remove_old_rows(from_, rules_, time_.now())) {
      if (backlog(outcome)) pause = std::min<std::chrono::seconds>(every, backlog_pause);
      if (outcome.removed > 0 || outcome.failure) told_(outcome);
    }
    give_back_space(from_); // also what others removed, such as the event log
    lock.lock();
  }
}

} // namespace tobit::storage
