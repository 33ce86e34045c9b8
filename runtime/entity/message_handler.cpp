#include "runtime/entity/message_handler.hpp"

#include "schemas/entity/entity_protocol.hpp"

namespace tobit::entity {

namespace {

constexpr std::chrono::seconds patience{30};

result<message> said_by(const message_effect& wish) {
  auto said = decode_message(wish.name, wish.body);
  if (!said)
    return fail(said.error().code, "The message to " + wish.to_kind + " cannot be read: " + said.error().message);
  return said;
}

} // namespace

effect_outcome outcome_of(const result<message>& reply) {
  effect_outcome outcome;
  if (reply) {
    if (!*reply) return outcome;
    outcome.answer = reply->encode();
    if (to_text(outcome.answer).size() > answer_kept_max) outcome.answer = {{"truncated", true}};
    return outcome;
  }
  const auto code = reply.error().code;
  const bool later = describe(code).retryable || code == error_code::storage_full;
  outcome.status = later ? effect_outcome::status::retry : effect_outcome::status::failed;
  outcome.error = reply.error().text();
  outcome.code = code;
  return outcome;
}

std::string_view message_handler::type() const noexcept { return message_effect::effect_type; }

void message_handler::attempt(const outgoing_effect& effect, std::function<void(effect_outcome)> done) {
  const auto ask = [&](entity_ref to, message said) {
    entities_->ask(std::move(to), effect.context.with_deadline(time_.steady_now() + patience), std::move(said),
                   [done = std::move(done)](const result<message>& reply) { done(outcome_of(reply)); });
  };
  if (effect.said) return ask({effect.to_kind, effect.source.tenant, effect.to_key}, effect.said);
  message_effect wish;
  try {
    wish = effect.body.get<message_effect>();
  } catch (const json::exception&) {
    return done(outcome_of(fail(error_code::validation_error, "The effect says no message to an entity.")));
  }
  auto said = said_by(wish);
  if (!said) return done(outcome_of(fail(std::move(said.error()))));
  ask({std::move(wish.to_kind), effect.source.tenant, std::move(wish.to_key)}, std::move(*said));
}

} // namespace tobit::entity
