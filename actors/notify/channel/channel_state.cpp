#include "actors/notify/channel/channel_state.hpp"

#include "actors/notify/adapter/channel_adapter.hpp"
#include "actors/notify/adapter/channel_config.hpp"
#include "actors/notify/channel/delivery_plan.hpp"

#include <algorithm>
#include <charconv>

namespace tobit::notify {

using namespace channel;

namespace {

constexpr std::size_t id_bytes_max = 200, thread_bytes_max = 500, alerts_max = 100, notice_bytes_max = 512u << 10;
constexpr std::size_t tried_max = 20;

/// What an effect stands for: the notice, and which of its parts. The number of the part comes last, so that any id
/// may stand before it.
std::string part_name(const std::string& notice_id, std::size_t part) { return notice_id + '#' + std::to_string(part); }

struct part_reference {
  std::string notice_id;
  std::size_t part = 0;
};
std::optional<part_reference> read_part(const std::string& text) {
  const auto mark = text.rfind('#');
  if (mark == text.npos) return std::nullopt;
  part_reference out{text.substr(0, mark), 0};
  const auto [end, wrong] = std::from_chars(text.data() + mark + 1, text.data() + text.size(), out.part);
  if (wrong != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

constexpr std::size_t passing_part = 1'000'000; ///< the part that is the message to the fallback

json time_or_null(std::int64_t micros) { return micros == 0 ? json() : json(to_rfc3339(from_micros(micros))); }

std::string route_of(const std::vector<std::string>& tried) {
  std::string out;
  for (const auto& key : tried) out += key + " → ";
  return out;
}

} // namespace

channel_state::channel_state(entity_ref ref, const json& definition)
    : ref_(std::move(ref)), settings_(channel_settings::of(definition)), adapter_(find_adapter(settings_.type)) {
  if (!adapter_) throw json::other_error::create(501, "unknown type of channel", &definition);
}

result<void> channel_state::restore(std::string_view snapshot) {
  auto read = memory_of_snapshot(snapshot, settings_.type);
  if (!read) return fail(std::move(read.error()));
  memory_ = std::move(*read);
  return {};
}

result<entity::decision> channel_state::decide(const message& request, const entity::moment& at) {
  if (const auto* m = request.as<send_notice>()) return on_send(*m, at);
  if (const auto* m = request.as<replay_notice>()) return on_replay(*m, at);
  if (const auto* m = request.as<entity::effect_settled>()) return on_settled(*m, at);
  if (request.as<entity::wake_entity>()) {
    entity::decision nothing;
    nothing.reply = message::of(entity::entity_done{});
    return nothing;
  }
  return fail(error_code::not_implemented,
              "A channel does not understand the message " + std::string(request.name()) + ".");
}

result<void> channel_state::check(const send_notice& notice) const {
  const auto refuse = [](const char* why) -> result<void> { return fail(error_code::validation_error, why); };
  if (notice.notice_id.empty() || notice.notice_id.size() > id_bytes_max)
    return refuse("A notice_id is 1 to 200 bytes long.");
  if (notice.thread.size() > thread_bytes_max) return refuse("A notice's thread is at most 500 bytes long.");
  if (notice.alerts.size() > alerts_max) return refuse("A notice holds at most 100 alerts.");
  if (notice.tried.size() > tried_max) return refuse("A notice was passed on too often.");
  if (to_text(json(notice)).size() > notice_bytes_max)
    return fail(error_code::payload_too_large, "A notice is at most 512 KiB of JSON.");
  return {};
}

std::string channel_state::reason_to_drop(const send_notice& notice, utc_time now) const {
  if (!settings_.active) return "paused";
  // Who heard of the beginning must hear of the end; there are at most as many ends as beginnings that got through.
  if (notice.reason == "resolved" && memory_.find_thread(notice.thread)) return {};
  const auto over = [&](std::int64_t most, const rate_window& window) { return most > 0 && window.count(now) >= most; };
  if (over(settings_.per_minute_max, memory_.minute) || over(settings_.per_hour_max, memory_.hour))
    return "rate_limited";
  return {};
}

result<entity::decision> channel_state::on_send(const send_notice& notice, const entity::moment& at) {
  if (auto checked = check(notice); !checked) return fail(checked.error());
  if (memory_.knows(notice.notice_id)) {
    entity::decision out;
    out.reply = message::of(notice_taken{"repeated"});
    return out;
  }
  if (const auto why = reason_to_drop(notice, at.now); !why.empty()) return drop(notice, why, at);
  return accept(notice, {}, at);
}

entity::decision channel_state::drop(const send_notice& notice, const std::string& why,
                                     const entity::moment& at) const {
  entity::decision out;
  out.events.push_back(message::of(notice_dropped{notice.notice_id, why, to_micros(at.now)}));
  open_notice one;
  one.notice = notice;
  one.at_us = to_micros(at.now);
  const auto sentence = why == "paused" ? std::string("The channel is switched off.")
                                        : "The channel tells at most " + std::to_string(settings_.per_minute_max) +
                                              " notices a minute and " + std::to_string(settings_.per_hour_max) +
                                              " an hour (0: no limit).";
  out.statements.push_back(insert_delivery(record(one, why, sentence, at)));
  report(notice, why, sentence, at, out);
  out.reply = message::of(notice_taken{why});
  return out;
}

result<entity::decision> channel_state::accept(send_notice notice, std::vector<std::string> recipients,
                                               const entity::moment& at) const {
  if (memory_.is_full())
    return fail(error_code::overloaded, "Too many notices of this channel are on their way; it is tried again.");
  if (notice.at_us == 0) notice.at_us = to_micros(at.now);
  if (adapter_->one_by_one() && recipients.empty()) recipients = config_list(settings_.config, "recipients");
  if (!adapter_->one_by_one() && adapter_->type() != "email") recipients.clear();
  const auto* thread = memory_.find_thread(notice.thread);
  const bool waits =
      thread && thread->place.is_null() && !thread->opening.empty() && adapter_->place_comes_later(settings_.config);
  entity::decision out;
  if (!waits) {
    message_thread opening; // a mail that begins a thread refers to nothing
    opening.root_notice = notice.notice_id;
    deliver(notice, recipients, thread ? thread : &opening, out);
  }
  out.reply = message::of(notice_taken{"sending"});
  out.events.push_back(
      message::of(notice_accepted{std::move(notice), std::move(recipients), waits, to_micros(at.now)}));
  return out;
}

void channel_state::deliver(const send_notice& notice, const std::vector<std::string>& recipients,
                            const message_thread* thread, entity::decision& out) const {
  const auto send = [&](delivery what, std::size_t part) {
    entity::effect effect;
    effect.type = std::string(channel_effect);
    effect.body = what;
    effect.correlation = part_name(notice.notice_id, part);
    effect.report = true;
    out.effects.push_back(std::move(effect));
  };
  if (!adapter_->one_by_one()) {
    auto what = plan_delivery(ref_, settings_, notice, {}, thread);
    what.recipients = recipients;
    return send(std::move(what), 0);
  }
  for (std::size_t i = 0; i < recipients.size(); ++i)
    send(plan_delivery(ref_, settings_, notice, recipients[i], thread), i);
}

result<entity::decision> channel_state::on_replay(const replay_notice& request, const entity::moment& at) {
  auto notice = request.notice;
  notice.tried.clear();
  if (auto checked = check(notice); !checked) return fail(checked.error());
  if (!settings_.active)
    return fail(error_code::conflict, "The channel is switched off; switch it on before replaying.");
  if (memory_.find_open(notice.notice_id)) {
    entity::decision out;
    out.reply = message::of(notice_taken{"repeated"});
    return out;
  }
  auto out = accept(std::move(notice), request.recipients, at);
  if (out)
    out->statements.push_back(
        mark_replayed(request.dead_letter_id, ref_.tenant, at.context.who->principal.value, at.now));
  return out;
}

result<entity::decision> channel_state::on_settled(const entity::effect_settled& settled, const entity::moment& at) {
  entity::decision out;
  out.reply = message::of(entity::entity_done{});
  const auto which = read_part(settled.correlation);
  const auto* one = which ? memory_.find_open(which->notice_id) : nullptr;
  if (!one) return out; // told before
  if (which->part == passing_part) {
    if (settled.done) {
      end(*one, "passed_on", one->error, {}, at, out);
      return out;
    }
    bury(*one, {}, one->error + " The fallback '" + one->passed_to + "' could not take it: " + settled.error, at, out);
    return out;
  }
  if (!one->passed_to.empty()) return out;
  const auto recipient =
      which->part < one->recipients.size() && adapter_->one_by_one() ? one->recipients[which->part] : std::string{};
  if (one->ended_parts.count(recipient) != 0) return out;
  part_settled part{one->notice.notice_id, recipient,     settled.done,
                    settled.error_name,    settled.error, settled.attempts};
  const auto place = settled.answer.is_object() ? settled.answer.value("place", json()) : json();
  const auto parts = adapter_->one_by_one() ? one->recipients.size() : 1;
  if (one->ended_parts.size() + 1 >= parts)
    conclude(*one, part, place, at, out);
  else
    out.events.push_back(message::of(std::move(part)));
  return out;
}

void channel_state::conclude(const open_notice& one, const part_settled& last, const json& place,
                             const entity::moment& at, entity::decision& out) const {
  auto whole = one;
  whole.ended_parts[last.recipient] = last.done;
  whole.attempts = std::max(whole.attempts, last.attempts);
  if (!last.done) whole.error_name = last.error_name, whole.error = last.error;
  std::vector<std::string> unreached;
  for (const auto& [recipient, done] : whole.ended_parts)
    if (!done) unreached.push_back(recipient);
  if (unreached.empty()) return end(whole, "sent", {}, place, at, out);
  if (whole.ended_parts.size() > 1)
    whole.error = std::to_string(unreached.size()) + " of " + std::to_string(whole.ended_parts.size()) +
                  " recipients were not reached: " + whole.error;
  if (unreached == std::vector<std::string>{""}) unreached = one.recipients;
  give_up(whole, unreached, at, out);
}

void channel_state::give_up(const open_notice& one, const std::vector<std::string>& unreached, const entity::moment& at,
                            entity::decision& out) const {
  const auto& tried = one.notice.tried;
  if (settings_.fallback.empty()) return bury(one, unreached, one.error, at, out);
  if (std::find(tried.begin(), tried.end(), settings_.fallback) != tried.end())
    return bury(one, unreached,
                one.error + " The fallbacks lead in a circle: " + route_of(tried) + ref_.key + " → " +
                    settings_.fallback + ".",
                at, out);
  auto onward = one.notice;
  onward.tried.push_back(ref_.key);
  entity::effect effect;
  effect.type = std::string(entity::message_effect::effect_type);
  effect.body = entity::message_effect{std::string(kind_name), settings_.fallback, std::string(send_notice::wire_name),
                                       json(onward)};
  effect.correlation = part_name(one.notice.notice_id, passing_part);
  effect.report = true;
  out.effects.push_back(std::move(effect));
  out.events.push_back(
      message::of(notice_passed_on{one.notice.notice_id, settings_.fallback, one.error_name, one.error, one.attempts}));
}

void channel_state::bury(const open_notice& one, const std::vector<std::string>& unreached, const std::string& error,
                         const entity::moment& at, entity::decision& out) const {
  auto dead = record(one, "failed", error, at);
  dead.id = std::string(at.decision_id);
  const auto title = render_notice(settings_.type, settings_.templates, one.notice, {settings_.name, settings_.speaks});
  out.statements.push_back(insert_dead_letter(dead, title.title, unreached));
  end(one, "failed", error, {}, at, out);
}

void channel_state::end(const open_notice& one, const std::string& outcome, const std::string& error, const json& place,
                        const entity::moment& at, entity::decision& out) const {
  notice_ended ended{one.notice.notice_id, outcome, error, place, {}, to_micros(at.now)};
  if (const auto* thread = memory_.find_thread(one.notice.thread)) {
    auto waiting = memory_.waiting_for(one.notice.thread);
    const bool has_place = !thread->place.is_null() || !place.is_null();
    // Without a place the next one begins the thread, and the others go on waiting for it.
    if (!has_place && waiting.size() > 1) waiting.resize(1);
    auto placed = *thread;
    if (placed.place.is_null()) placed.place = place;
    for (const auto& id : waiting) {
      const auto* next = memory_.find_open(id);
      deliver(next->notice, next->recipients, &placed, out);
    }
    ended.released = std::move(waiting);
  }
  out.statements.push_back(insert_delivery(record(one, outcome, error, at)));
  report(one.notice, outcome, error, at, out);
  out.events.push_back(message::of(std::move(ended)));
}

void channel_state::report(const send_notice& notice, const std::string& outcome, const std::string& error,
                           const entity::moment& at, entity::decision& out) const {
  if (notice.report_kind.empty() || notice.report_key.empty()) return;
  entity::effect effect;
  effect.type = std::string(entity::message_effect::effect_type);
  effect.body = entity::message_effect{
      notice.report_kind, notice.report_key, std::string(notice_settled::wire_name),
      json(notice_settled{notice.notice_id, ref_.key, outcome, cut_text(error, 500), to_micros(at.now)})};
  out.effects.push_back(std::move(effect));
}

delivery_record channel_state::record(const open_notice& one, std::string outcome, std::string error,
                                      const entity::moment& at) const {
  delivery_record out{std::string(at.decision_id) + "/d",
                      ref_,
                      settings_.type,
                      one.notice,
                      std::move(outcome),
                      one.error_name,
                      std::move(error),
                      one.attempts,
                      0,
                      at.now};
  out.took_ms = std::max<std::int64_t>(0, (to_micros(at.now) - one.at_us) / 1'000);
  return out;
}

json channel_state::view() const {
  std::size_t waiting = 0, passing = 0;
  for (const auto& [id, one] : memory_.open) {
    waiting += one.waits;
    passing += !one.passed_to.empty();
  }
  const auto& total = memory_.total;
  return {{"name", settings_.name},
          {"type", settings_.type},
          {"is_active", settings_.active},
          {"on_their_way", memory_.open.size()},
          {"waiting_for_thread", waiting},
          {"passing_to_fallback", passing},
          {"sent", total.sent},
          {"failed", total.failed},
          {"rate_limited", total.rate_limited},
          {"paused", total.paused},
          {"passed_on", total.passed_on},
          {"threads", memory_.threads.size()},
          {"last_sent_at", time_or_null(memory_.last_sent_at_us)},
          {"last_error", memory_.last_error.empty() ? json() : json(memory_.last_error)},
          {"last_error_at", time_or_null(memory_.last_error_at_us)}};
}

} // namespace tobit::notify
