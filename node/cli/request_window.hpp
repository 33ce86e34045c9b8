#pragma once

#include "node/cli/node_client.hpp"

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace tobit::cli {

/// One request of many.
struct planned_request {
  std::string method, path, body;
  std::string content_type = "application/json";
};

/// Keeps a bounded number of requests under way at one node and repeats those that the node put off (429, 503), with
/// growing pauses. Used by one thread.
class request_window {
public:
  struct finished {
    std::size_t id = 0;
    outcome<node_answer> answer;
  };

  request_window(node_client& node, std::size_t in_flight_max);
  ~request_window();

  /// Whether another one may be started.
  bool room() const noexcept { return under_way() < in_flight_max_; }
  std::size_t under_way() const noexcept { return requests_.size(); }
  /// Precondition: `room()`, and `id` is not under way.
  void start(std::size_t id, planned_request request);
  /// Waits until one is finished, at most `patience`; nothing if none was, or none is under way.
  std::optional<finished> next(std::chrono::milliseconds patience = std::chrono::milliseconds{100});

private:
  /// Attempts at one request; with pauses of 0.2 s to 6.4 s that is about 13 s of a node that is too busy.
  static constexpr int attempts_max = 7;
  using moment = std::chrono::steady_clock::time_point;
  struct pending {
    planned_request request;
    int attempts = 0;
    std::optional<moment> again_at; ///< set while it pauses
  };
  struct inbox;

  void send(std::size_t id, pending& one);
  void send_due(moment now);

  node_client& node_;
  const std::size_t in_flight_max_;
  std::map<std::size_t, pending> requests_;
  std::shared_ptr<inbox> inbox_; ///< shared with callbacks that may come late
};

} // namespace tobit::cli
