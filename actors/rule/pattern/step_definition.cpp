#include "actors/rule/pattern/step_definition.hpp"

#include "actors/rule/pattern/compiled_pattern.hpp"
#include "actors/rule/trigger_definition.hpp"

#include <algorithm>
#include <array>
#include <cctype>

namespace tobit::rule::pattern {

namespace {

/// Names that placeholders and match documents use for something else.
constexpr std::array<std::string_view, 17> taken_names{
    "rule",       "value",    "summary",          "exec_id",  "fired_at", "trace_id", "labels", "pattern", "key",
    "started_at", "ended_at", "duration_seconds", "severity", "steps",    "matches",  "data",   "metrics"};

bool is_absent(const json& step) { return step.contains("absent"); }

const json* group_of(const json& step) {
  for (const auto* group : {"all_of", "any_of"})
    if (const auto members = step.find(group); members != step.end()) return &*members;
  return nullptr;
}

/// What an element lets through, without its name: to compare two of them.
json filter_of(const json& element) {
  auto out = element;
  for (auto name : {"name", "keep", "absent", "within_seconds", "min", "max"}) out.erase(name);
  return out;
}

/// The pointer of the first `ref` inside groups, or empty.
std::string nested_reference(const json& value, const std::string& pointer) {
  if (value.is_object())
    for (const auto& [name, member] : value.items())
      if (name == "ref") return pointer_append(pointer, name);
  if (value.is_structured()) {
    std::size_t i = 0;
    for (const auto& [name, member] : value.items()) {
      const auto at = value.is_array() ? pointer_append(pointer, i) : pointer_append(pointer, name);
      if (auto found = nested_reference(member, at); !found.empty()) return found;
      ++i;
    }
  }
  return {};
}

constexpr std::string_view reference_alone =
    "A comparison with an earlier step stands alone, or in a list of 'conditions' that are combined with AND.";

} // namespace

json steps_reader::read(const std::vector<written_step>& steps, const std::string& pointer) {
  auto out = json::array();
  for (std::size_t i = 0; i < steps.size() && verdict_.good(); ++i) out.push_back(read_step(steps[i], i, steps.size()));
  if (verdict_.good() && steps.size() > steps_max)
    verdict_.refuse(pointer,
                    "A pattern has at most " + std::to_string(steps_max) + " steps; split it into several rules.");
  if (verdict_.good() && names_.size() > elements_max)
    verdict_.refuse(pointer, "A pattern has at most " + std::to_string(elements_max) + " steps and members in all.");
  if (verdict_.good()) check_together(out, steps, pointer);
  return out;
}

json steps_reader::read_step(const written_step& written, std::size_t index, std::size_t count) {
  const auto what = "Step " + std::to_string(index + 1);
  field_reader in{verdict_, written.spec, written.pointer, what};
  auto out = json::object();
  if (!verdict_.good()) return out;
  const bool absent = in.flag("absent", false);
  const bool edge = index == 0 || index + 1 == count;
  const auto names_before = names_.size();
  const char* group = in.has("all_of") ? "all_of" : in.has("any_of") ? "any_of" : nullptr;
  if (group) {
    for (auto name : {"name", "types", "event_type", "sources", "field", "op", "value", "ref", "conditions", "logic",
                      "case_sensitive", "keep"})
      in.refuse_if_present(name, "A step with '" + std::string(group) + "' has this in its members.");
    in.refuse_if_present(group[1] == 'l' ? "any_of" : "all_of", "A step has either 'all_of' or 'any_of'.");
    out[group] = read_members(in, group, written, what);
  } else {
    for (auto name : {"all_of", "any_of"}) in.any(name);
    read_element(in, out, what);
  }
  if (absent) {
    out["absent"] = true;
    for (auto name : {"min", "max", "times"})
      in.refuse_if_present(name, "What must not come is not counted; remove this from the absence.");
    if (group && group[1] == 'l')
      in.refuse(group, "An absence forbids single events: write 'any_of', or one absence for each.");
    if (!edge)
      in.refuse_if_present("within_seconds",
                           "An absence between two steps lasts from one to the other; remove its 'within_seconds'.");
  } else if (group && group[1] == 'l') {
    for (auto name : {"min", "max", "times"})
      in.refuse_if_present(name, "'all_of' wants each of its members once; repeat single events.");
  } else {
    read_repetition(in, out);
  }
  if (in.has("within_seconds")) {
    const auto within = in.integer("within_seconds", 1, within_seconds_max);
    if (!absent && index == 0)
      in.refuse("within_seconds", "The first step has none before it to count from; remove this.");
    if (!absent && within > within_seconds_)
      in.refuse("within_seconds", "This is longer than the pattern's own 'within_seconds', " +
                                      std::to_string(within_seconds_) + ", and so without effect.");
    out["within_seconds"] = within;
  }
  in.any("within_seconds");
  in.close();
  if (!absent)
    earlier_.insert(earlier_.end(), names_.begin() + static_cast<std::ptrdiff_t>(names_before), names_.end());
  return out;
}

json steps_reader::read_members(field_reader& in, const char* group, const written_step& written,
                                const std::string& what) {
  auto out = json::array();
  const auto* list = in.any(group);
  if (!list->is_array() || list->size() < 2 || list->size() > members_max) {
    in.refuse(group, "'" + std::string(group) + "' is a list of 2 to " + std::to_string(members_max) + " events.");
    return out;
  }
  for (std::size_t i = 0; i < list->size() && verdict_.good(); ++i) {
    const auto at = i < written.members.size() ? written.members[i] : pointer_append(in.pointer_to(group), i);
    const auto name = what + ", member " + std::to_string(i + 1);
    field_reader member{verdict_, (*list)[i], at, name};
    if (!verdict_.good()) break;
    for (auto nested : {"all_of", "any_of"})
      member.refuse_if_present(nested, "Members are single events; 'all_of' and 'any_of' are not nested.");
    for (auto no_member : {"min", "max", "times", "absent", "within_seconds"})
      member.refuse_if_present(no_member, "This belongs to the step, not to its members.");
    auto one = json::object();
    read_element(member, one, name);
    member.close();
    out.push_back(std::move(one));
  }
  return out;
}

void steps_reader::read_element(field_reader& in, json& out, const std::string& what) {
  read_name(in, out, what);
  auto types = in.texts("types", {1, 200}, 50);
  const auto single = in.text("event_type", {1, 200}, std::string{});
  if (!single.empty() && std::find(types.begin(), types.end(), single) == types.end()) types.push_back(single);
  out["types"] = types;
  out["sources"] = in.texts("sources", {1, 500}, 50);
  read_conditions(in, out);
  const auto keep = in.texts("keep", {1, field_path_length_max}, 16);
  for (std::size_t i = 0; i < keep.size(); ++i)
    if (const auto fault = field_path::fault_of(keep[i]); !fault.empty())
      verdict_.refuse(pointer_append(in.pointer_to("keep"), i), std::string(fault));
  if (!keep.empty()) out["keep"] = keep;
  if (verdict_.good() && takes_all(out["types"]) && takes_all(out["sources"]) && !out.contains("field") &&
      !out.contains("conditions")) {
    for (auto name : {"absent", "min", "max", "times", "within_seconds"}) in.any(name);
    in.close(); // a misspelt field is the better complaint
    verdict_.refuse(in.pointer(), what + " would take every event. Give it event 'types' or 'sources', or a condition: "
                                         "'field', 'op' and 'value'.");
  }
}

void steps_reader::read_name(field_reader& in, json& out, const std::string& what) {
  const auto in_use = [&](std::string_view name) {
    return std::find(names_.begin(), names_.end(), name) != names_.end();
  };
  if (in.has("name")) {
    const auto name = in.text("name", {1, 40});
    const auto fits = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '_'; };
    if (!name.empty() &&
        (!std::all_of(name.begin(), name.end(), fits) || std::isdigit(static_cast<unsigned char>(name[0]))))
      in.refuse("name",
                "The name of a step is made of letters, digits and '_', and begins with a letter: messages use it "
                "as {{" +
                    std::string("A") + ".user}}.");
    else if (std::find(taken_names.begin(), taken_names.end(), name) != taken_names.end())
      in.refuse("name", "'" + name + "' means something else in messages; give the step another name.");
    else if (in_use(name))
      in.refuse("name", what + " has the name '" + name + "' of an earlier step; each step has its own.");
    out["name"] = name;
  } else {
    in.any("name");
    std::string name = "A";
    for (int n = 0; in_use(name); ++n)
      name = n < 25 ? std::string(1, static_cast<char>('B' + n)) : "A" + std::to_string(n);
    out["name"] = name;
  }
  names_.push_back(out["name"].get<std::string>());
}

