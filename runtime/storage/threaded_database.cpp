#include "runtime/storage/threaded_database.hpp"

#include "runtime/storage/group_commit.hpp"
#include "runtime/storage/session_slot.hpp"

#include <simdjson.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

namespace tobit::storage {

namespace {

// PostgreSQL takes neither NUL nor broken UTF-8 in text; SQLite would. Refused for both, so that both mean the same.
result<void> check_values(const statement& what) {
  for (const auto& v : what.params) {
    const auto* text = std::get_if<std::string>(&v);
    if (!text || text->empty()) continue;
    if (!simdjson::validate_utf8(text->data(), text->size()) || text->find('\0') != std::string::npos)
      return fail(error_code::validation_error, "A text must be valid UTF-8 without zero characters.");
  }
  return {};
}

result<void> check_values(const unit_of_work& unit) {
  for (const auto& what : unit.statements)
    if (auto checked = check_values(what); !checked) return checked;
  return {};
}

error refusal(bool full) {
  return full ? error{error_code::overloaded, "The database has too much to do; try again after a moment."}
              : error{error_code::unavailable, "The database is being closed."};
}

template <class Callback, class Answer>
void call_back(const Callback& done, Answer answer) noexcept {
  try {
    done(std::move(answer));
  } catch (const std::exception& e) {
    spdlog::error("storage.callback_threw {}", e.what());
  }
}

// A connection that turns out to be lost before the commit is opened anew once: nothing has happened yet.
group_outcome commit_with_reopening(session_slot& slot, const std::vector<const unit_of_work*>& units,
                                    std::shared_mutex& gate) {
  for (int attempt = 0;; ++attempt) {
    auto connection = slot.get();
    if (!connection) {
      group_outcome failed;
      failed.answers.assign(units.size(), fail(connection.error()));
      failed.trouble = session_failure{connection.error(), blame::connection};
      return failed;
    }
    auto outcome = commit_group(**connection, units, gate);
    if (!outcome.trouble) {
      slot.proven();
      return outcome;
    }
    if (outcome.trouble->whose != blame::connection) return outcome;
    slot.discard();
    if (attempt > 0 || outcome.trouble->outcome_unknown || outcome.transactions > 0) return outcome;
  }
}

} // namespace

threaded_database::threaded_database(parts p, const database_options& options)
    : parts_(std::move(p)), options_(options), reads_(options.read_queue_max) {
  const auto lanes = std::max<std::size_t>(1, parts_.lanes);
  for (std::size_t i = 0; i < lanes; ++i)
    lanes_.push_back(std::make_unique<write_queue>(std::max<std::size_t>(1, options.write_queue_max / lanes)));
  for (auto& lane : lanes_) threads_.emplace_back([this, queue = lane.get()] { run_writer(*queue); });
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options.readers); ++i)
    threads_.emplace_back([this] { run_reader(); });
}

threaded_database::~threaded_database() {
  for (auto& lane : lanes_) lane->close();
  reads_.close();
  for (auto& thread : threads_) thread.join();
}

void threaded_database::write(unit_of_work unit, std::function<void(result<write_outcome>)> done) {
  if (auto checked = check_values(unit); !checked) return call_back(done, result<write_outcome>(fail(checked.error())));
  auto& queue = *lanes_[unit.lane % lanes_.size()];
  pending_write item{std::move(unit), std::move(done)};
  const auto verdict = queue.push(item);
  if (verdict != write_queue::verdict::taken)
    call_back(item.done, result<write_outcome>(fail(refusal(verdict == write_queue::verdict::full))));
}

void threaded_database::read(statement query, std::function<void(result<rows>)> done) {
  if (auto checked = check_values(query); !checked) return call_back(done, result<rows>(fail(checked.error())));
  pending_read item{std::move(query), std::move(done)};
  using verdict_type = work_queue<pending_read>::verdict;
  const auto verdict = reads_.push(item);
  if (verdict != verdict_type::taken) call_back(item.done, result<rows>(fail(refusal(verdict == verdict_type::full))));
}

void threaded_database::run_writer(write_queue& queue) {
  session_slot slot{parts_.open, session_role::writer};
  std::vector<const unit_of_work*> units;
  while (true) {
    auto group = queue.pop(std::max<std::size_t>(1, options_.group_max));
    if (group.empty()) return;
    units.clear();
    for (const auto& item : group) units.push_back(&item.unit);
    auto outcome = commit_with_reopening(slot, units, gate_);
    units_committed_ += outcome.committed;
    transactions_ += outcome.transactions;
    note(outcome.trouble ? &*outcome.trouble : nullptr);
    for (std::size_t i = 0; i < group.size(); ++i) call_back(group[i].done, std::move(outcome.answers[i]));
  }
}

void threaded_database::run_reader() {
  session_slot slot{parts_.open, session_role::reader};
  while (true) {
    auto taken = reads_.pop(1);
    if (taken.empty()) return;
    auto& item = taken.front();
    for (int attempt = 0;; ++attempt) {
      auto connection = slot.get();
      if (!connection) {
        call_back(item.done, result<rows>(fail(connection.error())));
        break;
      }
      auto outcome = (*connection)->run(item.query);
      const bool lost = !outcome && outcome.error().whose == blame::connection;
      if (lost) slot.discard();
      if (lost && attempt == 0) continue;
      if (!outcome) {
        call_back(item.done, result<rows>(fail(outcome.error().what)));
      } else {
        slot.proven();
        auto met = check_expectation(item.query, outcome->affected);
        call_back(item.done, met ? result<rows>(std::move(outcome->returned)) : result<rows>(fail(met.error().what)));
      }
      break;
    }
  }
}

// Only changes are logged: an outage under load would else fill the disk with its own story.
void threaded_database::note(const session_failure* trouble) {
  const bool well = trouble == nullptr || trouble->whose == blame::contention;
  const bool before = usable_.exchange(well);
  if (well) {
    if (!before) spdlog::info("storage.usable_again kind={}", parts_.kind);
    return;
  }
  const std::string text{trouble->what.text()};
  if (before) spdlog::error("storage.not_usable kind={} {}", parts_.kind, text);
  std::lock_guard lock{error_guard_};
  last_error_ = text;
}

database_status threaded_database::status() const {
  database_status now;
  now.kind = parts_.kind;
  now.usable = usable_;
  {
    std::lock_guard lock{error_guard_};
    now.last_error = last_error_;
  }
  for (const auto& lane : lanes_) now.writes_queued += lane->size();
  now.reads_queued = reads_.size();
  now.units_committed = units_committed_;
  now.transactions = transactions_;
  return now;
}

} // namespace tobit::storage
