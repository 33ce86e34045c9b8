#include "runtime/entity/entity_machine.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>

/// The messages that every entity understands, whatever its kind.
namespace tobit::entity {

namespace {

constexpr std::array<std::string_view, 5> changes{"create", "update", "rollback", "enable", "disable"};
constexpr std::size_t restarts_shown = 20;

error too_long(std::string_view what, std::size_t most, std::string pointer) {
  return {error_code::validation_error,
          std::string(what) + " may have at most " + std::to_string(most) + " bytes; shorten it.", std::move(pointer)};
}

} // namespace

bool entity_machine::handle_lifecycle(const delivery_ptr& asked) {
  const auto& request = asked->request();
  if (auto* wish = request.as<define_entity>())
    define(asked, *wish);
  else if (auto* back = request.as<rollback_entity>())
    roll_back(asked, *back);
  else if (auto* removal = request.as<delete_entity>())
    remove(asked, *removal);
  else if (auto* action = request.as<control_entity>())
    control(asked, *action);
  else if (request.as<inspect_entity>())
    inspect(asked);
  else
    return false;
  return true;
}

result<void> entity_machine::check_version(const std::optional<std::int64_t>& expected) const {
  const auto current = exists() ? head_.version : 0;
  if (!expected || *expected == current) return {};
  if (current == 0)
    return fail(error_code::conflict, ref_.kind + " " + ref_.key + " does not exist (any more); create it.",
                "/expected_version");
  return fail(error_code::conflict,
              "The current version is " + std::to_string(current) + ", not " + std::to_string(*expected) +
                  "; read it again and repeat the change.",
              "/expected_version");
}

void entity_machine::define(const delivery_ptr& asked, const define_entity& wish) {
  const auto& limits = deps_->options;
  if (wish.summary.size() > limits.summary_bytes_max)
    return hold(asked, fail(too_long("The summary", limits.summary_bytes_max, "/summary")));
  if (std::find(changes.begin(), changes.end(), wish.change) == changes.end())
    return hold(asked, fail(error_code::validation_error,
                            "A change is one of create, update, rollback, enable, disable.", "/change"));
  if (to_text(wish.body).size() > limits.definition_bytes_max)
    return hold(asked,
                fail(error_code::payload_too_large,
                     "A definition may have at most " + std::to_string(limits.definition_bytes_max) + " bytes."));
  if (auto fits = check_version(wish.expected_version); !fits) return hold(asked, fail(fits.error()));
  auto change = !exists() ? "create" : wish.change == "create" ? "update" : wish.change;
  put_live(asked, wish.body, std::move(change), wish.summary, true, wish.unless_same);
}

void entity_machine::roll_back(const delivery_ptr& asked, const rollback_entity& wish) {
  if (!exists()) return hold(asked, fail(error_code::not_found, ref_.kind + " " + ref_.key + " is not known."));
  if (wish.summary.size() > deps_->options.summary_bytes_max)
    return hold(asked, fail(too_long("The summary", deps_->options.summary_bytes_max, "/summary")));
  if (wish.version < 0 || wish.version == head_.version)
    return hold(asked, fail(error_code::validation_error, "Choose a version before the current one.", "/version"));
  read(definition_query(ref_, wish.version, head_.version),
       [asked, summary = wish.summary](entity_machine& self, const result<storage::rows>& rows) {
         if (!rows) return self.hold(asked, fail(rows.error()));
         if (!self.exists()) return self.hold(asked, fail(error_code::unavailable));
         if (rows->empty())
           return self.hold(asked, fail(error_code::not_found,
                                        "There is no such earlier version; see the list of versions.", "/version"));
         auto body = parse_json(storage::as_text((*rows)[0][1]));
         if (!body) return self.hold(asked, fail(error_code::internal_server_error, "The stored version is damaged."));
         self.put_live(asked, *body, "rollback", summary);
       });
}

result<std::unique_ptr<entity_logic>> entity_machine::successor(std::int64_t version, const json& definition) {
  if (mode_ == mode::quarantined) return stored_logic(version, definition);
  auto next = kind_->instantiate(ref_, version, definition);
  if (!next) return next;
  auto taken = mode_ == mode::live ? (*next)->take_over(*logic_) : (*next)->restore({});
  if (!taken) return fail(taken.error());
  return next;
}

/// Whoever has not been defined may still be there, by the definition that its kind gives to all of them.
bool entity_machine::introduce(const delivery_ptr& asked) {
  if (mode_ != mode::vacant || !kind_) return false;
  const auto body = kind_->implicit_definition(ref_);
  if (!body) return false;
  put_live(asked, *body, "create", {}, false);
  if (mode_ == mode::live) decide(asked);
  return true;
}

void entity_machine::say(decision said, const moment& at, storage::unit_of_work& unit, pending_commit& pending) {
  pending.effects = outgoing(ref_, std::move(said.effects), at);
  for (const auto& effect : pending.effects)
    unit.statements.push_back(outbox_row(effect, right_.shard, deps_->options.outbox.direct_grace));
  for (auto& row : said.statements) unit.statements.push_back(std::move(row));
  for (auto& item : said.publications) pending.publications.push_back(std::move(item));
}

void entity_machine::put_live(const delivery_ptr& asked, const json& body, std::string change,
                              const std::string& summary, bool answers, bool unless_same) {
  const bool has_row = mode_ != mode::vacant;
  const auto before = exists() ? json::parse(definition_) : json();
  std::unique_ptr<entity_logic> next;
  compiled_definition compiled;
  std::string state;
  std::optional<utc_time> wake_at;
  decision first;
  const auto id = new_uuid();
  const moment at{deps_->time->now(), asked->context(), id};
  try {
    auto understood = kind_->compile(ref_, body, before.is_null() ? nullptr : &before);
    if (!understood) return hold(asked, fail(understood.error()));
    compiled = std::move(*understood);
    if (unless_same && mode_ == mode::live && compiled.definition == before)
      return hold(asked,
                  message::of(definition_live{head_.version, shown_definition(compiled.definition, head_), true}));
    auto built = successor(has_row ? head_.version + 1 : 1, compiled.definition);
    if (!built) return hold(asked, fail(built.error()));
    next = std::move(*built);
    first = next->greet(at);
    state = next->snapshot();
    wake_at = next->wake_at();
  } catch (const std::exception& e) { // the version that runs is not touched by this
    spdlog::error("entity_definition_refused entity={} error=\"{}\"", to_string(ref_), e.what());
    return hold(asked, fail(error_code::internal_server_error,
                            "The definition could not be compiled; nothing was changed. The log holds the cause."));
  }
  definition_change step{ref_,    right_,           has_row ? &head_ : nullptr, before, compiled, change,
                         summary, std::move(state), asked->context(),           at.now, wake_at};
  auto after = row_after(step);
  auto unit = unit_of(step, after);
  snapshot_bytes_ = after.snapshot.size();
  journal_bytes_ = 0;
  definition_ = to_text(compiled.definition);
  logic_ = std::move(next);
  head_ = std::move(after);
  head_.snapshot.clear();
  events_since_snapshot_ = 0;
  mode_ = mode::live;
  show_status(mode_);
  pending_commit pending;
  say(std::move(first), at, unit, pending);
  pending.notice = interest_notice{head_.version, std::move(compiled.interests)};
  pending.wake_later = wake_to_note(step.now, false);
  pending.publications.push_back({"actors", {{"entity", to_string(ref_)}, {"version", head_.version}}, "defined"});
  if (answers)
    pending.answers.push_back(
        {asked, message::of(definition_live{head_.version, shown_definition(compiled.definition, head_)})});
  commit(std::move(unit), std::move(pending));
}

void entity_machine::remove(const delivery_ptr& asked, const delete_entity& wish) {
  if (!exists()) return hold(asked, fail(error_code::not_found, ref_.kind + " " + ref_.key + " is not known."));
  if (auto fits = check_version(wish.expected_version); !fits) return hold(asked, fail(fits.error()));
  const auto now = deps_->time->now();
  const auto id = new_uuid();
  const moment at{now, asked->context(), id};
  decision last;
  try {
    if (logic_) last = logic_->farewell(at);
  } catch (const std::exception& e) {
    return crash(std::string("farewell: ") + e.what(), asked);
  }
  auto unit = unit_of_delete(ref_, right_, head_, json::parse(definition_), asked->context(), now);
  head_.journal_seq += 1;
  head_.deleted_at = now;
  mode_ = mode::deleted;
  show_status(mode_);
  logic_.reset();
  pending_commit pending;
  say(std::move(last), at, unit, pending);
  pending.notice = interest_notice{head_.version, {}};
  pending.answers.push_back({asked, message::of(entity_done{})});
  pending.publications.push_back({"actors", {{"entity", to_string(ref_)}}, "deleted"});
  pending.leave_after = true;
  commit(std::move(unit), std::move(pending));
}

void entity_machine::control(const delivery_ptr& asked, const control_entity& wish) {
  const bool known = mode_ != mode::vacant && mode_ != mode::deleted;
  if (!known) return hold(asked, fail(error_code::not_found, ref_.kind + " " + ref_.key + " is not known."));
  if (wish.reason.size() > deps_->options.summary_bytes_max)
    return hold(asked, fail(too_long("The reason", deps_->options.summary_bytes_max, "/reason")));
  const auto now = deps_->time->now();
  const auto& context = asked->context();
  const auto action = [&] { return unit_of_action(ref_, right_, wish.action, wish.reason, context, now); };
  if (wish.action == "restart") return load_afresh(asked, action());
  if (wish.action == "reload") return mode_ == mode::live ? reload(asked, action()) : load_afresh(asked, action());
  if (wish.action == "stop") {
    pending_commit pending;
    pending.answers.push_back({asked, message::of(entity_done{})});
    pending.leave_after = true;
    return commit(action(), std::move(pending));
  }
  if (wish.action == "quarantine") {
    if (mode_ == mode::quarantined) return hold(asked, message::of(entity_done{}));
    const auto reason = wish.reason.empty() ? std::string("set aside by hand") : wish.reason;
    return load_afresh(asked, unit_of_quarantine(ref_, right_, head_, reason, context, now));
  }
  if (wish.action == "revive") {
    if (mode_ != mode::quarantined)
      return hold(asked, fail(error_code::conflict, ref_.kind + " " + ref_.key + " is not in quarantine."));
    return load_afresh(asked, unit_of_revival(ref_, right_, head_, wish.reason, context, now));
  }
  hold(asked,
       fail(error_code::validation_error, "An action is one of restart, stop, quarantine, revive, reload.", "/action"));
}

void entity_machine::load_afresh(const delivery_ptr& asked, storage::unit_of_work unit) {
  mode_ = mode::settling;
  restart_askers_.push_back(asked);
  commit(std::move(unit), {});
}

void entity_machine::reload(const delivery_ptr& asked, storage::unit_of_work unit) {
  try {
    auto next = successor(head_.version, json::parse(definition_));
    if (!next) return hold(asked, fail(next.error()));
    logic_ = std::move(*next);
  } catch (const std::exception& e) {
    spdlog::error("entity_reload_refused entity={} error=\"{}\"", to_string(ref_), e.what());
    return hold(asked,
                fail(error_code::internal_server_error, "The definition could not be loaded; the running one stays."));
  }
  pending_commit pending;
  pending.answers.push_back({asked, message::of(entity_done{})});
  follow_wake(unit, pending, deps_->time->now(), false);
  commit(std::move(unit), std::move(pending));
}

void entity_machine::inspect(const delivery_ptr& asked) {
  if (mode_ == mode::vacant)
    return hold(asked, fail(error_code::not_found, ref_.kind + " " + ref_.key + " is not known."));
  json seen;
  try {
    seen = view();
  } catch (const std::exception& e) {
    return crash(std::string("view: ") + e.what(), asked);
  }
  if (quiet_past_) {
    seen["restart_history"] = json::array();
    return answer(asked, message::of(entity_view{std::move(seen)}));
  }
  const auto current = generation_;
  read(restarts_query(ref_, utc_time{}, restarts_shown),
       [asked, current, seen = std::move(seen)](entity_machine& self, const result<storage::rows>& rows) {
         // A new version of what is in quarantine adds a row without `load`.
         if (rows && rows->empty() && self.generation_ == current && !self.head_.quarantined_at)
           self.quiet_past_ = true;
         auto complete = seen;
         complete["restart_history"] = rows ? restarts_view(*rows) : json::array();
         self.answer(asked, message::of(entity_view{std::move(complete)}));
       });
}

json entity_machine::view() const {
  const auto handled = figures_->handled.load();
  const auto total_us = figures_->time_total_us.load();
  const auto optional_text = [](const std::optional<utc_time>& t) { return t ? json(to_rfc3339(*t)) : json(); };
  return {{"kind", ref_.kind},
          {"tenant", ref_.tenant.value},
          {"key", ref_.key},
          {"name", head_.name},
          {"label", head_.label},
          {"status", figures_->status.load()},
          {"enabled", head_.enabled},
          {"version", head_.version},
          {"shard", right_.shard},
          {"epoch", right_.epoch},
          {"state", logic_ ? logic_->view() : json()},
          {"mailbox",
           {{"unanswered", figures_->unanswered.load()},
            {"waiting", waiting_.size()},
            {"limit", deps_->options.mailbox_max}}},
          {"counts", {{"handled", handled}, {"failed", figures_->failed.load()}, {"uncommitted", in_flight_.size()}}},
          {"latency",
           {{"average_ms", handled ? static_cast<double>(total_us) / 1'000 / static_cast<double>(handled) : 0},
            {"longest_ms", static_cast<double>(figures_->time_longest_us.load()) / 1'000}}},
          {"journal", {{"position", head_.journal_seq}, {"snapshot", head_.snapshot_seq}}},
          {"timers", timers()},
          {"restarts", head_.restarts},
          {"last_error", head_.last_error.empty() ? json() : json(head_.last_error)},
          {"quarantined_at", optional_text(head_.quarantined_at)},
          {"deleted_at", optional_text(head_.deleted_at)},
          {"created_at", to_rfc3339(head_.created_at)},
          {"created_by", head_.created_by},
          {"updated_at", to_rfc3339(head_.updated_at)}};
}

void entity_machine::publish_status(std::string_view status) {
  if (deps_->bus) deps_->bus->publish(ref_.tenant, "actors", std::string(status), {{"entity", to_string(ref_)}});
}

void entity_machine::show_status(mode now) {
  switch (now) {
  case mode::loading:
    figures_->status = "activating";
    break;
  case mode::live:
    figures_->status = head_.enabled ? "active" : "disabled";
    break;
  case mode::quarantined:
    figures_->status = "quarantined";
    break;
  case mode::deleted:
    figures_->status = "deleted";
    break;
  case mode::vacant:
    figures_->status = "unknown";
    break;
  case mode::gone:
    figures_->status = "sleeping";
    break;
  default:
    figures_->status = "restarting";
    break;
  }
}

} // namespace tobit::entity
