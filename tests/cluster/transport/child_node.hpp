#pragma once

#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <string>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tobit::testing {

/// A `link_child` process; killed at the latest when this goes.
class child_node {
public:
  child_node(const std::string& name, long long incarnation, int heartbeat_ms) : name_(name) {
    int in[2], out[2];
    if (::pipe2(in, O_CLOEXEC) != 0 || ::pipe2(out, O_CLOEXEC) != 0) return;
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(in[0], 0);
      ::dup2(out[1], 1);
      const auto number = std::to_string(incarnation), beat = std::to_string(heartbeat_ms);
      ::execl(LINK_CHILD, LINK_CHILD, name.c_str(), number.c_str(), beat.c_str(), static_cast<char*>(nullptr));
      ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    in_ = in[1];
    out_ = ::fdopen(out[0], "r");
    address_ = line();
  }
  ~child_node() {
    signal(SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    ::close(in_);
    if (out_) std::fclose(out_);
  }
  child_node(const child_node&) = delete;
  child_node& operator=(const child_node&) = delete;

  const std::string& address() const { return address_; }
  void signal(int number) const {
    if (pid_ > 0) ::kill(pid_, number);
  }
  void tell(const std::string& text) const {
    [[maybe_unused]] const auto n = ::write(in_, (text + "\n").data(), text.size() + 1);
  }
  /// The next line it prints; waits for it.
  std::string line() {
    char buffer[256] = {};
    if (!out_ || !std::fgets(buffer, sizeof buffer, out_)) return {};
    std::string text(buffer);
    if (!text.empty() && text.back() == '\n') text.pop_back();
    return text;
  }

private:
  std::string name_, address_;
  pid_t pid_ = -1;
  int in_ = -1;
  std::FILE* out_ = nullptr;
};

} // namespace tobit::testing
