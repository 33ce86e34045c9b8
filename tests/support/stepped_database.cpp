#include "tests/support/stepped_database.hpp"

#include <utility>

namespace tobit::testing {

void stepped_database::add(std::function<void()> work) {
  if (held_)
    work_.push_back(std::move(work));
  else
    work();
}

void stepped_database::write(storage::unit_of_work unit, std::function<void(result<storage::write_outcome>)> done) {
  add([this, unit = std::move(unit), done = std::move(done)]() mutable {
    if (failing_writes_ > 0) {
      --failing_writes_;
      return done(fail(failure_));
    }
    done(real_.write_and_wait(std::move(unit), std::chrono::seconds{30}));
  });
}

void stepped_database::read(storage::statement query, std::function<void(result<storage::rows>)> done) {
  add([this, query = std::move(query), done = std::move(done)]() mutable {
    ++reads_;
    if (failing_reads_ > 0) {
      --failing_reads_;
      return done(fail(failure_));
    }
    done(real_.read_and_wait(std::move(query), std::chrono::seconds{30}));
  });
}

bool stepped_database::step() {
  if (work_.empty()) return false;
  auto next = std::move(work_.front());
  work_.pop_front();
  next();
  return true;
}

void stepped_database::fail_writes(std::size_t count, error with) {
  failing_writes_ = count;
  failure_ = std::move(with);
}

void stepped_database::fail_reads(std::size_t count, error with) {
  failing_reads_ = count;
  failure_ = std::move(with);
}

} // namespace tobit::testing
