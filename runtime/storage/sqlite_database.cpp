#include "runtime/storage/lock_file.hpp"
#include "runtime/storage/migration.hpp"
#include "runtime/storage/sqlite_checkpointer.hpp"
#include "runtime/storage/sqlite_session.hpp"
#include "runtime/storage/threaded_database.hpp"

#include <utility>

namespace tobit::storage {

namespace {

struct held_parts {
  std::shared_ptr<void> lock; // freed last
  // SQLite removes the write-ahead log with the last connection; the threads open theirs only when there is work.
  std::shared_ptr<session> anchor;
  std::shared_ptr<sqlite_checkpointer> checkpointer;
};

} // namespace

result<std::unique_ptr<database>> open_sqlite(const std::string& path, const database_options& options) {
  auto held = hold_lock_file(path + ".lock");
  if (!held) return fail(held.error());
  auto first = open_sqlite_session(path, options, session_role::writer);
  if (!first) return fail(first.error());
  if (auto migrated = migrate(**first, dialect::sqlite); !migrated) {
    auto why = migrated.error();
    if (why.code == error_code::database_error) why.code = error_code::configuration_error; // damage shows here, too
    return fail(std::move(why));
  }
  reserve_write_ahead_log(path, options.wal_reserve_bytes);
  auto checkpointer = std::make_shared<sqlite_checkpointer>(path, options);
  threaded_database::parts parts;
  parts.kind = "sqlite";
  parts.lanes = 1;
  parts.held = std::make_shared<held_parts>(held_parts{std::move(*held), std::move(*first), checkpointer});
  parts.open = [path, options, checkpointer](session_role role) {
    std::function<void(int)> committed;
    if (role == session_role::writer) committed = [checkpointer](int pages) { checkpointer->wal_has(pages); };
    return open_sqlite_session(path, options, role, std::move(committed));
  };
  return std::make_unique<threaded_database>(std::move(parts), options);
}

} // namespace tobit::storage
