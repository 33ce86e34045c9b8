#include "actors/notify/channel/channel_handler.hpp"

#include "actors/notify/adapter/answer_verdict.hpp"
#include "runtime/outbound/client_gate.hpp"

#include <utility>

namespace tobit::notify {

struct channel_handler::core {
  core(const channel_handler_deps& from, channel_options options)
      : store(from.store), time(from.time), figures(from.figures), sender(from.out, from.time, std::move(options)) {}

  storage::database& store;
  const clock& time;
  telemetry::metrics* const figures;
  const channel_sender sender;
  outbound::client_gate gate; ///< the client ends before the database does
};

namespace {

using outcome = entity::effect_outcome;
using callback = std::function<void(outcome)>;

outcome ended(enum outcome::status how, const error& why) {
  outcome out;
  out.status = how;
  out.error = std::string(why.text());
  out.code = why.code;
  return out;
}

/// The last attempt that the channel allows is final, and everything is counted.
callback concluded(telemetry::metrics* figures, const delivery& what, int attempt, callback done) {
  return [figures, type = what.type, last = attempt >= what.attempts_max, done = std::move(done)](outcome end) {
    if (last && end.status == outcome::status::retry) end.status = outcome::status::failed;
    if (figures)
      figures->count(telemetry::metric::channel_attempts, {type, end.status == outcome::status::done    ? "sent"
                                                                 : end.status == outcome::status::retry ? "retry"
                                                                                                        : "failed"});
    done(std::move(end));
  };
}

storage::unit_of_work note_attempt(const entity::outgoing_effect& effect, utc_time now) {
  storage::unit_of_work unit;
  unit.statements.push_back({"INSERT INTO channel_attempt (effect_id, attempt, at) VALUES ($1, $2, $3)",
                             {effect.id, std::int64_t{effect.attempt}, to_micros(now)}});
  return unit;
}

} // namespace

channel_handler::channel_handler(const channel_handler_deps& deps, channel_options options)
    : core_(std::make_shared<core>(deps, std::move(options))) {
  // nop
}

channel_handler::~channel_handler() { core_->gate.close(); }

void channel_handler::attempt(const entity::outgoing_effect& effect, callback done) {
  delivery what;
  try {
    what = effect.body.get<delivery>();
  } catch (const json::exception&) {
    return done(
        ended(outcome::status::failed, {error_code::validation_error, "The effect of the channel is malformed."}));
  }
  const auto* adapter = find_adapter(what.type);
  if (!adapter)
    return done(ended(outcome::status::failed,
                      {error_code::not_implemented, "This node knows no channels of the type '" + what.type + "'."}));
  done = concluded(core_->figures, what, effect.attempt, std::move(done));
  auto message = core_->sender.prepare(*adapter, what);
  if (!message) return done(ended(outcome::status::failed, message.error()));
  if (adapter->may_repeat()) return core_->sender.send(*adapter, std::move(*message), std::move(done));
  auto ready = std::make_shared<outgoing_message>(std::move(*message));
  core_->store.write(note_attempt(effect, core_->time.now()), [core = core_, adapter, ready, done = std::move(done)](
                                                                  const result<storage::write_outcome>& noted) {
    if (!noted && noted.error().code == error_code::conflict)
      return done(unknown_outcome("the program ended in the middle of sending."));
    if (!noted) return done(ended(outcome::status::retry, noted.error()));
    const bool open = core->gate.pass([&] { core->sender.send(*adapter, std::move(*ready), done); });
    if (!open) done(ended(outcome::status::retry, error_code::unavailable));
  });
}

std::vector<storage::statement> channel_handler::settle(const entity::outgoing_effect& effect, const outcome&,
                                                        utc_time) {
  return {{"DELETE FROM channel_attempt WHERE effect_id = $1", {effect.id}}};
}

} // namespace tobit::notify
