#include "runtime/entity/resident_table.hpp"

#include "runtime/entity/local_messages.hpp"

#include <caf/send.hpp>

namespace tobit::entity {

resident_table::residents::const_iterator resident_table::locate(const entity_ref& ref, std::uint64_t hash) const {
  auto [entry, end] = residents_.equal_range(hash);
  while (entry != end && entry->second->ref != ref) ++entry;
  return entry == end ? residents_.end() : entry;
}

// The caller keeps its own reference to the message: if the actor has just died, CAF drops the message inside this
// lock, and an answer from here could call back into this very table.
resident_table::admitted resident_table::admit(const entity_ref& ref, std::uint64_t hash, const delivery_ptr& message,
                                               bool activate) {
  std::lock_guard lock{guard_};
  if (shut_) return {admission::closed, nullptr};
  auto entry = locate(ref, hash);
  const bool fresh = entry == residents_.end();
  if (fresh && !activate) return {admission::unknown, nullptr};
  if (fresh && residents_.size() >= residents_max_) return {admission::overloaded, nullptr};
  if (fresh) entry = residents_.emplace(hash, std::make_shared<resident>(ref));
  auto& who = *entry->second;
  if (who.figures->unanswered.load(std::memory_order_relaxed) >= mailbox_max_) return {admission::overloaded, nullptr};
  message->accept(who.figures);
  who.figures->last_message_us.store(message->arrived().time_since_epoch().count(), std::memory_order_relaxed);
  if (who.actor)
    caf::anon_send(who.actor, message);
  else
    who.waiting.push_back(message);
  return {fresh ? admission::needs_actor : admission::handed_over, fresh ? entry->second : nullptr};
}

void resident_table::open(resident& who, const caf::actor& actor) {
  std::vector<delivery_ptr> waiting;
  std::lock_guard lock{guard_};
  for (auto& message : who.waiting) caf::anon_send(actor, message);
  waiting.swap(who.waiting);
  who.actor = actor;
}

bool resident_table::close(resident& who, std::optional<steady_time> only_idle_since) {
  std::lock_guard lock{guard_};
  if (!who.actor) return false;
  if (only_idle_since) {
    const auto& seen = *who.figures;
    const auto since = only_idle_since->time_since_epoch().count();
    constexpr auto relaxed = std::memory_order_relaxed;
    if (seen.unanswered.load(relaxed) > 0 || seen.last_message_us.load(relaxed) > since ||
        seen.awake_until_us.load(relaxed) > since)
      return false;
  }
  who.actor = nullptr;
  return true;
}

bool resident_table::gone(resident& who) {
  std::lock_guard lock{guard_};
  who.actor = nullptr;
  if (!who.waiting.empty()) return true;
  if (auto entry = locate(who.ref, stable_hash(who.ref)); entry != residents_.end()) residents_.erase(entry);
  return false;
}

std::vector<delivery_ptr> resident_table::shut() {
  std::lock_guard lock{guard_};
  shut_ = true;
  std::vector<delivery_ptr> waiting;
  for (auto& [ref, who] : residents_) {
    for (auto& message : who->waiting) waiting.push_back(std::move(message));
    who->waiting.clear();
  }
  return waiting;
}

resident_ptr resident_table::find(const entity_ref& ref, std::uint64_t hash) const {
  std::lock_guard lock{guard_};
  auto entry = locate(ref, hash);
  return entry == residents_.end() ? nullptr : entry->second;
}

std::vector<resident_ptr> resident_table::all() const {
  std::lock_guard lock{guard_};
  std::vector<resident_ptr> list;
  list.reserve(residents_.size());
  for (const auto& [ref, who] : residents_) list.push_back(who);
  return list;
}

std::size_t resident_table::size() const {
  std::lock_guard lock{guard_};
  return residents_.size();
}

} // namespace tobit::entity
