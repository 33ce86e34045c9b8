#include "runtime/storage/lock_file.hpp"
#include "runtime/storage/migration.hpp"
#include "runtime/storage/sqlite_session.hpp"
#include "runtime/storage/threaded_database.hpp"

#include <utility>

namespace tobit::storage {

result<std::unique_ptr<database>> open_sqlite(const std::string& path, const database_options& options) {
  auto held = hold_lock_file(path + ".lock");
  if (!held) return fail(held.error());
  auto first = open_sqlite_session(path, options, session_role::writer);
  if (!first) return fail(first.error());
  if (auto migrated = migrate(**first, dialect::sqlite); !migrated) return fail(migrated.error());
  threaded_database::parts parts;
  parts.kind = "sqlite";
  parts.lanes = 1;
  parts.held = std::move(*held);
  parts.open = [path, options](session_role role) { return open_sqlite_session(path, options, role); };
  return std::make_unique<threaded_database>(std::move(parts), options);
}

} // namespace tobit::storage
