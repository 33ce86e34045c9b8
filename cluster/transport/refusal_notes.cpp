#include "cluster/transport/refusal_notes.hpp"

#include <utility>

namespace tobit::cluster {

std::optional<link_refusal> refusal_notes::take(link_refusal refusal, const std::string& host, steady_time now) {
  auto key = std::make_tuple(host, refusal.node, refusal.reason);
  auto found = notes_.find(key);
  if (found == notes_.end()) {
    std::erase_if(notes_, [&](const auto& n) { return n.second.told + pause <= now && n.second.untold == 0; });
    if (notes_.size() >= remembered_max) // thousands of hosts at once: their names are not worth more memory
      key = std::make_tuple(std::string("*"), std::string{}, refusal.reason);
    found = notes_.try_emplace(std::move(key)).first;
  } else if (now < found->second.told + pause) {
    ++found->second.untold;
    return std::nullopt;
  }
  auto& seen = found->second;
  if (seen.told != steady_time{} && now < seen.told + pause) { // the shared note of many hosts
    ++seen.untold;
    return std::nullopt;
  }
  if (seen.untold > 0) refusal.sentence += " (" + std::to_string(seen.untold) + " more like this were not told.)";
  seen = {now, 0};
  return refusal;
}

} // namespace tobit::cluster
