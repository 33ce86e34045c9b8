#pragma once

#include "runtime/storage/database.hpp"

#include <filesystem>
#include <memory>
#include <string>

namespace tobit::testing {

enum class database_kind { sqlite, postgresql };

/// A fresh, migrated database of a test's own: an SQLite file in a temporary folder, or a schema of the PostgreSQL
/// server that TOBIT_TEST_DATABASE_URL names. Gone with this object. Throws std::runtime_error if there is none to be
/// had.
class scratch_database {
public:
  explicit scratch_database(database_kind kind = database_kind::sqlite, const storage::database_options& options = {});
  ~scratch_database();
  scratch_database(const scratch_database&) = delete;
  scratch_database& operator=(const scratch_database&) = delete;

  storage::database& get() const { return *open_; }
  storage::database& operator*() const { return *open_; }
  storage::database* operator->() const { return open_.get(); }

  /// Finishes accepted work and closes; `reopen` also opens again, as a restarted node would.
  void close() { open_.reset(); }
  void reopen();

  /// What `storage::open_database` takes: a path or a URL.
  const std::string& url() const { return url_; }
  /// A folder for the test's files; it goes with the database.
  const std::filesystem::path& folder() const { return folder_; }

private:
  storage::database_options options_;
  std::filesystem::path folder_;
  std::string schema_; ///< PostgreSQL only
  std::string url_;
  std::unique_ptr<storage::database> open_;
};

} // namespace tobit::testing
