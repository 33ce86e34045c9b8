#include "tests/unit/rule/pattern/reference_matcher.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

namespace tobit::rule::pattern::samples {

namespace {

/// What becomes of a match that begins with one event, if nothing else interferes.
struct fate {
  enum { expires, matches, breaks } how = expires;
  std::size_t at_event = 0; ///< the event that ended it; 0: time did (events count from 1)
  std::int64_t at = 0;
  std::vector<std::size_t> took;
};

std::vector<json> members_of(const json& step) {
  for (const char* group : {"all_of", "any_of"})
    if (step.contains(group)) return step[group].get<std::vector<json>>();
  return {step};
}

class one_key {
public:
  one_key(const json& spec, std::vector<std::pair<std::size_t, plain_event>> events)
      : spec_(spec), events_(std::move(events)), within_(spec["within_seconds"].get<std::int64_t>()) {
    for (const auto& step : spec["steps"]) {
      if (step.value("absent", false)) {
        absent_.push_back(step);
        continue;
      }
      steps_.push_back(step);
      before_.push_back(std::exchange(absent_, {}));
    }
  }

  std::vector<std::string> matches(int key) {
    struct live_match {
      std::size_t start;
      fate f;
    };
    std::vector<live_match> live;
    std::vector<std::string> out;
    const bool skip = spec_["after_match"] == "skip_past_last_event";
    const auto tell = [&](const live_match& m) {
      std::string text =
          std::to_string(key) + " " + std::to_string(events_[m.start].second.at) + "-" + std::to_string(m.f.at) + ":";
      for (const auto i : m.f.took) text += " " + std::to_string(events_[i].first);
      out.push_back(text);
    };
    const auto time_passes = [&](std::optional<std::int64_t> until) {
      for (;;) {
        auto next = live.end();
        for (auto m = live.begin(); m != live.end(); ++m)
          if (m->f.at_event == 0 && (!until || m->f.at < *until) && (next == live.end() || m->f.at < next->f.at))
            next = m;
        if (next == live.end()) return;
        const auto m = *next;
        live.erase(next);
        if (m.f.how != fate::matches) continue;
        tell(m);
        if (skip) live.clear();
      }
    };
    for (std::size_t j = 0; j < events_.size(); ++j) {
      time_passes(events_[j].second.at);
      bool taken = false, matched = false;
      for (std::size_t i = 0; i < live.size();) {
        const auto m = live[i];
        taken = taken || std::find(m.f.took.begin(), m.f.took.end(), j) != m.f.took.end();
        if (m.f.at_event != j + 1) {
          ++i;
          continue;
        }
        live.erase(live.begin() + static_cast<std::ptrdiff_t>(i));
        if (m.f.how != fate::matches) continue;
        matched = true;
        tell(m);
        if (skip) {
          live.clear();
          break;
        }
      }
      if (skip && matched) continue;
      if (spec_["start"] == "first" && (taken || !live.empty())) continue;
      if (!is_start(j)) continue;
      live_match m{j, follow(j)};
      if (m.f.how == fate::matches && m.f.at_event == j + 1)
        tell(m);
      else
        live.push_back(m);
    }
    time_passes(std::nullopt);
    return out;
  }

private:
  bool fits(const json& element, std::size_t j, const std::map<std::string, std::vector<std::size_t>>& took) const {
    const auto type = std::string(1, events_[j].second.type);
    const auto& types = element["types"];
    if (std::find(types.begin(), types.end(), type) == types.end()) return false;
    if (!element.contains("ref")) return true;
    const auto ref = element["ref"].get<std::string>();
    const auto name = ref.substr(0, ref.find('.'));
    if (!took.contains(name)) return false;
    const auto& of = took.at(name);
    const auto then = events_[ref.find(".last.") != std::string::npos ? of.back() : of.front()].second.value;
    const auto now = events_[j].second.value;
    const auto op = element["op"].get<std::string>();
    return op == "==" ? now == then : op == ">" ? now > then : op == "<=" ? now <= then : now != then;
  }
  bool is_shown(std::size_t j) const {
    const auto type = std::string(1, events_[j].second.type);
    for (const auto& step : spec_["steps"])
      for (const auto& element : members_of(step))
        if (std::find(element["types"].begin(), element["types"].end(), type) != element["types"].end()) return true;
    return false;
  }
  bool is_start(std::size_t j) const {
    bool fitting = false;
    for (const auto& element : members_of(steps_[0])) fitting = fitting || fits(element, j, {});
    if (!fitting) return false;
    for (const auto& quiet : before_[0])
      for (std::size_t i = 0; i < j; ++i)
        for (const auto& element : members_of(quiet))
          if (fits(element, i, {}) &&
              events_[j].second.at - events_[i].second.at <= quiet.value("within_seconds", within_))
            return false;
    return true;
  }

