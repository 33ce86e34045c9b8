#include "actors/rehearsal/file_test/test_run.hpp"

#include "actors/rehearsal/file_test/happenings.hpp"
#include "config/formats.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <algorithm>

namespace tobit::rehearsal {

namespace {

constexpr std::size_t timeline_lines = 12;

class test_run {
public:
  test_run(const test_document& document, const test_case& test, const entity::kind_registry& kinds)
      : document_(document)
      , test_(test)
      , scene_(kinds, tenant_id{"default"}, document.start, &course_)
      , happened_(course_, scene_, document.start)
      , has_alerting_(kinds.find(alert::kind_name) != nullptr) {
    course_.outcome_of = [this](const outward_effect& effect) { return outcome_of(effect); };
  }

  test_outcome run() {
    build();
    test_outcome out{test_.name, test_.where, {}, 0, 0, {}};
    for (const auto& step : test_.timeline) {
      ++out.steps;
      if (step.at)
        pass_to(document_.start + *step.at, step);
      else
        pass_to(now() + step.after, step);
      for (std::int64_t i = 0; i < step.repeat; ++i) {
        if (i > 0) pass_to(now() + step.every, step);
        act(step);
      }
      happened_.catch_up();
      check(step, out);
    }
    out.simulated = now() - document_.start;
    return out;
  }

private:
  utc_time now() { return scene_.stage().now(); }
  [[noreturn]] static void complain(const std::string& where, std::string message) {
    throw flaw_found{{where, std::move(message)}};
  }

  // -- the scene --

  static void require(const result<void>& done, const tested_definition& of) {
    if (done) return;
    const auto& why = done.error();
    throw flaw_found{of.from->flaw(of.pointer + why.pointer, std::string(why.text()))};
  }

  void build() {
    for (const auto& one : document_.channels) require(scene_.add(channel::kind_name, one.key, one.body), one);
    if (document_.alerting)
      require(scene_.add(alert::kind_name, std::string(alert::only_key), document_.alerting->body),
              *document_.alerting);
    else if (has_alerting_)
      static_cast<void>(scene_.add(alert::kind_name, std::string(alert::only_key), json::object()));
    for (const auto& one : document_.rules) require(scene_.add_rule(one.key, one.body), one);
  }

  entity::effect_settled outcome_of(const outward_effect& effect) const {
    entity::effect_settled out;
    const auto channel = std::find_if(document_.channels.begin(), document_.channels.end(), [&](const auto& one) {
      return effect.from.kind == channel::kind_name && one.key == effect.from.key;
    });
    out.done = channel == document_.channels.end() || !channel->fails;
    if (!out.done) {
      out.error_name = describe(error_code::external_service_error).name;
      out.error = "The test lets this channel fail.";
    }
    return out;
  }

  // -- steps --

  void pass_to(utc_time time, const test_step& step) {
    if (auto done = scene_.stage().advance_to(time); !done) complain(step.where, std::string(done.error().text()));
    happened_.catch_up();
  }

  void act(const test_step& step) {
    using does = test_step::act;
    switch (step.does) {
    case does::none:
      return;
    case does::push:
      return push(step);
    case does::metric:
      return metric(step);
    case does::tick:
      return tick(step);
    case does::trigger:
      return trigger(step);
    case does::silence:
      return silence(step);
    case does::acknowledge:
      return acknowledge(step);
    }
  }

  result<message> deliver(const entity_ref& to, const message& what) { return scene_.stage().deliver(to, what); }

  const actor_rule& rule_of(const test_step& step) const {
    const auto named = step.body.is_object() ? step.body.value("rule", json()) : step.body;
    const auto name = named.is_string() ? named.get<std::string>() : std::string{};
    if (const auto* one = scene_.find_rule(name)) return *one;
    complain(step.where, name.empty() ? "There are several rules; say which one with 'rule'."
                                      : "There is no rule '" + name + "', or several.");
  }

  std::shared_ptr<const event::event> event_of(const json& body, const test_step& step) {
    auto whole = body;
    if (!whole.contains("id")) whole["id"] = "test-" + std::to_string(++events_);
    if (!whole.contains("source")) whole["source"] = "/test";
    if (whole.contains("time") && whole["time"].is_string())
      if (const auto offset = config::parse_duration(whole["time"].get<std::string>()))
        whole["time"] = to_rfc3339(document_.start + *offset);
    if (!whole.contains("time")) whole["time"] = to_rfc3339(now());
    auto one = event::from_cloudevent(whole);
    if (!one) complain(step.where, std::string(one.error().text()));
    return std::make_shared<const event::event>(std::move(*one));
  }

