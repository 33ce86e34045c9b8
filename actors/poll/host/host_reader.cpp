#include "actors/poll/host/host_reader.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/statvfs.h>
#include <unistd.h>

namespace tobit::poll::host {

namespace {

constexpr std::size_t text_max = 1u << 20;
constexpr std::size_t processes_max = 20'000;

/// The whole file, or nothing: files of /proc are made as they are read and have no size.
bool read_text(const std::string& path, std::string& into) {
  into.clear();
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) return false;
  std::array<char, 16'384> piece;
  ssize_t count = 0;
  while (into.size() < text_max && (count = ::read(file, piece.data(), piece.size())) > 0)
    into.append(piece.data(), static_cast<std::size_t>(count));
  ::close(file);
  return count >= 0 && !into.empty();
}

std::vector<disk_usage> read_disks(std::string_view mounts) {
  std::vector<disk_usage> disks;
  for (const auto& mount : parse_mounts(mounts)) {
    struct statvfs found {};
    if (::statvfs(mount.path.c_str(), &found) != 0 || found.f_blocks == 0) continue;
    const auto unit = static_cast<std::uint64_t>(found.f_frsize);
    disks.push_back({mount.path, found.f_blocks * unit, (found.f_blocks - found.f_bfree) * unit, found.f_bavail * unit,
                     found.f_files, found.f_ffree});
  }
  return disks;
}

std::vector<process_counters> read_processes(const std::string& proc) {
  std::vector<process_counters> processes;
  const std::unique_ptr<DIR, int (*)(DIR*)> folder{::opendir(proc.c_str()), ::closedir};
  if (!folder) return processes;
  std::string text;
  while (const auto* entry = ::readdir(folder.get())) {
    if (!std::isdigit(static_cast<unsigned char>(entry->d_name[0])) || processes.size() >= processes_max) continue;
    if (!read_text(proc + '/' + entry->d_name + "/stat", text)) continue; // it has ended in the meantime
    if (auto process = parse_process(text)) processes.push_back(std::move(*process));
  }
  return processes;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  return name.data();
}

} // namespace

result<host_sample> read_host(const std::string& proc, steady_time now) {
  std::string stat, loadavg, meminfo, uptime, net, mounts;
  const bool readable = read_text(proc + "/stat", stat) && read_text(proc + "/loadavg", loadavg) &&
                        read_text(proc + "/meminfo", meminfo) && read_text(proc + "/uptime", uptime);
  const auto kernel = parse_stat(stat);
  const auto load = parse_loadavg(loadavg);
  const auto memory = parse_meminfo(meminfo);
  const auto up = parse_uptime(uptime);
  if (!readable || !kernel || !load || !memory || !up)
    return fail(error_code::external_service_error, "The machine's figures cannot be read from " + proc + ".");
  host_sample sample;
  sample.taken_at = now;
  sample.host = host_name();
  sample.kernel = *kernel;
  sample.load = *load;
  sample.memory = *memory;
  sample.uptime_seconds = *up;
  if (read_text(proc + "/net/dev", net)) sample.interfaces = parse_net_dev(net);
  if (read_text(proc + "/mounts", mounts)) sample.disks = read_disks(mounts);
  sample.processes = read_processes(proc);
  return sample;
}

host_units units_of_this_machine() {
  return {static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_CLK_TCK))),
          static_cast<std::uint64_t>(std::max(1L, ::sysconf(_SC_PAGESIZE)))};
}

} // namespace tobit::poll::host
