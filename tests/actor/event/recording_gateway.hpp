#pragma once

#include "runtime/entity/entity_gateway.hpp"
#include "schemas/rule/rule_protocol.hpp"

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace tobit::testing {

/// Stands for the rules: writes down which offsets each of them evaluated and answers as the test says. Thread-safe.
class recording_gateway final : public entity::entity_gateway {
public:
  /// What to answer; nothing in it: keep the question until `release`.
  using verdict = std::optional<result<message>>;
  std::function<verdict(const entity_ref&, const rule::evaluate_events&)> judge;

  static message evaluated() { return message::of(rule::events_evaluated{}); }

  void ask(entity_ref ref, call_context context, message request, reply_handler reply) override {
    const auto* events = request.as<rule::evaluate_events>();
    std::unique_lock lock{guard_};
    ++asks_;
    contexts_.push_back(std::move(context));
    auto decided = judge ? judge(ref, *events) : verdict{evaluated()};
    if (!decided) {
      kept_.push_back({ref, request, std::move(reply)});
      return;
    }
    if (*decided) note(ref, *events);
    lock.unlock();
    reply(std::move(*decided));
  }

  /// Answers everything that was kept.
  void release(const result<message>& with = evaluated()) {
    std::unique_lock lock{guard_};
    auto kept = std::exchange(kept_, {});
    if (with)
      for (const auto& one : kept) note(one.ref, *one.request.as<rule::evaluate_events>());
    lock.unlock();
    for (auto& one : kept) one.reply(with);
  }

  /// The offsets that the rule evaluated, in the order of the answers.
  std::vector<std::uint64_t> seen(const std::string& key) const {
    std::lock_guard lock{guard_};
    const auto found = seen_.find(key);
    return found == seen_.end() ? std::vector<std::uint64_t>{} : found->second;
  }
  std::size_t asks() const {
    std::lock_guard lock{guard_};
    return asks_;
  }
  std::size_t kept() const {
    std::lock_guard lock{guard_};
    return kept_.size();
  }
  std::vector<call_context> contexts() const {
    std::lock_guard lock{guard_};
    return contexts_;
  }
  void forget() {
    std::lock_guard lock{guard_};
    seen_.clear();
    asks_ = 0;
  }

private:
  struct question {
    entity_ref ref;
    message request;
    reply_handler reply;
  };
  void note(const entity_ref& ref, const rule::evaluate_events& events) {
    for (const auto& one : events.events) seen_[ref.key].push_back(one.offset);
  }

  mutable std::mutex guard_;
  std::map<std::string, std::vector<std::uint64_t>> seen_;
  std::vector<question> kept_;
  std::vector<call_context> contexts_;
  std::size_t asks_ = 0;
};

} // namespace tobit::testing
