#include "actors/rehearsal/file_test/test_document.hpp"

#include "config/formats.hpp"

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <set>
#include <utility>

namespace tobit::rehearsal {

namespace {

using std::chrono::microseconds;

constexpr std::size_t tests_max = 10'000, steps_max = 100'000, definitions_max = 10'000;

/// One object of the file: reads its fields and complains about those it does not know.
class section {
public:
  section(const located_document& from, std::string pointer, const json& value, std::string what)
      : from_(from), pointer_(std::move(pointer)), value_(value), what_(std::move(what)) {
    if (!value.is_object()) complain("", what_ + " is a map of fields, e.g. `at: 10s`.");
  }

  [[noreturn]] void complain(std::string_view field, std::string message) const {
    throw flaw_found{from_.flaw(field.empty() ? pointer_ : pointer_append(pointer_, field), std::move(message))};
  }
  const json* find(std::string_view name) {
    known_.insert(std::string(name));
    const auto found = value_.find(name);
    return found == value_.end() || found->is_null() ? nullptr : &*found;
  }
  std::string text(std::string_view name, std::string otherwise = {}) {
    const auto* found = find(name);
    if (!found) return otherwise;
    if (found->is_string()) return found->get<std::string>();
    if (found->is_number() || found->is_boolean()) return to_text(*found);
    complain(name, "'" + std::string(name) + "' is a text.");
  }
  std::vector<std::string> texts(std::string_view name) {
    const auto* found = find(name);
    std::vector<std::string> out;
    if (!found) return out;
    const auto take = [&](const json& one) {
      if (one.is_structured()) complain(name, "'" + std::string(name) + "' is a text or a list of texts.");
      out.push_back(one.is_string() ? one.get<std::string>() : to_text(one));
    };
    if (found->is_array())
      std::for_each(found->begin(), found->end(), take);
    else
      take(*found);
    return out;
  }
  std::optional<std::int64_t> whole(std::string_view name, std::int64_t least, std::int64_t most) {
    const auto* found = find(name);
    if (!found) return std::nullopt;
    if (!found->is_number_integer() || *found < least || *found > most)
      complain(name, "'" + std::string(name) + "' is a whole number from " + std::to_string(least) + " to " +
                         std::to_string(most) + ".");
    return found->get<std::int64_t>();
  }
  std::optional<microseconds> duration(std::string_view name) {
    const auto* found = find(name);
    if (!found) return std::nullopt;
    const auto read = config::parse_duration(found->is_string() ? found->get<std::string>() : to_text(*found));
    if (!read) complain(name, "'" + std::string(name) + "' is a duration, e.g. 10s, 5m or 1h30m.");
    return *read;
  }
  /// Complains about the first field that nobody asked for.
  void close() const {
    for (const auto& [name, unused] : value_.items()) {
      if (known_.count(name)) continue;
      std::string list;
      for (const auto& one : known_) list += (list.empty() ? "" : ", ") + one;
      complain(name, what_ + " has no field '" + name + "'; it knows " + list + ".");
    }
  }
  std::string where(std::string_view field = {}) const {
    return from_.where(field.empty() ? pointer_ : pointer_append(pointer_, field));
  }
  std::string pointer(std::string_view field) const { return pointer_append(pointer_, field); }
  const located_document& from() const noexcept { return from_; }

private:
  const located_document& from_;
  std::string pointer_;
  const json& value_;
  std::string what_;
  std::set<std::string> known_;
};

class reader {
public:
  reader(std::shared_ptr<const located_document> from, std::string folder)
      : from_(std::move(from)), folder_(std::move(folder)) {}

