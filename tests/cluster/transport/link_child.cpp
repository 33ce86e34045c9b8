// One node in a process of its own, for tests that kill or freeze it: link_child NAME INCARNATION HEARTBEAT_MS. It
// prints its address and then what its links tell; standard input: `connect PEER NODE ADDRESS`, `send PEER TEXT`.
#include "cluster/transport/peer_links.hpp"

#include <caf/all.hpp>

#include <cstdio>
#include <iostream>
#include <sstream>

using namespace tobit;

int main(int argc, char** argv) {
  if (argc < 4) return 2;
  cluster::link_options options;
  options.plain = true;
  options.dial_first = std::chrono::milliseconds(5);
  options.dial_most = std::chrono::milliseconds(50);
  options.heartbeat = std::chrono::milliseconds(std::atoi(argv[3]));
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{1});
  cluster::configure_links(config, options);
  caf::actor_system system(config);
  const auto say = [](const char* what, cluster::incarnation_no peer) {
    std::printf("%s %lld\n", what, static_cast<long long>(peer));
    std::fflush(stdout);
  };
  auto links = cluster::open_peer_links(system, options, "c-1", argv[1],
                                        {[&](auto p) { say("linked", p); }, [&](auto p) { say("unlinked", p); },
                                         [&](auto p, std::string) { say("received", p); }, [](const auto&) {}});
  if (!links) return 3;
  cluster::hello self;
  self.incarnation = std::atoll(argv[2]);
  self.protocol_min = self.protocol_max = 1;
  (*links)->greet_as(self);
  std::printf("%s\n", (*links)->address().c_str());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line);) {
    std::istringstream in(line);
    std::string verb, node, rest;
    cluster::incarnation_no peer = 0;
    in >> verb >> peer >> node >> rest;
    if (verb == "connect") (*links)->connect(peer, node, rest);
    if (verb == "send") (*links)->send(peer, node);
  }
  (*links)->stop();
}
