#pragma once

#include "actors/poll/host/proc_text.hpp"
#include "schemas/json.hpp"
#include "schemas/time.hpp"

#include <optional>
#include <string>
#include <vector>

namespace tobit::poll::host {

/// How full one file system is.
struct disk_usage {
  std::string path;
  std::uint64_t total_bytes = 0, used_bytes = 0, free_bytes = 0; ///< free: for those who are not root
  std::uint64_t inodes = 0, inodes_free = 0;
};

/// Everything read from a machine at one moment.
struct host_sample {
  steady_time taken_at{};
  std::string host;
  kernel_counters kernel;
  load_averages load;
  memory_amounts memory;
  std::vector<disk_usage> disks;
  std::vector<interface_bytes> interfaces;
  std::vector<process_counters> processes;
  double uptime_seconds = 0;
};

/// What turns counters into amounts.
struct host_units {
  std::uint64_t ticks_per_second = 100, page_bytes = 4'096;
};

/// Processes listed in each of the two rankings.
inline constexpr std::size_t top_processes = 10;

/// The document that the source "host" answers with; docs/rules.md lists its fields. Rates and shares of CPU are over
/// the time since `before`, and null without it. CPU of the machine: 100 is all cores; of a process: 100 is one core.
json host_document(const host_sample& now, const host_sample* before, const host_units& units);

} // namespace tobit::poll::host