  test_document run() {
    test_document out;
    out.file = from_->name();
    section top{*from_, "", from_->value(), "A test file"};
    const auto start = top.text("start", "2026-01-01T00:00:00Z");
    const auto moment = parse_rfc3339(start);
    if (!moment) top.complain("start", "'start' is a time such as 2026-01-01T00:00:00Z.");
    out.start = *moment;
    const auto name = top.text("name");
    if (const auto* rules = top.find("rules")) read_rules(top, *rules, out);
    if (out.rules.empty())
      top.complain("rules", "A test file needs 'rules': a list of definitions, or of `path: FILE`.");
    if (const auto* channels = top.find("channels")) read_channels(top, *channels, out);
    if (const auto* alerting = top.find("alerting"))
      out.alerting = definition(top.pointer("alerting"), *alerting, "default");
    const auto* tests = top.find("tests");
    const auto* timeline = top.find("timeline");
    if (tests && timeline) top.complain("timeline", "A file has either 'tests' or one 'timeline'.");
    if (tests) read_tests(top, *tests, out);
    if (timeline)
      out.tests.push_back(
          {name.empty() ? "timeline" : name, top.where("timeline"), read_timeline(top.pointer("timeline"), *timeline)});
    if (out.tests.empty()) top.complain("", "A test file needs 'tests' or a 'timeline'.");
    top.close();
    return out;
  }

private:
  [[noreturn]] void complain(const std::string& pointer, std::string message) const {
    throw flaw_found{from_->flaw(pointer, std::move(message))};
  }

  // -- definitions --

  tested_definition definition(const std::string& pointer, const json& value, std::string key) const {
    if (!value.is_object()) complain(pointer, "A definition is a map of fields, or `path: FILE`.");
    const auto path = value.find("path");
    if (path == value.end() || value.size() > 1) return {std::move(key), value, from_, pointer, false};
    if (!path->is_string()) complain(pointer, "'path' is the name of a file.");
    auto other = located_document::read_file((std::filesystem::path(folder_) / path->get<std::string>()).string());
    if (!other) throw flaw_found{{from_->where(pointer), other.error().where + ": " + other.error().message}};
    auto shared = std::make_shared<const located_document>(std::move(*other));
    return {std::move(key), shared->value(), shared, "", false};
  }

  void read_rules(section& top, const json& rules, test_document& out) const {
    if (!rules.is_array()) top.complain("rules", "'rules' is a list of definitions, or of `path: FILE`.");
    std::set<std::string> keys;
    for (std::size_t i = 0; i < rules.size() && i < definitions_max; ++i) {
      const auto pointer = pointer_append(top.pointer("rules"), i);
      auto one = definition(pointer, rules[i], "");
      // A file may hold several rules, as `tobit rule list --json` prints them.
      if (one.body.is_object() && one.body.contains("rules") && one.body["rules"].is_array()) {
        for (std::size_t k = 0; k < one.body["rules"].size(); ++k) {
          tested_definition inner = one;
          inner.body = one.body["rules"][k];
          inner.pointer = pointer_append(one.pointer + "/rules", k);
          add_rule(std::move(inner), keys, out);
        }
        continue;
      }
      add_rule(std::move(one), keys, out);
    }
  }

  static void add_rule(tested_definition one, std::set<std::string>& keys, test_document& out) {
    one.key =
        one.body.is_object()
            ? one.body.value("rule_id", json()).is_string() ? one.body["rule_id"].get<std::string>() : std::string{}
            : std::string{};
    if (one.key.empty()) one.key = "rule-" + std::to_string(out.rules.size() + 1);
    if (!keys.insert(one.key).second)
      throw flaw_found{one.from->flaw(one.pointer, "There are two rules with the id " + one.key + ".")};
    out.rules.push_back(std::move(one));
  }

  void read_channels(section& top, const json& channels, test_document& out) const {
    if (!channels.is_object()) top.complain("channels", "'channels' is a map: the channel's id, then its definition.");
    for (const auto& [key, body] : channels.items()) {
      auto one = definition(pointer_append(top.pointer("channels"), key), body, key);
      if (const auto fails = one.body.find("fails"); fails != one.body.end()) {
        one.fails = *fails == true;
        one.body.erase("fails");
      }
      out.channels.push_back(std::move(one));
    }
  }

  // -- timelines --

