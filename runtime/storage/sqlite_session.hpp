#pragma once

#include "runtime/storage/database.hpp"
#include "runtime/storage/session.hpp"

#include <functional>
#include <memory>
#include <string>

namespace tobit::storage {

/// Opens one connection to an SQLite file: WAL, `synchronous=FULL`, so that a commit survives power loss.
/// A reader refuses to write. `committed` is told the pages in the write-ahead log after each commit of this session.
/// Errors: configuration_error with a sentence that tells what to do.
result<std::unique_ptr<session>> open_sqlite_session(const std::string& path, const database_options& options,
                                                     session_role role, std::function<void(int)> committed = {});

/// Opens a connection that changes nothing about the file, not even by bringing the write-ahead log back into it.
/// Errors: as above.
result<std::unique_ptr<session>> open_sqlite_read_only(const std::string& path, const database_options& options);

/// Lets the write-ahead log own `bytes` of the disk from the start: an fsync of a file that grows also writes the file
/// system's journal, which takes many times as long (measured on ext4: 8 ms against 0.3 ms). SQLite takes the zeros
/// behind the last valid frame for what they are: nothing. Precondition: a session to the file is open.
void reserve_write_ahead_log(const std::string& path, std::size_t bytes) noexcept;

} // namespace tobit::storage
