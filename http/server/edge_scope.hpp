#pragma once

#include "http/server/server.hpp"
#include "http/server/task_queue.hpp"
#include "http/server/tls.hpp"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace tobit::http::edge {

/// Who may connect: a limit for all and one for each address. Thread-safe.
class admission {
public:
  admission(std::size_t all_max, std::size_t per_address_max) : all_max_(all_max), per_address_max_(per_address_max) {}
  bool enter(const std::string& address);
  void leave(const std::string& address);

private:
  const std::size_t all_max_, per_address_max_;
  std::mutex mutex_;
  std::size_t all_ = 0;
  std::unordered_map<std::string, std::size_t> by_address_;
};

struct counters {
  std::atomic<std::size_t> connections{0}, streams{0}, body_bytes{0};
  std::atomic<std::uint64_t> accepted{0}, requests{0}, refused{0};
};

/// What all reactors of one server share.
struct edge_scope {
  edge_scope(const server_options& wanted, request_handler& user)
      : options(wanted), handler(user), doors(wanted.connections_max, wanted.connections_per_address_max) {}

  const server_options options;
  request_handler& handler;
  std::shared_ptr<task_queue> tasks = std::make_shared<task_queue>();
  std::shared_ptr<tls_context> tls; ///< null: plain
  admission doors;
  counters figures;
  std::atomic<bool> stopping{false};

  /// The handler's answer to a refusal, or a plain one if the handler throws. Counts it.
  response refusal(const error& why);
};

} // namespace tobit::http::edge
