#include "node/cli/surroundings.hpp"

#include "config/load.hpp"

#include <cstdio>
#include <iostream>
#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

namespace tobit::cli {

namespace {

std::size_t terminal_columns() noexcept {
  winsize size{};
  if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40) return 100;
  return size.ws_col;
}

/// Turns the echo of the terminal off as long as it lives.
class silent_terminal {
public:
  silent_terminal() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    auto silent = before_;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0;
  }
  ~silent_terminal() {
    if (changed_) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
  }
  silent_terminal(const silent_terminal&) = delete;
  silent_terminal& operator=(const silent_terminal&) = delete;

private:
  termios before_{};
  bool changed_ = false;
};

bool standard_input_pauses() {
  if (std::cin.rdbuf()->in_avail() > 0) return false;
  pollfd in{STDIN_FILENO, POLLIN, 0};
  return poll(&in, 1, 0) == 0;
}

std::optional<std::string> read_password(std::string_view prompt) {
  if (isatty(STDIN_FILENO) == 0) return std::nullopt;
  std::cerr << prompt << std::flush;
  std::string line;
  {
    const silent_terminal quiet;
    std::getline(std::cin, line);
  }
  std::cerr << '\n';
  return line;
}

} // namespace

std::string surroundings::variable(std::string_view name) const {
  for (const auto& [known, value] : environment)
    if (known == name) return value;
  return {};
}

surroundings process_surroundings(std::function<int(const config::settings&)> serve) {
  std::ios::sync_with_stdio(false); // else the streams read and write single characters
  surroundings around;
  around.in = &std::cin;
  around.out = &std::cout;
  around.err = &std::cerr;
  around.in_is_terminal = isatty(STDIN_FILENO) != 0;
  around.out_is_terminal = isatty(STDOUT_FILENO) != 0;
  around.err_is_terminal = isatty(STDERR_FILENO) != 0;
  around.columns = terminal_columns();
  around.environment = config::process_environment();
  around.input_pauses = standard_input_pauses;
  around.serve = std::move(serve);
  around.make_client = outbound::make_http_client;
  around.ask_password = read_password;
  return around;
}

} // namespace tobit::cli
