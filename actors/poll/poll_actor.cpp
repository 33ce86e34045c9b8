#include "actors/poll/poll_actor.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <exception>

namespace tobit::poll {

namespace {

using telemetry::metric;

constexpr std::size_t recent_max = 20;
constexpr std::size_t error_length_max = 500;

storage::statement select_interests(const entity_ref& after, std::int64_t count) {
  storage::statement select;
  select.sql = "SELECT kind, tenant, entity_key, version, spec FROM interest WHERE source = 'poll' "
               "AND (kind, tenant, entity_key) > ($1, $2, $3) ORDER BY kind, tenant, entity_key LIMIT $4";
  select.params = {after.kind, after.tenant.value, after.key, count};
  return select;
}

entity_ref read_ref(const std::vector<storage::value>& row) {
  return {storage::as_text(row[0]), tenant_id{storage::as_text(row[1])}, storage::as_text(row[2])};
}

} // namespace

poll_actor::poll_actor(caf::actor_config& config, poll_loop_deps deps, poll_loop_options options)
    : caf::event_based_actor(config), deps_(std::move(deps)), options_(options), state_(options.limits) {
  set_default_handler(caf::drop);
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& why) -> caf::error {
    try {
      std::rethrow_exception(why);
    } catch (const std::exception& e) {
      return caf::make_error(caf::sec::runtime_error, std::string(e.what()));
    }
  });
}

caf::behavior poll_actor::make_behavior() {
  return {
      [this](const begin_note&) { begin(); },
      [this](const page_note& note) { take_page(*note.rows); },
      [this](const interest_note& note) { take_interest(note); },
      [this](const document_note& note) { take_document(note); },
      [this](const answer_note& note) { state_.answered(note.subscriber, note.revision); },
      [this](const wake_note& note) {
        if (note.generation != generation_) return;
        armed_for_ = steady_time::max();
        step();
      },
      [this](const inspect_note& note) { (*note.done)(figures()); },
  };
}

void poll_actor::begin() {
  if (begun_) return;
  begun_ = true;
  now_ = deps_.time.steady_now();
  state_.observe(now_);
  read_page();
}

void poll_actor::read_page() {
  deps_.database.read(select_interests(page_end_, static_cast<std::int64_t>(options_.page)),
                      [self = self_handle()](result<storage::rows> page) {
                        caf::anon_send(self, page_note{std::make_shared<result<storage::rows>>(std::move(page))});
                      });
}

void poll_actor::take_page(const result<storage::rows>& page) {
  now_ = deps_.time.steady_now();
  state_.observe(now_);
  if (!page) {
    spdlog::warn("poll.storage reason=\"{}\"", page.error().text());
    retry_load_ = true;
    retry_at_ = now_ + options_.read_pause;
    return arm();
  }
  for (const auto& row : page->values) {
    const auto ref = read_ref(row);
    auto spec = parse_json(storage::as_text(row[4]));
    if (spec)
      define(ref, storage::as_int(row[3]), *spec);
    else
      spdlog::error("poll.unusable entity={} reason=\"{}\"", to_string(ref), spec.error().text());
  }
  if (page->size() == options_.page) {
    page_end_ = read_ref(page->values.back());
    return read_page();
  }
  loaded_ = true;
  spdlog::info("poll.loaded subscribers={} requests={}", state_.subscribers(), state_.requests());
  step();
}

void poll_actor::define(const entity_ref& ref, std::int64_t version, const json& spec) {
  try {
    state_.define(ref, version, spec.get<entity::poll_interest>());
  } catch (const json::exception& e) {
    spdlog::error("poll.unusable entity={} reason=\"{}\"", to_string(ref), e.what());
  }
}

void poll_actor::take_interest(const interest_note& note) {
  if (!begun_) return; // it will be found in the database
  now_ = deps_.time.steady_now();
  state_.observe(now_);
  if (note.spec)
    define(note.ref, note.version, *note.spec);
  else
    state_.remove(note.ref, note.version);
  if (loaded_) arm();
}