  void read_tests(section& top, const json& tests, test_document& out) const {
    if (!tests.is_array() || tests.size() > tests_max)
      top.complain("tests", "'tests' is a list of at most 10,000 tests.");
    for (std::size_t i = 0; i < tests.size(); ++i) {
      section one{*from_, pointer_append(top.pointer("tests"), i), tests[i], "A test"};
      test_case made{one.text("name", "test " + std::to_string(i + 1)), one.where(), {}};
      const auto* timeline = one.find("timeline");
      if (!timeline) one.complain("", "A test needs a 'timeline'.");
      made.timeline = read_timeline(one.pointer("timeline"), *timeline);
      one.close();
      out.tests.push_back(std::move(made));
    }
  }

  std::vector<test_step> read_timeline(const std::string& pointer, const json& list) const {
    if (!list.is_array() || list.empty() || list.size() > steps_max)
      complain(pointer, "A timeline is a list of 1 to 100,000 steps.");
    std::vector<test_step> out;
    bool expects = false;
    microseconds reached{0};
    for (std::size_t i = 0; i < list.size(); ++i) {
      auto one = read_step(pointer_append(pointer, i), list[i]);
      if (one.at && *one.at < reached)
        throw flaw_found{{one.where, "'at' goes back: the step before ends at " + shown_offset(reached) + "."}};
      reached = (one.at ? *one.at : reached + one.after) + one.every * (one.repeat - 1);
      expects = expects || !one.statuses.empty() || !one.acts.empty();
      out.push_back(std::move(one));
    }
    if (!expects) complain(pointer, "This timeline expects nothing, so it cannot fail; add an 'expect'.");
    return out;
  }

  test_step read_step(const std::string& pointer, const json& value) const {
    section in{*from_, pointer, value, "A step"};
    test_step out;
    out.where = in.where();
    out.at = in.duration("at");
    if (const auto after = in.duration("after")) {
      if (out.at) in.complain("after", "A step has either 'at' or 'after'.");
      out.after = *after;
    }
    static constexpr std::pair<std::string_view, test_step::act> acts[] = {
        {"push", test_step::act::push},       {"metric", test_step::act::metric},
        {"tick", test_step::act::tick},       {"trigger", test_step::act::trigger},
        {"silence", test_step::act::silence}, {"ack", test_step::act::acknowledge}};
    for (const auto& [name, act] : acts) {
      const auto* body = in.find(name);
      if (!body) continue;
      if (out.does != test_step::act::none) in.complain(name, "A step does one thing; write a step of its own.");
      out.does = act;
      out.body = *body;
    }
    check_act(in, out);
    out.repeat = in.whole("repeat", 1, repeat_max).value_or(1);
    out.every = in.duration("every").value_or(microseconds{0});
    for_each(in, "expect",
             [&](const std::string& at, const json& one) { out.statuses.push_back(read_status(at, one)); });
    const auto take = [&](std::string_view name, act_wish::kind kind) {
      for_each(in, name, [&](const std::string& at, const json& one) { out.acts.push_back(read_act(at, one, kind)); });
    };
    take("expect_notification", act_wish::kind::notification);
    take("expect_no_notification", act_wish::kind::no_notification);
    take("expect_action", act_wish::kind::action);
    in.close();
    return out;
  }

  void check_act(section& in, const test_step& step) const {
    using act = test_step::act;
    const auto& body = step.body;
    if (step.does == act::push) {
      const auto one = [&](const std::string& pointer, const json& e) {
        if (!e.is_object() || !e.contains("type") || !e["type"].is_string())
          complain(pointer, "An event is a map with at least `type`, e.g. {type: door.opened, data: {door: 7}}.");
      };
      if (!body.is_array()) return one(in.pointer("push"), body);
      for (std::size_t i = 0; i < body.size(); ++i) one(pointer_append(in.pointer("push"), i), body[i]);
    } else if (step.does == act::metric || step.does == act::trigger) {
      const auto name = step.does == act::metric ? "metric" : "trigger";
      if (!body.is_object() || !(body.contains("payload") || body.contains("error")))
        complain(in.pointer(name),
                 std::string("'") + name + "' is a map {rule, payload}; 'rule' may be left out if there is only one.");
    } else if (step.does == act::silence && !body.is_object()) {
      complain(in.pointer("silence"), "'silence' is a map, e.g. {matchers: ['host=\"db-1\"'], for: 1h}.");
    }
  }

