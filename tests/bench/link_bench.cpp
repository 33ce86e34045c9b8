// Frames between two processes on loopback, plain and with TLS: round trips one at a time, one-way streams with the
// bound of the queue as the only brake, and how long a kill of the other process goes unnoticed.
#include "cluster/transport/certificates.hpp"
#include "cluster/transport/peer_links.hpp"

#include <caf/all.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace tobit;
using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

double seconds_since(clock_type::time_point t) { return std::chrono::duration<double>(clock_type::now() - t).count(); }

/// One end: an actor system, links, and what was counted.
struct end {
  explicit end(const cluster::link_options& options, const std::string& name, cluster::incarnation_no self, bool echo)
      : config(options), system(config) {
    cluster::link_events events;
    events.linked = [this](auto) { note([this] { ++linked; }); };
    events.unlinked = [this](auto) { note([this] { ++unlinked; }); };
    events.refused = [](const cluster::link_refusal& r) { std::fprintf(stderr, "%s\n", r.sentence.c_str()); };
    events.received = [this, echo](cluster::incarnation_no from, std::string frame) {
      if (echo && frame.front() == 'e')
        links->send(from, std::move(frame));
      else if (echo && frame.front() == 'c') // tell when the stream is through
        links->send(from, "counted");
      else if (!echo)
        note([this] { ++received; });
    };
    auto opened = cluster::open_peer_links(system, options, "bench", name, std::move(events));
    if (!opened) {
      std::fprintf(stderr, "%s\n", opened.error().message.c_str());
      std::_Exit(1);
    }
    links = std::move(*opened);
    cluster::hello hello;
    hello.incarnation = self;
    hello.protocol_min = hello.protocol_max = 1;
    links->greet_as(hello);
  }
  ~end() { links->stop(); }

  template <class Change>
  void note(Change change) {
    const std::lock_guard lock(mutex);
    change();
    changed.notify_all();
  }
  bool wait(const std::size_t& counter, std::size_t least) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, 60s, [&] { return counter >= least; });
  }

  struct settings : caf::actor_system_config {
    explicit settings(const cluster::link_options& options) {
      set("scheduler.policy", caf::atom("sharing")); // as the program's actor systems
      set("scheduler.max-throughput", std::size_t{300});
      set("scheduler.max-threads", std::size_t{2});
      cluster::configure_links(*this, options);
    }
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t linked = 0, unlinked = 0, received = 0;
  settings config;
  caf::actor_system system;
  std::unique_ptr<cluster::peer_links> links;
};

cluster::link_options options_for(bool plain, const std::filesystem::path& folder, const std::string& node) {
  cluster::link_options options;
  options.plain = plain;
  options.authority_file = folder / "authority.pem";
  options.certificate_file = folder / (node + ".pem");
  options.key_file = folder / (node + ".key");
  return options;
}

/// The other process: echoes until it is killed. Gets our address on its standard input, tells its own.
int serve(bool plain, const std::filesystem::path& folder) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  end other(options_for(plain, folder, "b"), "b", 1, true);
  std::printf("%s\n", other.links->address().c_str());
  std::fflush(stdout);
  char address[128] = {};
  if (!std::fgets(address, sizeof address, stdin)) return 1;
  std::string text(address);
  text.pop_back();
  other.links->connect(2, "a", text);
  for (;;) std::this_thread::sleep_for(1h); // killed
}

struct child {
  pid_t pid = -1;
  std::FILE *in = nullptr, *out = nullptr;
};

