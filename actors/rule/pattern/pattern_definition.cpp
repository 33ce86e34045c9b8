#include "actors/rule/pattern/pattern_definition.hpp"

#include "actors/rule/pattern/compiled_pattern.hpp"
#include "actors/rule/pattern/pattern_text.hpp"
#include "actors/rule/pattern/step_definition.hpp"
#include "actors/rule/trigger_definition.hpp"
#include "schemas/entity/interest_spec.hpp"

#include <algorithm>

namespace tobit::rule::pattern {

namespace {

/// The steps as they are written, each with the place that complaints about it point to.
std::vector<written_step> written_steps(field_reader& in, json& line) {
  std::vector<written_step> out;
  if (in.has("pattern")) {
    for (auto name : {"steps", "within_seconds"})
      in.refuse_if_present(name,
                           "'pattern' says in one line what 'steps' and 'within_seconds' say; write one of both.");
    const auto text = in.text("pattern", {1, 1'000});
    const auto* given = in.any("where");
    if (given && !given->is_object())
      in.refuse("where", "'where' is an object: conditions for each name that the pattern uses.");
    const auto where = given && given->is_object() ? *given : json::object();
    for (const auto& [name, conditions] : where.items())
      if (!conditions.is_object())
        in.problems().refuse(pointer_append(in.pointer_to("where"), name),
                             "The conditions of a name are a JSON object.");
    if (!in.problems().good()) return out;
    auto parsed = parse_pattern_text(text, where);
    if (!parsed) {
      in.refuse("pattern", parsed.error().message);
      return out;
    }
    line = std::move(*parsed);
    const auto place = [&](const json& step) {
      const auto name = step.value("name", "");
      return where.contains(name) ? pointer_append(in.pointer_to("where"), name) : in.pointer_to("pattern");
    };
    std::vector<std::string> used;
    for (const auto& step : line["steps"]) {
      out.push_back({step, place(step), {}});
      for (const auto* group : {"all_of", "any_of"})
        if (step.contains(group))
          for (const auto& member : step[group]) {
            out.back().members.push_back(place(member));
            used.push_back(member.value("name", ""));
          }
      used.push_back(step.value("name", ""));
    }
    for (const auto& [name, conditions] : where.items())
      if (std::find(used.begin(), used.end(), name) == used.end())
        in.problems().refuse(pointer_append(in.pointer_to("where"), name),
                             "The pattern does not use the name '" + clip_text(name, 60) + "'.");
    return out;
  }
  in.refuse_if_present("where",
                       "'where' belongs to a 'pattern' in one line; conditions of 'steps' stand in the steps.");
  const auto* steps = in.any("steps");
  if (!steps) {
    for (auto name : {"pattern", "within_seconds", "group_by", "start", "contiguity", "after_match", "max_keys",
                      "max_partial_matches", "max_partial_matches_per_key", "time", "allowed_lateness_seconds"})
      in.any(name);
    in.close(); // a misspelt field is the better complaint
    in.refuse("steps", "A pattern needs 'steps', or a 'pattern' in one line: 'A then B within 5m'.");
  } else if (!steps->is_array() || steps->empty() || steps->size() > steps_max) {
    in.refuse("steps", "'steps' is a list of 1 to " + std::to_string(steps_max) + " steps.");
  } else {
    for (std::size_t i = 0; i < steps->size(); ++i)
      out.push_back({(*steps)[i], pointer_append(in.pointer_to("steps"), i), {}});
  }
  return out;
}

json read_group_by(field_reader& in, const json& line) {
  if (line.contains("group_by")) {
    in.refuse_if_present("group_by", "The pattern names the fields behind 'by' already.");
    for (const auto& path : line["group_by"])
      if (const auto fault = field_path::fault_of(path.get<std::string>()); !fault.empty())
        in.refuse("pattern", "'" + clip_text(path.get<std::string>(), 60) + "' is not a field: " + std::string(fault));
    if (line["group_by"].size() > 5) in.refuse("pattern", "'by' takes at most 5 fields.");
    return line["group_by"];
  }
  const auto paths = in.texts("group_by", {1, field_path_length_max}, 5);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    const bool list = in.has("group_by") && in.raw("group_by").is_array();
    const auto at = list ? pointer_append(in.pointer_to("group_by"), i) : in.pointer_to("group_by");
    if (const auto fault = field_path::fault_of(paths[i]); !fault.empty()) in.problems().refuse(at, std::string(fault));
    if (std::find(paths.begin(), paths.begin() + static_cast<std::ptrdiff_t>(i), paths[i]) !=
        paths.begin() + static_cast<std::ptrdiff_t>(i))
      in.problems().refuse(at, "The field '" + clip_text(paths[i], 60) + "' stands in 'group_by' twice.");
  }
  return paths;
}

void read_bounds(field_reader& in, json& out) {
  out["max_keys"] = in.integer("max_keys", 1, 1'000'000, 10'000);
  out["max_partial_matches"] = in.integer("max_partial_matches", 1, 1'000'000, 10'000);
  out["max_partial_matches_per_key"] = in.integer("max_partial_matches_per_key", 1, 1'000, 100);
  out["time"] = in.choice("time", {"event", "arrival"}, "event");
  out["allowed_lateness_seconds"] = in.integer("allowed_lateness_seconds", 0, lateness_seconds_max, 0);
  if (out["time"] == "arrival" && out["allowed_lateness_seconds"] != 0)
    in.refuse("allowed_lateness_seconds", "By time of arrival nothing is late; remove this, or set 'time' to 'event'.");
}

} // namespace

json read_pattern(field_reader& in) {
  for (auto name : {"window", "window_config", "aggregation"})
    in.refuse_if_present(name,
                         "A pattern has no windows; count events with 'min' of a step, or use trigger_type 'event'.");
  auto line = json::object();
  const auto written = written_steps(in, line);
  json out{{"steps", json::array()}, {"within_seconds", 0}};
  if (line.contains("within_seconds")) {
    const auto within = line["within_seconds"].get<std::int64_t>();
    if (within < 1 || within > within_seconds_max) in.refuse("pattern", "A pattern takes 1 second to 30 days.");
    out["within_seconds"] = within;
  } else if (in.problems().good()) {
    if (!in.has("within_seconds"))
      in.refuse(
          "within_seconds",
          "A pattern needs 'within_seconds', the time from its first event to its last; without it, it would wait "
          "for ever.");
    out["within_seconds"] = in.integer("within_seconds", 1, within_seconds_max);
  }
  if (line.contains("start")) in.refuse_if_present("start", "The pattern says 'every' or 'first' already.");
  out["start"] = in.choice("start", {"every", "first"}, line.value("start", "every"));
  if (in.problems().good()) {
    steps_reader steps{in.problems(), out["within_seconds"].get<std::int64_t>()};
    out["steps"] = steps.read(written, in.has("pattern") ? in.pointer_to("pattern") : in.pointer_to("steps"));
  }
  out["contiguity"] = in.choice("contiguity", {"relaxed", "strict"}, "relaxed");
  // Each match begins with another event here, so that the next one is never skipped.
  const auto after =
      in.choice("after_match", {"skip_past_last_event", "no_skip", "skip_to_next"}, "skip_past_last_event");
  out["after_match"] = after == "skip_to_next" ? "no_skip" : after;
  if (in.problems().good()) {
    const auto& steps = out["steps"];
    if (out["contiguity"] == "strict")
      for (std::size_t i = 1; i + 1 < steps.size(); ++i)
        if (steps[i].contains("absent"))
          in.problems().refuse(written[i].pointer,
                               "With 'strict' nothing may come between the steps anyway; remove this absence, or "
                               "set 'contiguity' to 'relaxed'.");
  }
  out["group_by"] = read_group_by(in, line);
  read_bounds(in, out);
  return out;
}

json event_interest_of(const json& trigger_spec) {
  entity::event_interest wanted;
  bool all_types = false, all_sources = false;
  const auto add = [](std::vector<std::string>& to, const json& from, bool& all) {
    all = all || from.empty();
    for (const auto& text : from)
      if (std::find(to.begin(), to.end(), text.get_ref<const std::string&>()) == to.end())
        to.push_back(text.get<std::string>());
  };
  const auto add_element = [&](const json& element) {
    add(wanted.types, element.at("types"), all_types);
    add(wanted.sources, element.at("sources"), all_sources);
  };
  for (const auto& step : trigger_spec.at("steps")) {
    const auto members = step.find(step.contains("all_of") ? "all_of" : "any_of");
    if (members == step.end())
      add_element(step);
    else
      for (const auto& member : *members) add_element(member);
  }
  if (all_types) wanted.types.clear();
  if (all_sources) wanted.sources.clear();
  return wanted;
}

} // namespace tobit::rule::pattern
