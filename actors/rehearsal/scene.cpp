#include "actors/rehearsal/scene.hpp"

#include "actors/rule/make_evaluator.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <algorithm>

namespace tobit::rehearsal {

namespace {

bool any_fits(const std::vector<std::string>& globs, std::string_view text) noexcept {
  return globs.empty() ||
         std::any_of(globs.begin(), globs.end(), [&](const auto& glob) { return entity::glob_matches(glob, text); });
}

} // namespace

bool lets_through(const entity::event_interest& wanted, std::string_view type, std::string_view source) noexcept {
  return any_fits(wanted.types, type) && any_fits(wanted.sources, source);
}

result<void> scene::add_rule(const std::string& key, const json& body) {
  const auto* kind = kinds_.find(rule::kind_name);
  if (!kind) return fail(error_code::not_implemented);
  auto wanted = body;
  // Whoever rehearses a rule that is switched off wants to know what it would do.
  if (wanted.is_object()) wanted["is_active"] = true;
  const auto to = ref(rule::kind_name, key);
  auto compiled = world_.define(*kind, to, wanted);
  if (!compiled) return fail(std::move(compiled.error()));
  note_rule(to, compiled->name, compiled->definition, compiled->interests);
  return {};
}

result<void> scene::add_stored_rule(const std::string& key, std::int64_t version, json definition) {
  const auto* kind = kinds_.find(rule::kind_name);
  if (!kind) return fail(error_code::not_implemented);
  const auto to = ref(rule::kind_name, key);
  definition["is_active"] = true;
  // What is stored was compiled before; compiling it again gives the interests.
  auto compiled = kind->compile(to, definition, nullptr);
  if (!compiled) return fail(std::move(compiled.error()));
  if (auto added = world_.add(*kind, to, version, compiled->definition); !added) return added;
  note_rule(to, compiled->name, compiled->definition, compiled->interests);
  return {};
}

result<void> scene::add(std::string_view kind_name, const std::string& key, const json& body) {
  const auto* kind = kinds_.find(kind_name);
  if (!kind)
    return fail(error_code::not_implemented, "This program knows nothing of the kind " + std::string(kind_name) + ".");
  if (auto done = world_.define(*kind, ref(kind_name, key), body); !done) return fail(std::move(done.error()));
  return {};
}

void scene::note_rule(const entity_ref& ref, std::string name, const json& definition,
                      const std::vector<entity::interest>& interests) {
  actor_rule out{ref, std::move(name), definition, {}, rule::has_alerts(definition)};
  for (const auto& one : interests)
    if (one.source == "event") out.events = one.spec.get<entity::event_interest>();
  rules_.push_back(std::move(out));
}

const actor_rule* scene::find_rule(std::string_view name_or_id) const {
  if (name_or_id.empty()) return rules_.size() == 1 ? &rules_.front() : nullptr;
  const actor_rule* found = nullptr;
  for (const auto& one : rules_) {
    if (one.ref.key == name_or_id) return &one;
    if (one.name != name_or_id) continue;
    if (found) return nullptr;
    found = &one;
  }
  return found;
}

result<void> scene::push(const std::vector<std::shared_ptr<const event::event>>& events) {
  const auto first = next_offset_;
  next_offset_ += events.size();
  for (const auto& one : rules_) {
    if (!one.events) continue;
    rule::evaluate_events batch;
    for (std::size_t i = 0; i < events.size(); ++i)
      if (lets_through(*one.events, events[i]->type, events[i]->source)) batch.events.push_back({first + i, events[i]});
    if (batch.events.empty()) continue;
    auto answer = world_.deliver(one.ref, message::of(std::move(batch)));
    if (!answer) return fail(std::move(answer.error()));
  }
  return {};
}

} // namespace tobit::rehearsal
