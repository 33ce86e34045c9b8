#include "runtime/entity/effect_turns.hpp"

#include <utility>

namespace tobit::entity {

void effect_turns::give_turn(const entity_ref& source, line& of) {
  if (of.has_turn || of.waiting.empty() || of.running >= running_max_) return;
  of.has_turn = true;
  turns_.push_back(source);
}

void effect_turns::wait(const entity_ref& source, std::string id) {
  auto& of = lines_[source];
  of.waiting.push_back(std::move(id));
  give_turn(source, of);
}

std::optional<std::string> effect_turns::next() {
  if (turns_.empty()) return std::nullopt;
  auto source = std::move(turns_.front());
  turns_.pop_front();
  auto& of = lines_[source];
  of.has_turn = false;
  auto id = std::move(of.waiting.front());
  of.waiting.pop_front();
  ++of.running;
  give_turn(source, of);
  return id;
}

void effect_turns::ended(const entity_ref& source) {
  auto entry = lines_.find(source);
  if (entry == lines_.end()) return;
  --entry->second.running;
  give_turn(source, entry->second);
  if (entry->second.running == 0 && entry->second.waiting.empty()) lines_.erase(entry);
}

} // namespace tobit::entity
