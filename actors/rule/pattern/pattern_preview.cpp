// What a pattern would say to events that people try it with. Nothing here changes the rule's state.
#include "actors/rule/pattern/match_report.hpp"
#include "actors/rule/pattern/pattern_evaluator.hpp"

#include <cmath>

namespace tobit::rule::pattern {

namespace {

constexpr std::size_t tried_events_max = 1'000;
constexpr std::size_t shown_matches_max = 10;

constexpr std::string_view how_to = "Give one event with 'type' and 'data', or a list of events (at most 1000), each "
                                    "with 'type', 'data' and 'at' (seconds "
                                    "since the first) or 'time'.";

struct tried_events {
  std::vector<event::event> events;
  std::optional<utc_time> until;
  std::string problem;
};

std::optional<event::event> read_event(const json& item, utc_time base, utc_time otherwise) {
  if (!item.is_object()) return std::nullopt;
  const auto text = [&](const char* name, std::string absent) {
    const auto found = item.find(name);
    return found != item.end() && found->is_string() ? found->get<std::string>() : std::move(absent);
  };
  event::event e;
  e.type = text("type", "");
  if (e.type.empty()) return std::nullopt;
  e.source = text("source", "/test");
  e.subject = text("subject", "");
  e.id = text("id", "");
  e.data = item.value("data", json::object());
  e.time = otherwise;
  if (const auto at = item.find("at"); at != item.end()) {
    if (!at->is_number() || std::abs(at->get<double>()) > 1e9) return std::nullopt;
    e.time = base + std::chrono::microseconds(std::llround(at->get<double>() * 1e6));
  } else if (item.contains("time")) {
    const auto time = parse_rfc3339(text("time", ""));
    if (!time) return std::nullopt;
    e.time = *time;
  }
  return e;
}

tried_events read_tried(const json& payload, utc_time base) {
  tried_events out;
  const auto& list = payload.is_object() && payload.contains("events") ? payload["events"] : payload;
  if (!list.is_array() || list.empty() || list.size() > tried_events_max) {
    out.problem = how_to;
    return out;
  }
  auto otherwise = base;
  for (const auto& item : list) {
    auto e = read_event(item, base, otherwise);
    if (!e) {
      out.problem = "Event " + std::to_string(out.events.size() + 1) + " cannot be read. " + std::string(how_to);
      return out;
    }
    if (e->id.empty()) e->id = std::to_string(out.events.size() + 1);
    otherwise = e->time + std::chrono::seconds{1};
    out.events.push_back(std::move(*e));
  }
  if (payload.is_object() && payload.contains("until")) {
    const auto& until = payload["until"];
    if (until.is_number() && std::abs(until.get<double>()) <= 1e9) {
      out.until = base + std::chrono::microseconds(std::llround(until.get<double>() * 1e6));
    } else if (const auto time = parse_rfc3339(until.is_string() ? until.get<std::string>() : ""); time) {
      out.until = *time;
    } else {
      out.problem = "'until' is a number of seconds since the first event, or a time.";
    }
  }
  return out;
}

} // namespace

key_verdict pattern_evaluator::preview(const input& in) const {
  pattern_evaluator copy{definition_, std::chrono::seconds{0}};
  std::vector<key_verdict> verdicts;
  std::string problem;
  if (in.event) {
    if (const auto same = copy.restore(snapshot()); !same) problem = same.error().message;
    copy.take(in, verdicts);
  } else {
    const auto tried = read_tried(*in.where.data, in.time);
    problem = tried.problem;
    utc_time latest = in.time;
    if (problem.empty()) {
      for (const auto& e : tried.events) {
        // They arrive in the order of the list, each when it happened unless a later one came before.
        latest = std::max(latest, e.time);
        copy.take({subject::of(e), e.time, latest, &e}, verdicts);
      }
      const auto all_over = std::chrono::microseconds(std::max(by_.within_us, by_.quiet_after_us) + by_.quiet_after_us +
                                                      by_.lateness_us + 1'000'000);
      copy.advance(tried.until.value_or(latest + all_over), verdicts);
    }
  }
  key_verdict out;
  if (!verdicts.empty()) {
    auto matches = json::array();
    for (std::size_t i = 0; i < verdicts.size() && i < shown_matches_max; ++i) matches.push_back(verdicts[i].woken_by);
    const auto count = verdicts.size();
    out = std::move(verdicts.front());
    out.verdict.references["matches"] = std::move(matches);
    out.verdict.references["match_count"] = count;
    return out;
  }
  out.at = in.time;
  out.verdict.error = problem;
  const auto state = copy.view().at("pattern");
  out.verdict.references = {{"pattern", by_.text},
                            {"condition_evaluated", false},
                            {"partial_matches", state.at("partial_matches")},
                            {"under_way", state.at("examples")},
                            {"reason", problem.empty() ? "No match is complete with this." : problem}};
  return out;
}

} // namespace tobit::rule::pattern
