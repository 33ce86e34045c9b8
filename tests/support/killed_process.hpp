#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tobit::testing {

/// Runs `work` in a forked child that can report lines, and kills it with SIGKILL after `lines` of them (or lets it
/// end). Gives what was reported. The child must not use threads of the parent: fork before opening anything.
inline std::string run_and_kill(std::size_t lines, const std::function<void(int report_to)>& work) {
  int ends[2];
  if (::pipe(ends) != 0) return {};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    work(ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string reported;
  char buffer[4'096];
  std::size_t seen = 0;
  bool killed = false;
  for (ssize_t got = 0; (got = ::read(ends[0], buffer, sizeof buffer)) > 0;) {
    reported.append(buffer, static_cast<std::size_t>(got));
    for (ssize_t i = 0; i < got; ++i) seen += buffer[i] == '\n' ? 1 : 0;
    if (seen >= lines && !killed) {
      ::kill(child, SIGKILL); // what is in the pipe was acknowledged before and still counts
      killed = true;
    }
  }
  ::close(ends[0]);
  ::waitpid(child, nullptr, 0);
  return reported;
}

} // namespace tobit::testing
