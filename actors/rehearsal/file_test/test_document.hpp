#pragma once

#include "actors/rehearsal/file_test/located_document.hpp"
#include "schemas/time.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

/// Tests of rules in a file, as `tobit rule test` reads them. docs/rehearsal.md describes them for users.
namespace tobit::rehearsal {

/// A definition under test, and where its fields stand.
struct tested_definition {
  std::string key; ///< of the entity
  json body;
  std::shared_ptr<const located_document> from;
  std::string pointer; ///< of the body in that file
  bool fails = false;  ///< channels: whatever they send is refused by the other side
};

/// What should be true of rules and alerts.
struct status_wish {
  enum class status { firing, pending, resolved, nothing };
  status is = status::firing;
  std::string rule;                  ///< name or id; empty: any
  json key;                          ///< values of group_by; null: any
  json labels = json::object();      ///< these must be there
  std::vector<std::string> contains; ///< texts in the summary or the references
  std::optional<std::int64_t> times;
  std::string where;
};

/// What should have been told or done.
struct act_wish {
  enum class kind { notification, no_notification, action };
  kind is = kind::notification;
  std::string channel, reason, severity; ///< empty: any
  std::string type, rule;                ///< of an action: "store", "webhook", …
  std::vector<std::string> contains;
  std::optional<std::int64_t> times;
  std::string where;
};

/// One line of a timeline.
struct test_step {
  enum class act { none, push, metric, tick, trigger, silence, acknowledge };
  std::optional<std::chrono::microseconds> at; ///< since the start; nothing: `after` the step before
  std::chrono::microseconds after{0};
  act does = act::none;
  json body; ///< of the act
  std::int64_t repeat = 1;
  std::chrono::microseconds every{0};
  std::vector<status_wish> statuses;
  std::vector<act_wish> acts;
  std::string where;
};

struct test_case {
  std::string name, where;
  std::vector<test_step> timeline;
};

/// A whole file, checked as far as that goes without the definitions' own kinds.
struct test_document {
  std::string file;
  utc_time start;
  std::vector<tested_definition> rules, channels;
  std::optional<tested_definition> alerting;
  std::vector<test_case> tests;
};

inline constexpr std::int64_t repeat_max = 1'000'000;

/// Reads a test file. `path` of definitions are relative to the file. Untrusted; ends on every input.
file_result<test_document> read_test_file(const std::string& path);
/// The same from a text; `folder` is what paths are relative to.
file_result<test_document> read_test_text(std::string_view text, const std::string& name, const std::string& folder);

/// `1h30m`, `10s` for people.
std::string shown_offset(std::chrono::microseconds since_start);

} // namespace tobit::rehearsal