  fate follow(std::size_t start) const {
    fate f;
    std::map<std::string, std::vector<std::size_t>> took;
    std::size_t step = 0, count = 0;
    std::set<std::string> members;
    const auto began = events_[start].second.at;
    std::int64_t before_complete = began, last = began;
    const auto complete = [&] {
      return steps_[step].contains("all_of")
                 ? members.size() == steps_[step]["all_of"].size()
                 : static_cast<std::int64_t>(count) >= steps_[step].value("min", std::int64_t{1});
    };
    const auto at_end = [&] { return complete() && step + 1 == steps_.size(); };
    const auto limit = [&]() -> std::int64_t { // the last second at which the next event may come
      if (at_end()) {                          // waiting for quiet
        const auto own = absent_.front().value("within_seconds", std::int64_t{0});
        return own > 0 ? last + own : began + within_;
      }
      const auto awaited = complete() ? step + 1 : step;
      const auto own = awaited == 0 ? 0 : steps_[awaited].value("within_seconds", std::int64_t{0});
      const auto from = complete() ? last : before_complete;
      return own > 0 ? std::min(began + within_, from + own) : began + within_;
    };
    const auto take = [&](const json& of, std::size_t j) -> bool { // the first member that fits
      for (const auto& element : members_of(of)) {
        const auto name = element["name"].get<std::string>();
        if (of.contains("all_of") && members.contains(name)) continue;
        if (!fits(element, j, took)) continue;
        took[name].push_back(j);
        members.insert(name);
        ++count;
        last = events_[j].second.at;
        f.took.push_back(j);
        return true;
      }
      return false;
    };
    for (std::size_t j = start; j < events_.size(); ++j) {
      const auto t = events_[j].second.at;
      if (j == start) {
        take(steps_[0], j);
      } else {
        if (t > limit()) break;
        bool moved = false;
        if (complete()) {
          const auto& forbidden = step + 1 == steps_.size() ? absent_ : before_[step + 1];
          for (const auto& no : forbidden)
            for (const auto& element : members_of(no))
              if (fits(element, j, took)) return {fate::breaks, j + 1, t, f.took};
          if (step + 1 < steps_.size()) {
            const auto saved = std::tuple{count, members, last};
            const auto completed_at = last;
            count = 0;
            members.clear();
            if (take(steps_[step + 1], j)) {
              before_complete = completed_at;
              ++step;
              moved = true;
            } else {
              std::tie(count, members, last) = saved;
            }
          }
        }
        if (!moved) {
          const auto& s = steps_[step];
          const auto max = s.contains("all_of") ? std::int64_t{99}
                           : s.contains("max")  ? s["max"].get<std::int64_t>()
                           : s.contains("min")  ? std::int64_t{1} << 40
                                                : std::int64_t{1};
          if (static_cast<std::int64_t>(count) < max) moved = take(s, j);
        }
        if (!moved) {
          if (spec_["contiguity"] == "strict" && is_shown(j) && !at_end()) return {fate::breaks, j + 1, t, f.took};
          continue;
        }
      }
      if (at_end() && absent_.empty()) return {fate::matches, j + 1, t, f.took};
    }
    f.how = at_end() ? fate::matches : fate::expires;
    f.at = limit();
    return f;
  }

  const json& spec_;
  std::vector<std::pair<std::size_t, plain_event>> events_;
  std::int64_t within_;
  std::vector<json> steps_, absent_; ///< absent_: at the end
  std::vector<std::vector<json>> before_;
};

} // namespace

std::vector<std::string> reference_matches(const json& spec, const std::vector<plain_event>& events) {
  std::map<int, std::vector<std::pair<std::size_t, plain_event>>> keys;
  for (std::size_t i = 0; i < events.size(); ++i) keys[events[i].key].emplace_back(i + 1, events[i]);
  std::vector<std::string> out;
  for (const auto& [key, own] : keys) {
    auto found = one_key{spec, own}.matches(key);
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

} // namespace tobit::rule::pattern::samples
