#include "actors/rehearsal/world.hpp"

#include "runtime/entity/message_to.hpp"

#include <array>
#include <cstdio>
#include <exception>

namespace tobit::rehearsal {

namespace {

/// The same trace in each rehearsal: nothing of a course may depend on chance.
call_context context_of(const tenant_id& tenant) {
  call_context context;
  context.trace = parse_trace_id("00000000000000000000000000000001").value_or(trace_id{});
  context.span.value = 1;
  context.flags = 0;
  context.who = system_identity(tenant);
  return context;
}

entity::effect_settled settled_by(const result<message>& reply) {
  entity::effect_settled out;
  out.done = reply.has_value();
  if (reply && *reply) out.answer = reply->encode();
  if (!reply) {
    out.error_name = describe(reply.error().code).name;
    out.error = reply.error().text();
  }
  return out;
}

} // namespace

world::world(utc_time start, world_watcher* watcher, const world_limits& limits)
    : now_(start), watcher_(watcher), limits_(limits) {}

world::~world() = default;

// -- who is there ---------------------------------------------------------------------------------------------------

result<entity::compiled_definition> world::define(const entity::entity_kind& kind, const entity_ref& ref,
                                                  const json& body) {
  auto compiled = kind.compile(ref, body, nullptr);
  if (!compiled) return compiled;
  if (auto added = add(kind, ref, 1, compiled->definition); !added) return fail(std::move(added.error()));
  return compiled;
}

result<void> world::add(const entity::entity_kind& kind, const entity_ref& ref, std::int64_t version,
                        const json& definition) {
  if (has(ref)) return fail(error_code::conflict, to_string(ref) + " is there already.");
  if (residents_.size() >= limits_.entities_max)
    return fail(error_code::unprocessable,
                "A rehearsal holds at most " + std::to_string(limits_.entities_max) + " entities.");
  auto logic = kind.instantiate(ref, version, definition);
  if (!logic) return fail(std::move(logic.error()));
  auto who = std::make_unique<resident>();
  who->ref = ref;
  who->logic = std::move(*logic);
  if (auto empty = who->logic->restore({}); !empty) return empty;
  const auto place = residents_.size();
  places_.emplace(ref, place);
  residents_.push_back(std::move(who));
  note_wake(*residents_.back(), place);
  return {};
}

const entity::entity_logic* world::find(const entity_ref& ref) const {
  const auto place = places_.find(ref);
  return place == places_.end() ? nullptr : residents_[place->second]->logic.get();
}

// -- messages -------------------------------------------------------------------------------------------------------

result<message> world::deliver(const entity_ref& to, const message& request) {
  if (broken_) return fail(*broken_);
  const auto place = places_.find(to);
  if (place == places_.end()) return fail(error_code::not_found, to.kind + " " + to.key + " is not known.");
  auto answer = handle(*residents_[place->second], request);
  if (auto done = drain(); !done) return fail(std::move(done.error()));
  return answer;
}

result<message> world::handle(resident& who, const message& request) {
  if (auto counted = count_step(); !counted) return fail(std::move(counted.error()));
  if (who.failed) return fail(error_code::quarantined, who.ref.kind + " " + who.ref.key + " failed before.");
  const auto place = places_.at(who.ref);
  auto context = contexts_.find(who.ref.tenant);
  if (context == contexts_.end()) context = contexts_.emplace(who.ref.tenant, context_of(who.ref.tenant)).first;
  const auto id = next_decision_id();
  const entity::moment at{now_, context->second, id};
  result<entity::decision> wanted = fail(error_code::internal_server_error);
  try {
    wanted = who.logic->decide(request, at);
    if (wanted)
      for (const auto& event : wanted->events) who.logic->apply(event);
  } catch (const std::exception& e) {
    who.failed = true;
    wanted = fail(error_code::internal_server_error, who.ref.kind + " " + who.ref.key + " failed: " + e.what());
  }
  note_wake(who, place);
  if (!wanted) {
    if (watcher_) watcher_->refused(who.ref, request, wanted.error(), now_);
    return fail(std::move(wanted.error()));
  }
  if (watcher_) watcher_->decided(who.ref, request, *wanted, now_);
  if (!wanted->effects.empty()) follow(place, std::move(wanted->effects), id);
  return std::move(wanted->reply);
}

void world::follow(std::size_t from, std::vector<entity::effect> effects, const std::string& decision_id) {
  std::size_t number = 0;
  for (auto& what : effects) {
    auto effect_id = decision_id + '-' + std::to_string(number++);
    if (what.type == entity::message_effect::effect_type) {
      post(from, what, std::move(effect_id));
      continue;
    }
    auto& who = *residents_[from];
    entity::effect_settled end;
    end.done = true;
    if (watcher_) end = watcher_->settle({who.ref, effect_id, what, now_});
    if (!what.report) continue;
    end.effect_id = std::move(effect_id);
    end.type = what.type;
    end.correlation = what.correlation;
    letters_.push_back({from, who.ref, message::of(std::move(end)), false, {}, {}, {}});
  }
}

void world::post(std::size_t from, const entity::effect& what, std::string effect_id) {
  letter out{from, {}, {}, what.report, std::move(effect_id), what.type, what.correlation};
  try {
    auto wish = entity::wish_of(what);
    out.to = {std::move(wish.to_kind), residents_[from]->ref.tenant, std::move(wish.to_key)};
    // Through JSON, as live: what a message cannot carry there must not arrive here.
    if (auto said = decode_message(wish.name, wish.body)) out.request = std::move(*said);
  } catch (const json::exception&) {
    // An effect that is no message reaches nobody; `drain` says so to whoever wants to know.
  }
  letters_.push_back(std::move(out));
}

result<void> world::drain() {
  while (!letters_.empty()) {
    if (broken_) return fail(*broken_);
    auto next = std::move(letters_.front());
    letters_.pop_front();
    result<message> answer = fail(error_code::not_found, next.to.kind + " " + next.to.key + " is not known.");
    if (const auto place = places_.find(next.to); place != places_.end())
      answer = next.request ? handle(*residents_[place->second], next.request)
                            : fail(error_code::validation_error, "The effect says no message to an entity.");
    else if (watcher_)
      watcher_->refused(next.to, next.request, answer.error(), now_);
    if (!next.report) continue;
    auto end = settled_by(answer);
    end.effect_id = std::move(next.effect_id);
    end.type = std::move(next.type);
    end.correlation = std::move(next.correlation);
    letters_.push_back({next.from, residents_[next.from]->ref, message::of(std::move(end)), false, {}, {}, {}});
  }
  if (broken_) return fail(*broken_);
  return {};
}

result<void> world::count_step() {
  if (broken_) return fail(*broken_);
  if (moment_of_steps_ != now_) {
    moment_of_steps_ = now_;
    steps_of_moment_ = 0;
  }
  if (++steps_ > limits_.steps_max)
    broken_ = error{error_code::unprocessable,
                    "The rehearsal took more than " + std::to_string(limits_.steps_max) + " steps; try a shorter one."};
  else if (++steps_of_moment_ > limits_.steps_of_moment_max)
    broken_ = error{error_code::unprocessable, "At " + to_rfc3339(now_) + " entities wake each other without end."};
  if (broken_) return fail(*broken_);
  return {};
}

// -- time -----------------------------------------------------------------------------------------------------------

result<void> world::advance_to(utc_time time) {
  if (broken_) return fail(*broken_);
  while (!wakes_.empty() && wakes_.begin()->first <= time) {
    const auto [due, place] = *wakes_.begin();
    now_ = std::max(now_, due);
    auto& who = *residents_[place];
    // A wake is taken out before it is told, so that an entity that keeps asking for the same moment counts as asking
    // anew.
    wakes_.erase(wakes_.begin());
    who.wake.reset();
    static_cast<void>(handle(who, message::of(entity::wake_entity{})));
    if (auto done = drain(); !done) return done;
  }
  now_ = std::max(now_, time);
  return {};
}

std::optional<utc_time> world::next_wake() const {
  if (wakes_.empty()) return std::nullopt;
  return wakes_.begin()->first;
}

void world::note_wake(resident& who, std::size_t place) {
  const auto wanted = who.failed ? std::nullopt : who.logic->wake_at();
  if (wanted == who.wake) return;
  if (who.wake) wakes_.erase({*who.wake, place});
  who.wake = wanted;
  if (wanted) wakes_.emplace(*wanted, place);
}

/// UUIDs of version 7 in form: the ids of a course are the same each time.
std::string world::next_decision_id() {
  std::array<char, 40> text{};
  const auto number = ++decisions_;
  std::snprintf(text.data(), text.size(), "00000000-0000-7000-8000-%012llx", static_cast<unsigned long long>(number));
  return text.data();
}

} // namespace tobit::rehearsal
