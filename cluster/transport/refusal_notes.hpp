#pragma once

#include "cluster/transport/peer_links.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>

namespace tobit::cluster {

/// Keeps whoever knocks without end from filling the log: the same refusal (host, node, reason) is told once in
/// `pause`, and then with how many were not told.
class refusal_notes {
public:
  static constexpr std::chrono::seconds pause{10};
  static constexpr std::size_t remembered_max = 256;

  /// What to tell now; nothing: the same was told recently. `host` is the refusal's address without the port.
  std::optional<link_refusal> take(link_refusal refusal, const std::string& host, steady_time now);

private:
  struct note {
    steady_time told{};
    std::uint64_t untold = 0;
  };
  std::map<std::tuple<std::string, std::string, std::string>, note> notes_;
};

} // namespace tobit::cluster
