#include "runtime/stream/event_bus.hpp"

#include "runtime/stream/topic.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <utility>
#include <vector>

namespace tobit::stream {

namespace {

class local_event_bus final : public event_bus {
public:
  explicit local_event_bus(const event_bus_options& options)
      : options_(options), next_first_id_(std::max<std::uint64_t>(1, options.first_id)) {}

  void publish(const tenant_id& tenant, const std::string& name, const std::string& event, const json& body) override {
    const auto data = std::make_shared<const std::string>(to_text(body));
    while (const auto target = find(tenant, name, need::if_there_is_place))
      if (target->publish(event, data)) return;
  }

  std::shared_ptr<void> subscribe(const tenant_id& tenant, const std::string& name, std::uint64_t after_id,
                                  watcher watch) override {
    while (true)
      if (auto handle = find(tenant, name, need::always)->subscribe(after_id, watch)) return handle;
  }

private:
  using topic_key = std::pair<std::string, std::string>;
  enum class need { if_there_is_place, always };

  std::shared_ptr<topic> find(const tenant_id& tenant, const std::string& name, need how) {
    std::lock_guard lock{guard_};
    const topic_key key{tenant.value, name};
    auto found = topics_.find(key);
    if (found == topics_.end()) {
      if (topics_.size() >= options_.topics_max && !forget_oldest() && how != need::always) return nullptr;
      found = topics_.emplace(key, std::make_shared<topic>(options_, next_first_id_)).first;
    }
    found->second->used_at = ++uses_;
    return found->second;
  }

  bool forget_oldest() {
    std::vector<std::map<topic_key, std::shared_ptr<topic>>::iterator> by_age;
    by_age.reserve(topics_.size());
    for (auto i = topics_.begin(); i != topics_.end(); ++i) by_age.push_back(i);
    std::sort(by_age.begin(), by_age.end(),
              [](const auto& a, const auto& b) { return a->second->used_at < b->second->used_at; });
    for (const auto& candidate : by_age) {
      // Only tried: its lock may be held by a delivery whose watcher waits for ours.
      if (!candidate->second->try_retire()) continue;
      next_first_id_ = std::max(next_first_id_, candidate->second->next_id());
      topics_.erase(candidate);
      return true;
    }
    return false;
  }

  const event_bus_options options_;
  std::mutex guard_;
  std::map<topic_key, std::shared_ptr<topic>> topics_;
  std::uint64_t uses_ = 0;
  std::uint64_t next_first_id_; ///< above every id that a forgotten topic gave out
};

} // namespace

std::unique_ptr<event_bus> make_event_bus(const event_bus_options& options) {
  return std::make_unique<local_event_bus>(options);
}

std::unique_ptr<event_bus> make_event_bus(std::size_t replay_max) {
  event_bus_options options;
  options.replay_max = replay_max;
  return make_event_bus(options);
}

} // namespace tobit::stream
