#pragma once

#include "runtime/storage/database.hpp"

#include <functional>
#include <utility>
#include <vector>

namespace tobit::testing {

/// Runs everything on the caller's thread against a real database, so that a test decides what happens when. Writes can
/// be made to fail, or to be cut off by a crash: before the commit (lost) or after it (durable, nobody told).
class inline_database final : public storage::database {
public:
  enum class mode { work, fail, lose, keep_silent };

  explicit inline_database(storage::database& real) : real_(real) {}

  void write(storage::unit_of_work unit, std::function<void(result<storage::write_outcome>)> done) override {
    if (mode_now == mode::fail) return done(fail(error_code::database_error));
    if (mode_now == mode::lose) return;
    ++units;
    auto outcome = real_.write_and_wait(std::move(unit));
    if (!outcome) last_error = outcome.error();
    if (mode_now == mode::work) done(std::move(outcome));
  }
  void read(storage::statement query, std::function<void(result<storage::rows>)> done) override {
    if (mode_now == mode::fail) return done(fail(error_code::database_error));
    done(real_.read_and_wait(std::move(query)));
  }
  storage::database_status status() const override { return real_.status(); }

  mode mode_now = mode::work;
  int units = 0;
  error last_error;

private:
  storage::database& real_;
};

} // namespace tobit::testing
