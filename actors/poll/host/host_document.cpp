#include "actors/poll/host/host_document.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace tobit::poll::host {

namespace {

double rounded(double value) { return std::round(value * 100) / 100; }

/// part of whole in percent; 0 of nothing.
double percent(double part, double whole) { return whole > 0 ? rounded(std::clamp(part / whole, 0.0, 1.0) * 100) : 0; }

/// How far a counter came; a counter that was reset gives nothing rather than something huge.
double progress(std::uint64_t now, std::uint64_t before) {
  return now >= before ? static_cast<double>(now - before) : 0;
}

json cpu_part(const host_sample& now, const host_sample* before) {
  if (!before || now.kernel.cpu.total() <= before->kernel.cpu.total())
    return {{"percent", nullptr}, {"user", nullptr},  {"system", nullptr},
            {"iowait", nullptr},  {"steal", nullptr}, {"cores", now.kernel.cores}};
  const auto& a = before->kernel.cpu;
  const auto& b = now.kernel.cpu;
  const auto total = progress(b.total(), a.total());
  const auto share = [&](std::uint64_t later, std::uint64_t earlier) {
    return percent(progress(later, earlier), total);
  };
  const auto idle = progress(b.idle, a.idle) + progress(b.iowait, a.iowait);
  return {{"percent", percent(total - idle, total)}, {"user", share(b.user, a.user)},
          {"system", share(b.system, a.system)},     {"iowait", share(b.iowait, a.iowait)},
          {"steal", share(b.steal, a.steal)},        {"cores", now.kernel.cores}};
}

json memory_part(const memory_amounts& memory) {
  const auto used = progress(memory.total, memory.available);
  const auto swapped = progress(memory.swap_total, memory.swap_free);
  return {{"total_bytes", memory.total},
          {"available_bytes", memory.available},
          {"used_percent", percent(used, static_cast<double>(memory.total))},
          {"swap_used_percent", percent(swapped, static_cast<double>(memory.swap_total))}};
}

json disk_part(const std::vector<disk_usage>& disks) {
  json out = json::object();
  double fullest = 0;
  for (const auto& disk : disks) {
    // As df(1) does: of what somebody who is not root could use.
    const auto used =
        percent(static_cast<double>(disk.used_bytes), static_cast<double>(disk.used_bytes + disk.free_bytes));
    fullest = std::max(fullest, used);
    out[disk.path] = {
        {"total_bytes", disk.total_bytes},
        {"free_bytes", disk.free_bytes},
        {"used_percent", used},
        {"inodes_used_percent", percent(progress(disk.inodes, disk.inodes_free), static_cast<double>(disk.inodes))}};
  }
  out["max_used_percent"] = fullest;
  return out;
}

json network_part(const host_sample& now, const host_sample* before, double seconds) {
  json interfaces = json::object();
  double received = 0, sent = 0;
  for (const auto& card : now.interfaces) {
    const interface_bytes* earlier = nullptr;
    if (before)
      for (const auto& other : before->interfaces)
        if (other.name == card.name) earlier = &other;
    if (!earlier || seconds <= 0) {
      interfaces[card.name] = {{"rx_bytes_per_second", nullptr}, {"tx_bytes_per_second", nullptr}};
      continue;
    }
    const auto rx = progress(card.received, earlier->received) / seconds,
               tx = progress(card.sent, earlier->sent) / seconds;
    interfaces[card.name] = {{"rx_bytes_per_second", rounded(rx)}, {"tx_bytes_per_second", rounded(tx)}};
    if (card.name == "lo") continue; // what the machine says to itself is not traffic
    received += rx;
    sent += tx;
  }
  json out{{"interfaces", std::move(interfaces)}, {"rx_bytes_per_second", nullptr}, {"tx_bytes_per_second", nullptr}};
  if (!before) return out;
  out["rx_bytes_per_second"] = rounded(received);
  out["tx_bytes_per_second"] = rounded(sent);
  return out;
}

struct ranked_process {
  const process_counters* process;
  double cpu_percent;
};

/// CPU since `before`; of a process that is newer, all it ever used.
std::vector<ranked_process> rank(const host_sample& now, const host_sample* before, double seconds,
                                 const host_units& units) {
  std::unordered_map<std::int64_t, const process_counters*> earlier;
  if (before)
    for (const auto& process : before->processes) earlier.emplace(process.pid, &process);
  std::vector<ranked_process> ranked;
  for (const auto& process : now.processes) {
    const auto known = earlier.find(process.pid);
    const bool same = known != earlier.end() && known->second->started_at == process.started_at;
    const auto ticks = progress(process.ticks, same ? known->second->ticks : 0);
    const auto cpu = before && seconds > 0 ? ticks / static_cast<double>(units.ticks_per_second) / seconds * 100 : 0;
    ranked.push_back({&process, rounded(cpu)});
  }
  return ranked;
}

template <class Larger>
json top(std::vector<ranked_process>& ranked, const host_units& units, Larger larger) {
  const auto count = std::min(top_processes, ranked.size());
  std::partial_sort(ranked.begin(), ranked.begin() + static_cast<std::ptrdiff_t>(count), ranked.end(), larger);
  json out = json::array();
  for (std::size_t i = 0; i < count; ++i)
    out.push_back({{"pid", ranked[i].process->pid},
                   {"name", ranked[i].process->name},
                   {"cpu_percent", ranked[i].cpu_percent},
                   {"rss_bytes", ranked[i].process->rss_pages * units.page_bytes}});
  return out;
}

json process_part(const host_sample& now, const host_sample* before, double seconds, const host_units& units) {
  auto ranked = rank(now, before, seconds, units);
  auto by_cpu = before ? top(ranked, units, [](const auto& a, const auto& b) { return a.cpu_percent > b.cpu_percent; })
                       : json::array();
  auto by_memory =
      top(ranked, units, [](const auto& a, const auto& b) { return a.process->rss_pages > b.process->rss_pages; });
  return {{"count", now.processes.size()},
          {"running", now.kernel.running},
          {"top_cpu", std::move(by_cpu)},
          {"top_memory", std::move(by_memory)}};
}

} // namespace

json host_document(const host_sample& now, const host_sample* before, const host_units& units) {
  const double seconds = before ? std::chrono::duration<double>(now.taken_at - before->taken_at).count() : 0;
  return {{"cpu", cpu_part(now, before)},
          {"load", {{"1", now.load.one}, {"5", now.load.five}, {"15", now.load.fifteen}}},
          {"memory", memory_part(now.memory)},
          {"disk", disk_part(now.disks)},
          {"network", network_part(now, before, seconds)},
          {"processes", process_part(now, before, seconds, units)},
          {"uptime_seconds", now.uptime_seconds},
          {"host", now.host}};
}

} // namespace tobit::poll::host