void steps_reader::read_conditions(field_reader& in, json& out) {
  if (in.has("conditions")) {
    for (auto name : {"field", "op", "value", "ref", "case_sensitive"})
      in.refuse_if_present(name, "Write either one comparison (field, op, value) or a list of 'conditions', not both.");
    auto logic = in.choice("logic", {"AND", "OR", "NOT", "and", "or", "not"}, "AND");
    std::transform(logic.begin(), logic.end(), logic.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    const auto* list = in.any("conditions");
    if (!list->is_array() || list->empty())
      return in.refuse("conditions", "'conditions' is a list with at least one condition.");
    auto members = json::array();
    for (std::size_t i = 0; i < list->size() && verdict_.good(); ++i) {
      const auto& member = (*list)[i];
      const auto at = pointer_append(in.pointer_to("conditions"), i);
      const bool refers = member.is_object() && member.contains("ref") && !member.contains("conditions");
      if (refers && logic == "AND") {
        members.push_back(read_reference(member, at));
        continue;
      }
      if (const auto nested = nested_reference(member, at); !nested.empty())
        verdict_.refuse(nested, std::string(reference_alone));
      members.push_back(read_condition(verdict_, member, at, comparisons_, 1));
    }
    out["conditions"] = std::move(members);
    out["logic"] = logic;
    return;
  }
  in.refuse_if_present("logic", "'logic' combines a list of 'conditions'; remove it from a single comparison.");
  in.any("conditions");
  if (!in.has("field"))
    for (auto name : {"op", "value", "ref", "case_sensitive"})
      in.refuse_if_present(name, "A comparison needs the 'field' that it looks at.");
  auto single = json::object();
  for (auto name : {"field", "op", "value", "ref", "case_sensitive"}) {
    in.any(name);
    if (in.present(name)) single[name] = in.raw(name);
  }
  if (!in.has("field")) return;
  if (in.has("ref"))
    out.update(read_reference(single, in.pointer()));
  else {
    single.erase("ref");
    out.update(read_condition(verdict_, single, in.pointer(), comparisons_));
  }
}

json steps_reader::read_reference(const json& spec, const std::string& pointer) {
  field_reader in{verdict_, spec, pointer, "A comparison with an earlier step"};
  json out{{"field", read_path(in, "field")}};
  const auto written = in.text("op", {1, 20}, "==");
  const auto op = parse_comparison_op(written);
  if (!op || op == comparison_op::in || op == comparison_op::not_in)
    in.refuse("op", "'" + clip_text(written, 20) +
                        "' does not compare with an earlier step; use >, <, >=, <=, ==, !=, contains, starts_with or "
                        "ends_with.");
  out["op"] = to_string(op.value_or(comparison_op::equal));
  in.refuse_if_present("value", "Compare either with a 'value' or with an earlier step ('ref'), not both.");
  const auto ref = in.text("ref", {1, field_path_length_max + 50});
  const auto dot = ref.find('.');
  const auto name = ref.substr(0, dot);
  if (verdict_.good()) {
    if (dot == std::string::npos)
      in.refuse("ref", "Write the name of an earlier step, a dot and a field, e.g. 'A.user' or 'A.last.user'.");
    else if (std::find(earlier_.begin(), earlier_.end(), name) == earlier_.end()) {
      std::string known;
      for (const auto& one : earlier_) known += (known.empty() ? "" : ", ") + one;
      in.refuse("ref", "'" + clip_text(name, 40) + "' is not the name of an earlier step that takes events" +
                           (known.empty() ? "; there is none before this one." : ". There is " + known + "."));
    } else if (const auto fault = field_path::fault_of(std::string_view(ref).substr(dot + 1)); !fault.empty())
      in.refuse("ref", std::string(fault));
  }
  out["ref"] = ref;
  if (!in.flag("case_sensitive", true)) out["case_sensitive"] = false;
  in.close();
  if (++comparisons_ > conditions_max)
    verdict_.refuse(pointer, "A rule has at most " + std::to_string(conditions_max) +
                                 " comparisons; split it into several rules.");
  return out;
}

void steps_reader::read_repetition(field_reader& in, json& out) {
  if (in.has("times")) {
    for (auto name : {"min", "max"})
      in.refuse_if_present(name, "'times' says both 'min' and 'max'; write one or the other.");
    const auto times = in.integer("times", 1, repetition_max);
    if (times > 1) out["min"] = out["max"] = times;
    return;
  }
  in.any("times");
  const auto min = in.integer("min", 1, repetition_max, 1);
  const auto max = in.integer("max", 1, repetition_max, 0);
  if (in.has("max") && max < min)
    in.refuse("max", "'max' is at least 'min', " + std::to_string(min) + "; this step could never be complete.");
  if (!in.has("min") && !in.has("max")) return;
  out["min"] = min;
  if (in.has("max")) out["max"] = max;
}

/// What only shows when the steps stand side by side.
void steps_reader::check_together(const json& steps, const std::vector<written_step>& written,
                                  const std::string& pointer) {
  const auto first = std::find_if_not(steps.begin(), steps.end(), is_absent);
  if (first == steps.end())
    return verdict_.refuse(pointer,
                           "A pattern needs a step that waits for an event; something that never comes at all is "
                           "no pattern.");
  const auto last = std::find_if_not(steps.rbegin(), steps.rend(), is_absent).base() - 1;
  const bool ends_quiet = last + 1 != steps.end();
  if (steps.size() == 1 && !group_of(steps[0]) && steps[0].value("min", 1) == 1)
    return verdict_.refuse(pointer,
                           "One event alone is no pattern; use trigger_type 'event', or say what comes before or "
                           "after it.");
  if (steps.size() == 1 && steps[0].contains("any_of") && steps[0].value("min", 1) == 1)
    return verdict_.refuse(pointer, "Any of several events alone is no pattern; use trigger_type 'event'.");
  const auto place = [&](const auto& at) { return written[static_cast<std::size_t>(at - steps.begin())].pointer; };
  if (!ends_quiet && last->contains("min") && last->value("max", last->at("min").get<int>()) != last->at("min"))
    verdict_.refuse(pointer_append(place(last), "max"),
                    "The last step is complete with its 'min' events, so that 'max' has no effect; remove it.");
  json shared;
  for (auto at = steps.begin(); at != steps.end(); ++at) {
    if (!is_absent(*at)) {
      shared = nullptr;
      continue;
    }
    const auto after = std::find_if_not(at, steps.end(), is_absent);
    if (at > first && after != steps.end()) {
      const auto* forbidden = group_of(*at);
      const auto* wanted = group_of(*after);
      const auto alike = [](const json& a, const json& b) { return filter_of(a) == filter_of(b); };
      if (!forbidden && !wanted && alike(*at, *after))
        verdict_.refuse(place(at), "This absence forbids the very events that the step after it waits for, so that the "
                                   "pattern could never match.");
      if (at->contains("within_seconds"))
        verdict_.refuse(pointer_append(place(at), "within_seconds"),
                        "An absence between two steps lasts from one to the other; remove its 'within_seconds'.");
      continue;
    }
    const auto own = at->value("within_seconds", json());
    if (at != steps.begin() && is_absent(*(at - 1)) && own != shared)
      verdict_.refuse(place(at),
                      "Absences that stand side by side share one 'within_seconds'; write the same in each.");
    shared = own;
  }
}

} // namespace tobit::rule::pattern