  /// A value, or a list of them.
  template <class F>
  static void for_each(section& in, std::string_view name, F take) {
    const auto* found = in.find(name);
    if (!found) return;
    if (!found->is_array()) return take(in.pointer(name), *found);
    for (std::size_t i = 0; i < found->size(); ++i) take(pointer_append(in.pointer(name), i), (*found)[i]);
  }

  status_wish::status status_of(const std::string& pointer, const std::string& word) const {
    using status = status_wish::status;
    if (word == "firing") return status::firing;
    if (word == "pending") return status::pending;
    if (word == "resolved") return status::resolved;
    if (word == "nothing" || word == "inactive") return status::nothing;
    complain(pointer, "'" + word + "' is not known; expect firing, pending, resolved or nothing.");
  }

  status_wish read_status(const std::string& pointer, const json& value) const {
    status_wish out;
    out.where = from_->where(pointer);
    if (value.is_string()) {
      out.is = status_of(pointer, value.get<std::string>());
      return out;
    }
    section in{*from_, pointer, value, "An expectation"};
    const auto word = in.text("status");
    if (word.empty()) in.complain("", "An expectation needs a 'status': firing, pending, resolved or nothing.");
    out.is = status_of(in.pointer("status"), word);
    out.rule = in.text("rule");
    if (const auto* key = in.find("key")) out.key = key->is_array() ? *key : json::array({*key});
    if (const auto* labels = in.find("labels")) {
      if (!labels->is_object()) in.complain("labels", "'labels' is a map of texts.");
      out.labels = *labels;
    }
    out.contains = in.texts("contains");
    out.times = in.whole("times", 0, repeat_max);
    in.close();
    return out;
  }

  act_wish read_act(const std::string& pointer, const json& value, act_wish::kind kind) const {
    act_wish out;
    out.is = kind;
    out.where = from_->where(pointer);
    if (value == true && kind != act_wish::kind::action) return out;
    if (value.is_string()) {
      (kind == act_wish::kind::action ? out.type : out.channel) = value.get<std::string>();
      return out;
    }
    section in{*from_, pointer, value, "An expectation"};
    if (kind == act_wish::kind::action) {
      out.type = in.text("type");
      out.rule = in.text("rule");
    } else {
      out.channel = in.text("channel");
      out.reason = in.text("reason");
      out.severity = in.text("severity");
    }
    out.contains = in.texts("contains");
    if (kind != act_wish::kind::no_notification) out.times = in.whole("times", 0, repeat_max);
    in.close();
    return out;
  }

  const std::shared_ptr<const located_document> from_;
  const std::string folder_;
};

file_result<test_document> read_located(file_result<located_document> document, const std::string& folder) {
  if (!document) return tl::unexpected<file_flaw>(document.error());
  try {
    return reader{std::make_shared<const located_document>(std::move(*document)), folder}.run();
  } catch (const flaw_found& found) {
    return tl::unexpected<file_flaw>(found.what);
  }
}

} // namespace

file_result<test_document> read_test_file(const std::string& path) {
  return read_located(located_document::read_file(path), std::filesystem::path(path).parent_path().string());
}

file_result<test_document> read_test_text(std::string_view text, const std::string& name, const std::string& folder) {
  return read_located(located_document::read(text, name), folder);
}

std::string shown_offset(microseconds since_start) {
  const auto us = since_start.count();
  if (us == 0) return "0s";
  if (us % 1'000'000 != 0) return config::format_duration(since_start);
  auto seconds = us / 1'000'000;
  std::string out;
  for (const auto& [size, letter] : {std::pair{86'400L, 'd'}, {3'600L, 'h'}, {60L, 'm'}, {1L, 's'}})
    if (seconds >= size) {
      out += std::to_string(seconds / size) + letter;
      seconds %= size;
    }
  return out;
}

} // namespace tobit::rehearsal