  void push(const test_step& step) {
    std::vector<std::shared_ptr<const event::event>> events;
    const auto add = [&](const json& one) {
      happened_.note(now(), "push " + to_text(one));
      events.push_back(event_of(one, step));
    };
    if (step.body.is_array())
      for (const auto& one : step.body) add(one);
    else
      add(step.body);
    if (auto done = scene_.push(events); !done) complain(step.where, std::string(done.error().text()));
  }

  void metric(const test_step& step) {
    const auto& rule = rule_of(step);
    rule::evaluate_metric reading;
    reading.payload = step.body.value("payload", json());
    reading.error = step.body.value("error", std::string{});
    reading.observed_at_us = to_micros(now());
    happened_.note(now(), "metric " + (reading.error.empty() ? to_text(reading.payload) : reading.error));
    require_done(deliver(rule.ref, message::of(std::move(reading))), step);
  }

  void tick(const test_step& step) {
    happened_.note(now(), "tick");
    require_done(deliver(rule_of(step).ref, message::of(rule::run_tick{to_micros(now()), 0})), step);
  }

  void trigger(const test_step& step) {
    rule::trigger_rule wish;
    wish.payload = step.body.value("payload", json::object());
    wish.executed_by = "test";
    happened_.note(now(), "trigger " + to_text(wish.payload));
    require_done(deliver(rule_of(step).ref, message::of(std::move(wish))), step);
  }

  /// Silences and acknowledgements are said by their wire names: this room knows of alerting only what it is told.
  void say_to_alerting(std::string_view name, const json& body, const test_step& step) {
    auto said = decode_message(name, body);
    if (!said) complain(step.where, "This program knows no alerting.");
    require_done(deliver(scene_.ref(alert::kind_name, std::string(alert::only_key)), *said), step);
  }

  void silence(const test_step& step) {
    auto body = step.body;
    if (!body.contains("starts_at")) body["starts_at"] = to_rfc3339(now());
    if (const auto lasts = body.find("for"); lasts != body.end()) {
      const auto time = config::parse_duration(lasts->is_string() ? lasts->get<std::string>() : to_text(*lasts));
      if (!time) complain(step.where, "'for' is a duration, e.g. 1h.");
      body["ends_at"] = to_rfc3339(now() + *time);
      body.erase("for");
    }
    if (!body.contains("comment")) body["comment"] = "test";
    happened_.note(now(), "silence " + to_text(step.body));
    say_to_alerting("tobit.alert.put_silence.v1", {{"silence_id", ""}, {"body", body}, {"by", "test"}}, step);
  }

  void acknowledge(const test_step& step) {
    const auto key = step.body.is_object() ? step.body.value("key", json()) : json();
    const auto rule = step.body.is_object()   ? step.body.value("rule", std::string{})
                      : step.body.is_string() ? step.body.get<std::string>()
                                              : std::string{};
    const auto alerts = happened_.firing_alerts(rule, key.is_null() || key.is_array() ? key : json::array({key}));
    if (alerts.empty()) complain(step.where, "No alert is firing that could be acknowledged.");
    happened_.note(now(), "ack " + to_text(step.body));
    for (const auto& id : alerts)
      say_to_alerting("tobit.alert.acknowledge.v1", {{"alert_id", id}, {"by", "test"}, {"comment", ""}}, step);
  }

  static void require_done(const result<message>& done, const test_step& step) {
    if (!done) complain(step.where, std::string(done.error().text()));
  }

  // -- expectations --

  template <class Wish>
  void check_one(const Wish& wish, test_outcome& out) {
    ++out.expectations;
    auto instead = happened_.compare(wish);
    if (instead.empty() || out.failures.size() >= failures_max) return;
    out.failures.push_back({wish.where, shown_offset(now() - document_.start), happenings::in_words(wish),
                            std::move(instead), happened_.timeline(timeline_lines)});
  }

  void check(const test_step& step, test_outcome& out) {
    for (const auto& wish : step.statuses) check_one(wish, out);
    for (const auto& wish : step.acts) check_one(wish, out);
    if (!step.statuses.empty() || !step.acts.empty()) happened_.turn_page();
  }

  const test_document& document_;
  const test_case& test_;
  course course_;
  scene scene_;
  happenings happened_;
  const bool has_alerting_;
  std::uint64_t events_ = 0;
};

} // namespace

file_result<test_outcome> run_test(const test_document& document, const test_case& test,
                                   const entity::kind_registry& kinds) {
  try {
    return test_run{document, test, kinds}.run();
  } catch (const flaw_found& found) {
    return tl::unexpected<file_flaw>(found.what);
  }
}

} // namespace tobit::rehearsal
