#pragma once

#include "actors/poll/host/host_document.hpp"
#include "schemas/error.hpp"

#include <string>

namespace tobit::poll::host {

/// Reads the machine's figures from a /proc file system. May take milliseconds (a file per process) and, if a disk
/// hangs, long: only for a thread of its own. At most 20'000 processes are looked at.
/// Errors: external_service_error if /proc is not what Linux makes of it.
result<host_sample> read_host(const std::string& proc, steady_time now);

/// What this machine counts in.
host_units units_of_this_machine();

} // namespace tobit::poll::host
