#include "runtime/storage/migration.hpp"
#include "runtime/storage/postgres_session.hpp"
#include "runtime/storage/threaded_database.hpp"

#include <utility>

namespace tobit::storage {

result<std::unique_ptr<database>> open_postgres(const std::string& url, const database_options& options) {
  auto first = open_postgres_session(url, options, session_role::writer);
  if (!first) return fail(first.error());
  // Whoever comes second waits for the whole migration.
  if (auto patient = (*first)->script("SET lock_timeout = 0"); !patient) return fail(patient.error().what);
  // Per schema, so that tests in schemas of their own do not wait for each other; freed with the transaction.
  statement lock;
  lock.sql = "SELECT pg_advisory_xact_lock(hashtextextended('tobit.migration.' || current_schema(), 0))";
  if (auto migrated = migrate(**first, dialect::postgresql, &lock); !migrated) return fail(migrated.error());
  threaded_database::parts parts;
  parts.kind = "postgresql";
  parts.lanes = options.writers;
  parts.open = [url, options](session_role role) { return open_postgres_session(url, options, role); };
  return std::make_unique<threaded_database>(std::move(parts), options);
}

result<std::unique_ptr<database>> open_database(const std::string& url, const database_options& options) {
  if (url.starts_with("postgresql://") || url.starts_with("postgres://")) return open_postgres(url, options);
  return open_sqlite(url, options);
}

} // namespace tobit::storage