child start(const char* self, bool plain, const std::string& folder) {
  int in[2], out[2];
  child c;
  if (::pipe(in) != 0 || ::pipe(out) != 0) return c;
  c.pid = ::fork();
  if (c.pid == 0) {
    ::dup2(in[0], 0);
    ::dup2(out[1], 1);
    for (const int fd : {in[0], in[1], out[0], out[1]}) ::close(fd);
    ::execl(self, self, plain ? "plain" : "tls", folder.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }
  ::close(in[0]);
  ::close(out[1]);
  c.in = ::fdopen(in[1], "w");
  c.out = ::fdopen(out[0], "r");
  return c;
}

void round_trips(end& here, const std::string& kind, std::size_t bytes) {
  std::vector<double> taken;
  const std::string frame(bytes, 'e');
  for (int i = 0; i < 6'000; ++i) {
    const auto begun = clock_type::now();
    const auto before = here.received;
    if (!here.links->send(1, frame) || !here.wait(here.received, before + 1)) return;
    if (i >= 1'000) taken.push_back(seconds_since(begun) * 1e6);
  }
  std::sort(taken.begin(), taken.end());
  const auto name = "link " + kind + ", round trip of " + std::to_string(bytes) + " bytes";
  std::printf("bench %s, p50 %.1f us\n", name.c_str(), taken[taken.size() / 2]);
  std::printf("bench %s, p99 %.1f us\n", name.c_str(), taken[taken.size() * 99 / 100]);
}

void stream(end& here, const std::string& kind, std::size_t bytes, int count) {
  const auto before = here.received;
  const auto begun = clock_type::now();
  for (int i = 0; i <= count; ++i)
    while (!here.links->send(1, std::string(bytes, i == count ? 'c' : 'x'))) std::this_thread::sleep_for(100us);
  if (!here.wait(here.received, before + 1)) return;
  const auto taken = seconds_since(begun);
  const auto name = "link " + kind + ", one way, " + std::to_string(bytes) + " bytes";
  std::printf("bench %s %.0f frames/s\n", name.c_str(), count / taken);
  if (bytes >= 1'000)
    std::printf("bench %s, volume %.0f MB/s\n", name.c_str(), count * static_cast<double>(bytes) / taken / 1e6);
}

void measure(const char* self, bool plain, const std::string& folder) {
  const std::string kind = plain ? "plain" : "TLS";
  end here(options_for(plain, folder, "a"), "a", 2, false);
  std::vector<double> joined, noticed;
  for (std::size_t round = 0; round < 10; ++round) {
    auto other = start(self, plain, folder);
    char line[128] = {};
    if (!other.out || !std::fgets(line, sizeof line, other.out)) return;
    std::string address(line);
    address.pop_back();
    std::fprintf(other.in, "%s\n", here.links->address().c_str());
    std::fflush(other.in);
    auto begun = clock_type::now();
    here.links->connect(1, "b", address);
    if (!here.wait(here.linked, round + 1)) return;
    joined.push_back(seconds_since(begun) * 1e3);
    if (round == 0) {
      round_trips(here, kind, 100);
      round_trips(here, kind, 10'000);
      stream(here, kind, 100, 300'000);
      stream(here, kind, 1'000, 300'000);
      stream(here, kind, 100'000, 5'000);
    }
    begun = clock_type::now();
    const auto before = here.unlinked;
    ::kill(other.pid, SIGKILL);
    if (!here.wait(here.unlinked, before + 1)) return;
    noticed.push_back(seconds_since(begun) * 1e3);
    here.links->disconnect(1);
    ::waitpid(other.pid, nullptr, 0);
    std::fclose(other.in);
    std::fclose(other.out);
  }
  std::sort(joined.begin(), joined.end());
  std::sort(noticed.begin(), noticed.end());
  std::printf("bench link %s, from wish to link, median %.2f ms\n", kind.c_str(), joined[joined.size() / 2]);
  std::printf("bench link %s, kill noticed, median %.2f ms\n", kind.c_str(), noticed[noticed.size() / 2]);
  std::printf("bench link %s, kill noticed, longest %.2f ms less 5\n", kind.c_str(), noticed.back());
}

void write(const std::filesystem::path& file, const std::string& text) { std::ofstream(file) << text; }

} // namespace

int main(int argc, char** argv) {
  if (argc == 3) return serve(std::string(argv[1]) == "plain", argv[2]);
  auto name = (std::filesystem::temp_directory_path() / "tobit-bench-XXXXXX").string();
  const std::filesystem::path folder = ::mkdtemp(name.data());
  const auto authority = *cluster::make_authority("bench", std::chrono::hours(1));
  write(folder / "authority.pem", authority.certificate_pem);
  for (const std::string node : {"a", "b"}) {
    const auto pair = *cluster::issue_certificate(authority, "bench", node, std::chrono::hours(1));
    write(folder / (node + ".pem"), pair.certificate_pem);
    write(folder / (node + ".key"), pair.key_pem);
  }
  measure("/proc/self/exe", true, folder);
  measure("/proc/self/exe", false, folder);
  std::filesystem::remove_all(folder);
}
