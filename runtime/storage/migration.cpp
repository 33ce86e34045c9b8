#include "runtime/storage/migration.hpp"

#include "schemas/sql/migrations.hpp"
#include "schemas/time.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

namespace tobit::storage {

namespace {

statement plain(std::string_view sql, std::vector<value> params = {}) {
  statement s;
  s.sql = sql;
  s.params = std::move(params);
  return s;
}

session_result<std::set<std::string>> applied_steps(session& connection, dialect target) {
  auto made = connection.script(
      to_dialect("CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at {int} NOT NULL)", target));
  if (!made) return tl::unexpected(std::move(made.error()));
  auto found = connection.run(plain("SELECT name FROM migration ORDER BY name"));
  if (!found) return tl::unexpected(std::move(found.error()));
  std::set<std::string> names;
  for (const auto& row : found->returned.values) names.insert(as_text(row[0]));
  return names;
}

result<void> refuse_newer(const std::set<std::string>& applied) {
  if (applied.contains(std::string{promotion_mark}))
    return fail(error_code::configuration_error,
                "Rows are being copied into this database; let `tobit promote` finish, or run it again.");
  const auto& known = sql::migrations();
  for (const auto& name : applied) {
    const bool ours = std::any_of(known.begin(), known.end(), [&](const auto& step) { return step.name == name; });
    if (!ours)
      return fail(error_code::configuration_error,
                  "The database was made by a newer release of Tobit (it has the step '" + name +
                      "'); start that release, or restore a backup of before.");
  }
  return {};
}

session_result<void> apply_missing(session& connection, dialect target, const std::set<std::string>& applied) {
  const auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
  for (const auto& step : sql::migrations()) {
    const std::string name{step.name};
    if (applied.contains(name)) continue;
    if (auto done = connection.script(to_dialect(step.text, target)); !done) return done;
    auto noted =
        connection.run(plain("INSERT INTO migration (name, applied_at) VALUES ($1, $2)", {name, to_micros(now)}));
    if (!noted) return tl::unexpected(std::move(noted.error()));
    spdlog::info("storage.migrated step={}", name);
  }
  return {};
}

result<void> migrate_inside(session& connection, dialect target, const statement* guard) {
  if (guard) {
    if (auto locked = connection.run(*guard); !locked) return fail(std::move(locked.error().what));
  }
  auto applied = applied_steps(connection, target);
  if (!applied) return fail(std::move(applied.error().what));
  if (auto refused = refuse_newer(*applied); !refused) return refused;
  if (auto done = apply_missing(connection, target, *applied); !done) return fail(std::move(done.error().what));
  return {};
}

} // namespace

result<void> migrate(session& connection, dialect target, const statement* guard) {
  if (auto begun = connection.begin(); !begun) return fail(std::move(begun.error().what));
  auto done = migrate_inside(connection, target, guard);
  if (!done) {
    connection.rollback();
    return done;
  }
  if (auto committed = connection.commit(); !committed) return fail(std::move(committed.error().what));
  return {};
}

} // namespace tobit::storage