void poll_actor::step() {
  now_ = deps_.time.steady_now();
  state_.observe(now_);
  if (retry_load_ && now_ >= retry_at_) {
    retry_load_ = false;
    read_page();
  }
  if (loaded_) {
    for (const auto id : state_.overdue())
      if (const auto outcome = state_.give_up(id)) {
        const auto why = std::string("No answer came in time.");
        note_failure(*outcome, why);
        hand_out(*outcome, {nullptr, outcome->about + ": " + why, deps_.time.now()});
      }
    while (const auto next = state_.take()) start_fetch(*next);
  }
  arm();
}

void poll_actor::start_fetch(const fetch& next) {
  ++polls_;
  auto answer = [self = self_handle(), id = next.id](result<metric_document> document) {
    caf::anon_send(self, document_note{id, std::make_shared<result<metric_document>>(std::move(document))});
  };
  const auto source = deps_.sources.find(next.what->source);
  if (source == deps_.sources.end())
    return answer(fail(error_code::validation_error, "There is no source '" + next.what->source.substr(0, 32) + "'."));
  source->second->read(*next.what, std::move(answer));
}

void poll_actor::take_document(const document_note& note) {
  const auto outcome = state_.finished(note.fetch);
  if (outcome) {
    reading found;
    found.observed_at = deps_.time.now();
    if (*note.document) {
      found.document = **note.document;
      deps_.metrics.count(metric::polls, {"ok"});
    } else {
      const auto why = std::string(note.document->error().text().substr(0, error_length_max));
      note_failure(*outcome, why);
      found.error = outcome->about + ": " + why;
    }
    hand_out(*outcome, found);
  }
  step();
}

void poll_actor::note_failure(const fetch_outcome& outcome, const std::string& why) {
  ++failures_;
  deps_.metrics.count(metric::polls, {"failed"});
  failure seen{deps_.time.now(), outcome.about, why, {}};
  for (const auto& target : outcome.targets) seen.tenants.insert(target.ref.tenant.value);
  recent_.push_front(std::move(seen));
  if (recent_.size() > recent_max) recent_.pop_back();
}

void poll_actor::hand_out(const fetch_outcome& outcome, const reading& found) {
  busy_ += outcome.busy;
  if (outcome.busy > 0) deps_.metrics.count(metric::polls, {"busy"}, static_cast<double>(outcome.busy));
  std::string kind;
  message shared;
  for (const auto& target : outcome.targets) {
    if (!shared || target.ref.kind != kind) {
      kind = target.ref.kind;
      shared = deps_.make_reading(kind, found);
    }
    auto context = new_call(identity_of(target.ref.tenant), now_ + options_.answer_deadline);
    // Whatever the answer: the next reading is better than this one again.
    deps_.entities.ask(
        target.ref, std::move(context), shared,
        [self = self_handle(), subscriber = target.subscriber, revision = target.revision](const result<message>&) {
          caf::anon_send(self, answer_note{subscriber, revision});
        });
  }
}

void poll_actor::arm() {
  auto wait = state_.until_next();
  if (retry_load_) wait = std::max(retry_at_ - now_, std::chrono::microseconds{0});
  if (!wait) return;
  const auto at = now_ + std::max<std::chrono::microseconds>(*wait, options_.gather);
  if (armed_for_ <= at) return;
  armed_for_ = at;
  delayed_send(this, at - now_, wake_note{++generation_});
}

json poll_actor::figures() const {
  json recent = json::array();
  for (const auto& f : recent_)
    recent.push_back({{"at", to_rfc3339(f.at)}, {"about", f.about}, {"error", f.error}, {"tenants", f.tenants}});
  return {{"loaded", loaded_},
          {"subscribers", state_.subscribers()},
          {"requests", state_.requests()},
          {"under_way", state_.under_way()},
          {"concurrency", options_.limits.concurrency},
          {"polls", polls_},
          {"failures", failures_},
          {"busy", busy_},
          {"recent_failures", std::move(recent)}};
}

const identity_ptr& poll_actor::identity_of(const tenant_id& tenant) {
  auto& known = identities_[tenant];
  if (!known) known = system_identity(tenant);
  return known;
}

} // namespace tobit::poll
