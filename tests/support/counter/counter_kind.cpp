#include "tests/support/counter/counter_kind.hpp"

#include "schemas/entity/entity_protocol.hpp"
#include "tests/support/counter/counter_protocol.hpp"

#include <set>
#include <stdexcept>

namespace tobit::counter {

using entity::decision;

namespace {

class counter_logic final : public entity::entity_logic {
public:
  counter_logic(std::int64_t version, std::int64_t step, bool keeps_state)
      : version_(version), step_(step), keeps_state_(keeps_state) {}

  result<decision> decide(const message& request, const entity::moment& at) override {
    decision wanted;
    if (request.as<get_count>()) {
      wanted.reply = message::of(count_is{count_, version_});
      return wanted;
    }
    if (auto* add = request.as<add_to_counter>()) return count(add->amount * step_);
    if (auto* announce = request.as<announce_count>()) {
      wanted = count(1);
      for (std::int64_t i = 0; i < announce->copies; ++i)
        wanted.effects.push_back({"test", {{"count", count_ + 1}, {"copy", i}}, announce->correlation});
      wanted.publications.push_back({"counter", {{"count", count_ + 1}}});
      return wanted;
    }
    if (auto* alarm = request.as<alarm_counter>()) {
      wanted = count(1);
      wanted.events.push_back(message::of(alarm_set{alarm->at_us, alarm->then_us, alarm->fails}));
      return wanted;
    }
    if (request.as<entity::wake_entity>()) return woken(at.now);
    if (auto* wish = request.as<report_to_counter>()) {
      wanted = count(1);
      for (std::int64_t i = 0; i < wish->copies; ++i)
        wanted.effects.push_back({wish->type, wish->body, "", wish->report});
      return wanted;
    }
    if (auto* settled = request.as<entity::effect_settled>()) {
      if (heard_.count(settled->effect_id) != 0) return wanted;
      wanted = count(settled->done ? 1'000 : 10'000);
      wanted.events.push_back(message::of(report_heard{settled->effect_id}));
      return wanted;
    }
    if (auto* trouble = request.as<trouble_counter>()) return make_trouble(trouble->how);
    return fail(error_code::not_implemented, "A counter does not know this message.");
  }

  void apply(const message& event) override {
    if (auto* more = event.as<counted>()) count_ += more->amount;
    if (auto* set = event.as<alarm_set>()) alarm_ = *set;
    if (auto* heard = event.as<report_heard>()) heard_.insert(heard->effect_id);
    if (event.as<poisoned>()) throw std::runtime_error("poisoned");
  }

  std::optional<utc_time> wake_at() const override {
    return alarm_.at_us == 0 ? std::nullopt : std::optional(from_micros(alarm_.at_us));
  }

  std::string snapshot() const override { return to_text({{"count", count_}, {"alarm", alarm_}, {"heard", heard_}}); }
  result<void> restore(std::string_view snapshot) override {
    if (!keeps_state_ && !snapshot.empty()) return fail(error_code::unprocessable, "This version keeps no state.");
    const auto state = parse_json(snapshot).value_or(json::object());
    count_ = state.value("count", std::int64_t{0});
    alarm_ = state.value("alarm", alarm_set{});
    heard_ = state.value("heard", std::set<std::string>{});
    return {};
  }
  json view() const override { return {{"count", count_}, {"step", step_}}; }

private:
  decision count(std::int64_t amount) const {
    decision wanted;
    wanted.events.push_back(message::of(counted{amount}));
    wanted.reply = message::of(count_is{count_ + amount, version_});
    return wanted;
  }
  decision woken(utc_time now) const {
    if (alarm_.at_us == 0 || from_micros(alarm_.at_us) > now) throw std::logic_error("woken too early");
    if (alarm_.fails) throw std::runtime_error("no morning person");
    auto wanted = count(100);
    const auto next = alarm_.then_us == 0 ? 0 : alarm_.at_us + alarm_.then_us;
    wanted.events.push_back(message::of(alarm_set{next, alarm_.then_us, false}));
    return wanted;
  }
  result<decision> make_trouble(const std::string& how) const {
    if (how == "decide") throw std::runtime_error("trouble was asked for");
    if (how == "refuse") return fail(error_code::unprocessable, "Refused.");
    if (how == "reply") return decision{};
    auto wanted = count(1);
    if (how == "apply") wanted.events.push_back(message::of(poisoned{}));
    if (how == "row") wanted.statements.push_back({"INSERT INTO shard (id, owner, epoch) VALUES (0, 'x', 0)"});
    return wanted;
  }

  std::int64_t version_, step_, count_ = 0;
  bool keeps_state_;
  alarm_set alarm_;
  std::set<std::string> heard_;
};

} // namespace

std::string_view counter_kind::name() const noexcept { return kind_name; }

result<entity::compiled_definition> counter_kind::compile(const entity_ref&, const json& body, const json*) const {
  if (!body.is_object()) return fail(error_code::validation_error, "A counter is a JSON object.", "");
  const auto step = body.find("step");
  if (step != body.end() && (!step->is_number_integer() || *step < 1 || *step > 1000))
    return fail(error_code::validation_error, "A step is 1 to 1000.", "/step");
  entity::compiled_definition compiled;
  compiled.definition = body;
  compiled.definition["step"] = body.value("step", 1);
  compiled.name = body.value("name", "");
  compiled.label = body.value("label", "");
  compiled.enabled = body.value("enabled", true);
  if (compiled.enabled && body.contains("interests"))
    for (const auto& [source, spec] : body["interests"].items()) compiled.interests.push_back({source, spec});
  return compiled;
}

result<std::unique_ptr<entity::entity_logic>> counter_kind::instantiate(const entity_ref&, std::int64_t version,
                                                                        const json& definition) const {
  const auto broken = definition.value("broken", "");
  if (broken == "error") return fail(error_code::validation_error, "Broken.", "/broken");
  if (broken == "throw") throw std::runtime_error("broken");
  return std::unique_ptr<entity::entity_logic>(
      std::make_unique<counter_logic>(version, definition.value("step", 1), definition.value("keeps_state", true)));
}

} // namespace tobit::counter
