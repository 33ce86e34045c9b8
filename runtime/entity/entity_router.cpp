#include "runtime/entity/entity_router.hpp"

#include "runtime/entity/local_messages.hpp"
#include "runtime/entity/shard_host.hpp"
#include "runtime/entity/unit_parts.hpp"

#include <algorithm>

namespace tobit::entity {

namespace {

bool printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) >= 0x20 && c != 0x7F; });
}

} // namespace

entity_router::entity_router(parts p)
    : parts_(std::move(p))
    , count_(parts_.places->shard_count())
    , shards_(parts_.places->shard_count())
    , left_(parts_.places->shard_count()) {}

void entity_router::put(std::unique_ptr<const local_shard> shard) {
  std::lock_guard lock{guard_};
  shards_[shard->right.shard].store(shard.get(), std::memory_order_release);
  all_.push_back(std::move(shard));
}

const local_shard* entity_router::take(shard_id id) {
  const auto* shard = shards_[id].exchange(nullptr, std::memory_order_acq_rel);
  if (shard) left_[id].store(shard, std::memory_order_release);
  return shard;
}

std::optional<fence> entity_router::right_to_settle(const entity_ref& ref) const {
  const auto id = shard_of(stable_hash(ref));
  const auto* shard = find(id);
  if (!shard) shard = left_[id].load(std::memory_order_acquire);
  return shard ? std::optional(shard->right) : std::nullopt;
}

std::optional<fence> entity_router::right_of(const entity_ref& ref) const {
  const auto* shard = find(shard_of(stable_hash(ref)));
  return shard && parts_.places->may_act() ? std::optional(shard->right) : std::nullopt;
}

void entity_router::ask(entity_ref ref, call_context context, message request, reply_handler reply) {
  const auto hash = stable_hash(ref);
  const auto id = shard_of(hash);
  const auto* shard = find(id);
  const bool here = shard && parts_.places->may_act();
  const bool elsewhere = parts_.remote && !closed_;
  if (!here && !elsewhere) return reply(fail(error_code::unavailable));
  if (!elsewhere)
    return deliver(
        *shard, ref, hash,
        std::make_shared<delivery>(context.child(), std::move(request), std::move(reply), parts_.time->steady_now()));
  if (!here) {
    if (auto valid = check(ref); !valid) return reply(fail(valid.error()));
    return parts_.remote->forward(id, std::move(ref), std::move(context), std::move(request), std::move(reply));
  }
  auto or_elsewhere = [self = shared_from_this(), id, ref, context, request,
                       reply = std::move(reply)](result<message> answer) mutable {
    if (answer || answer.error().code != error_code::fenced || self->closed_) return reply(std::move(answer));
    self->parts_.remote->forward(id, std::move(ref), std::move(context), std::move(request), std::move(reply));
  };
  deliver(*shard, ref, hash,
          std::make_shared<delivery>(context.child(), std::move(request), std::move(or_elsewhere),
                                     parts_.time->steady_now()));
}

void entity_router::ask_here(entity_ref ref, call_context context, message request, reply_handler reply) {
  const auto hash = stable_hash(ref);
  const auto* shard = find(shard_of(hash));
  if (!shard || !parts_.places->may_act()) return reply(fail(error_code::fenced));
  deliver(*shard, ref, hash,
          std::make_shared<delivery>(context.child(), std::move(request), std::move(reply), parts_.time->steady_now()));
}

void entity_router::deliver(const local_shard& shard, const entity_ref& ref, std::uint64_t hash,
                            const delivery_ptr& asked) {
  // Whoever is in memory has a good name; only for others it must be looked at.
  auto taken = shard.table->admit(ref, hash, asked, false);
  using admission = resident_table::admission;
  if (taken.how == admission::unknown) {
    if (auto valid = check(ref); !valid) return asked->answer(fail(valid.error()));
    taken = shard.table->admit(ref, hash, asked, true);
  }
  switch (taken.how) {
  case admission::handed_over:
    return;
  case admission::needs_actor:
    caf::anon_send(shard.host, job<shard_host>{[who = std::move(taken.who)](shard_host& host) { host.wake(who); }});
    return;
  case admission::overloaded:
    return asked->answer(fail(error_code::overloaded, ref.kind + " " + ref.key + " has too much waiting; try again."));
  case admission::unknown:
  case admission::closed:
    return asked->answer(fail(parts_.remote ? error_code::fenced : error_code::unavailable));
  }
}

std::optional<residency> entity_router::resident(const entity_ref& ref) const {
  const auto hash = stable_hash(ref);
  const auto* shard = find(shard_of(hash));
  auto who = shard ? shard->table->find(ref, hash) : nullptr;
  if (!who) return std::nullopt;
  const auto& f = *who->figures;
  return residency{f.status.load(), f.unanswered, f.handled, f.failed, f.time_total_us, f.time_longest_us};
}

std::vector<entity_ref> entity_router::residents() const {
  std::vector<entity_ref> all;
  for (shard_id id = 0; id < count_; ++id)
    if (const auto* shard = find(id))
      for (const auto& who : shard->table->all()) all.push_back(who->ref);
  return all;
}

result<void> entity_router::check(const entity_ref& ref) const {
  if (!parts_.kinds->find(ref.kind))
    return fail(error_code::not_found, "There is no kind '" + storable(ref.kind, 50) + "'.");
  if (ref.tenant.empty() || ref.tenant.value.size() > tenant_length_max || !printable(ref.tenant.value))
    return fail(error_code::validation_error, "The tenant's name is malformed.");
  if (ref.key.empty() || ref.key.size() > entity_key_length_max || !printable(ref.key))
    return fail(error_code::validation_error, "A key has 1 to 200 bytes without control characters.");
  return {};
}

} // namespace tobit::entity
