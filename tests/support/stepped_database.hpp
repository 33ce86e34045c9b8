#pragma once

#include "runtime/storage/database.hpp"

#include <deque>
#include <functional>
#include <optional>

namespace tobit::testing {

/// A real database whose answers come when the test says so, on the test's thread. Order of work is kept. For one
/// thread.
class stepped_database final : public storage::database {
public:
  explicit stepped_database(storage::database& real) : real_(real) {}

  void write(storage::unit_of_work unit, std::function<void(result<storage::write_outcome>)> done) override;
  void read(storage::statement query, std::function<void(result<storage::rows>)> done) override;
  storage::database_status status() const override { return real_.status(); }

  /// Carries out one waiting piece of work; false if there is none.
  bool step();
  std::size_t waiting() const noexcept { return work_.size(); }
  /// While false (as at first), work is carried out inside the call.
  void hold(bool wanted) { held_ = wanted; }
  /// The next so many writes fail with this error and change nothing.
  void fail_writes(std::size_t count, error with);
  void fail_reads(std::size_t count, error with);
  std::size_t reads() const noexcept { return reads_; }

private:
  void add(std::function<void()> work);

  storage::database& real_;
  std::deque<std::function<void()>> work_;
  bool held_ = false;
  std::size_t failing_writes_ = 0, failing_reads_ = 0, reads_ = 0;
  error failure_;
};

} // namespace tobit::testing
