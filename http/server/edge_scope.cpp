#include "http/server/edge_scope.hpp"

#include <spdlog/spdlog.h>

namespace tobit::http::edge {

bool admission::enter(const std::string& address) {
  const std::lock_guard lock{mutex_};
  if (all_ >= all_max_) return false;
  auto& count = by_address_[address];
  if (count >= per_address_max_) {
    if (count == 0) by_address_.erase(address);
    return false;
  }
  ++count;
  ++all_;
  return true;
}

void admission::leave(const std::string& address) {
  const std::lock_guard lock{mutex_};
  const auto found = by_address_.find(address);
  if (found == by_address_.end()) return;
  --all_;
  if (--found->second == 0) by_address_.erase(found);
}

response edge_scope::refusal(const error& why) {
  figures.refused.fetch_add(1, std::memory_order_relaxed);
  try {
    return handler.refuse(why);
  } catch (...) {
    spdlog::error("http.refusal_threw the answer to a refused request could not be made");
  }
  return {describe(why.code).http_status, {}, "text/plain; charset=utf-8", std::string{describe(why.code).sentence}};
}

} // namespace tobit::http::edge
