#include "runtime/storage/group_commit.hpp"

#include <chrono>
#include <mutex>
#include <random>
#include <thread>
#include <utility>

namespace tobit::storage {

namespace {

using unit_list = std::vector<const unit_of_work*>;
using answers = std::vector<result<write_outcome>>;

constexpr int contention_retries_max = 6;

session_result<answers> run_together(session& connection, const unit_list& units) {
  auto outcomes = connection.run_units(units);
  if (!outcomes) return tl::unexpected(std::move(outcomes.error()));
  answers all;
  all.reserve(units.size());
  for (auto& outcome : *outcomes) all.emplace_back(std::move(outcome));
  return all;
}

session_result<answers> run_isolated(session& connection, const unit_list& units) {
  answers all;
  all.reserve(units.size());
  for (const auto* unit : units) {
    if (auto marked = connection.script("SAVEPOINT unit"); !marked) return tl::unexpected(std::move(marked.error()));
    auto outcome = connection.run_unit(*unit);
    if (!outcome && outcome.error().whose != blame::statement) return tl::unexpected(std::move(outcome.error()));
    auto ended =
        connection.script(outcome ? "RELEASE SAVEPOINT unit" : "ROLLBACK TO SAVEPOINT unit; RELEASE SAVEPOINT unit");
    if (!ended) return tl::unexpected(std::move(ended.error()));
    if (outcome)
      all.emplace_back(std::move(*outcome));
    else
      all.emplace_back(fail(std::move(outcome.error().what)));
  }
  return all;
}

session_result<answers> in_transaction(session& connection, const unit_list& units, bool isolated) {
  if (auto begun = connection.begin(); !begun) return tl::unexpected(std::move(begun.error()));
  auto all = isolated ? run_isolated(connection, units) : run_together(connection, units);
  if (!all) {
    connection.rollback();
    return all;
  }
  if (auto committed = connection.commit(); !committed) {
    connection.rollback();
    return tl::unexpected(std::move(committed.error()));
  }
  return all;
}

void pause_before_retry(int attempt) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const auto longest_us = 500u << attempt;
  std::this_thread::sleep_for(std::chrono::microseconds{100 + random() % longest_us});
}

session_result<answers> attempt_once(session& connection, const unit_list& units, bool isolated, bool alone,
                                     std::shared_mutex& gate) {
  if (alone) {
    std::unique_lock nobody_else{gate};
    return in_transaction(connection, units, isolated);
  }
  std::shared_lock among_others{gate};
  return in_transaction(connection, units, isolated);
}

session_result<answers> with_retries(session& connection, const unit_list& units, std::shared_mutex& gate) {
  bool isolated = false, alone = false;
  for (int attempt = 0;; ++attempt) {
    auto all = attempt_once(connection, units, isolated, alone, gate);
    if (all || all.error().outcome_unknown) return all;
    const auto whose = all.error().whose;
    if (whose == blame::statement && units.size() > 1 && !isolated) {
      isolated = true;
    } else if (whose == blame::contention && attempt < contention_retries_max && (units.size() == 1 || attempt < 2)) {
      alone = true;
      pause_before_retry(attempt);
    } else {
      return all;
    }
  }
}

void add(group_outcome& total, answers all) {
  ++total.transactions;
  for (auto& answer : all) {
    total.committed += answer ? 1 : 0;
    total.answers.push_back(std::move(answer));
  }
}

void add_failure(group_outcome& total, std::size_t units, session_failure failure) {
  total.answers.insert(total.answers.end(), units, fail(failure.what));
  if (failure.whose != blame::statement) total.trouble = std::move(failure);
}

} // namespace

group_outcome commit_group(session& connection, const unit_list& units, std::shared_mutex& gate) {
  group_outcome total;
  total.answers.reserve(units.size());
  auto all = with_retries(connection, units, gate);
  if (all) {
    add(total, std::move(*all));
    return total;
  }
  if (all.error().whose != blame::contention || units.size() == 1) {
    add_failure(total, units.size(), std::move(all.error()));
    return total;
  }
  // Units that lock the same rows in different order than another lane: alone each of them holds fewer locks at a time.
  for (const auto* unit : units) {
    auto one = with_retries(connection, {unit}, gate);
    if (one)
      add(total, std::move(*one));
    else
      add_failure(total, 1, std::move(one.error()));
  }
  return total;
}

} // namespace tobit::storage
