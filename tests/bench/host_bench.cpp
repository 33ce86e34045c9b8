// What a reading of the host source costs: host_bench [PROCESSES]
// Starts that many sleeping processes first (default 1000), as a busy server has them, and ends them afterwards.

#include "actors/poll/host/host_reader.hpp"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace tobit;
using namespace tobit::poll::host;

std::vector<pid_t> start_sleepers(int count) {
  std::vector<pid_t> sleepers;
  for (int i = 0; i < count; ++i) {
    const pid_t pid = ::fork();
    if (pid < 0) break;
    if (pid == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL); // never outlives the benchmark
      for (;;) ::pause();
    }
    sleepers.push_back(pid);
  }
  return sleepers;
}

double median_milliseconds(const auto& work) {
  std::vector<double> times;
  for (int i = 0; i < 21; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    times.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::nth_element(times.begin(), times.begin() + 10, times.end());
  return times[10];
}

} // namespace

int main(int argc, char** argv) {
  const auto sleepers = start_sleepers(argc > 1 ? std::atoi(argv[1]) : 1'000);
  auto before = read_host("/proc", steady_time{std::chrono::seconds{1}});
  const auto now = read_host("/proc", steady_time{std::chrono::seconds{2}});
  if (before && now) {
    std::printf("%zu processes\n", now->processes.size());
    std::printf("bench host_read %.2f ms less 50\n",
                median_milliseconds([] { (void)read_host("/proc", steady_time{}); }));
    std::printf("bench host_document %.2f ms less 10\n",
                median_milliseconds([&] { (void)host_document(*now, &*before, units_of_this_machine()); }));
  }
  for (const pid_t pid : sleepers) ::kill(pid, SIGKILL);
  for (const pid_t pid : sleepers) ::waitpid(pid, nullptr, 0);
  return before && now ? 0 : 1;
}
