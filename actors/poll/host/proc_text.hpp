#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Reads what Linux writes into /proc: text in, numbers out, no I/O. Formats: proc(5). What cannot be understood gives
/// nothing, never a wrong number.
namespace tobit::poll::host {

/// First line of /proc/stat, in clock ticks since boot, summed over all cores.
struct cpu_ticks {
  std::uint64_t user = 0;   ///< with nice
  std::uint64_t system = 0; ///< with interrupts
  std::uint64_t idle = 0, iowait = 0, steal = 0;
  std::uint64_t total() const noexcept { return user + system + idle + iowait + steal; }
};
struct kernel_counters {
  cpu_ticks cpu;
  std::uint64_t cores = 0;
  std::uint64_t running = 0; ///< threads that run or could run now
};
std::optional<kernel_counters> parse_stat(std::string_view text);

struct load_averages {
  double one = 0, five = 0, fifteen = 0;
};
std::optional<load_averages> parse_loadavg(std::string_view text);

/// /proc/meminfo, in bytes.
struct memory_amounts {
  std::uint64_t total = 0, available = 0, swap_total = 0, swap_free = 0;
};
std::optional<memory_amounts> parse_meminfo(std::string_view text);

/// A line of /proc/net/dev.
struct interface_bytes {
  std::string name;
  std::uint64_t received = 0, sent = 0;
};
std::vector<interface_bytes> parse_net_dev(std::string_view text);

/// A file system of /proc/mounts that lies on this machine's disks: no pseudo, network or loop file systems, each
/// device once, at most 64.
struct local_mount {
  std::string device, path;
};
std::vector<local_mount> parse_mounts(std::string_view text);

/// /proc/<pid>/stat.
struct process_counters {
  std::int64_t pid = 0;
  std::string name;
  char state = '?';
  std::uint64_t ticks = 0;      ///< of CPU, user and system
  std::uint64_t started_at = 0; ///< ticks after boot; with the pid it names a process for good
  std::uint64_t rss_pages = 0;
};
std::optional<process_counters> parse_process(std::string_view text);

/// /proc/uptime: seconds since boot.
std::optional<double> parse_uptime(std::string_view text);

} // namespace tobit::poll::host
