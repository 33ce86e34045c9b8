#pragma once

#include "actors/rehearsal/course.hpp"
#include "actors/rehearsal/file_test/test_document.hpp"
#include "actors/rehearsal/scene.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace tobit::rehearsal {

/// What happened in a test: a line for each thing, the present state of alerts, and how expectations compare with it.
class happenings {
public:
  /// Both outlive this.
  happenings(const course& what, const scene& where, utc_time start) : course_(what), scene_(where), start_(start) {}

  /// Adds a line of the test's own, e.g. what was pushed.
  void note(utc_time at, std::string line);
  /// Takes in what happened since the last call.
  void catch_up();
  /// What happens from now on counts for the next expectations.
  void turn_page();

  /// Empty if the expectation is met, else what happened instead.
  std::string compare(const status_wish& wish) const;
  std::string compare(const act_wish& wish) const;

  /// The expectation as a sentence.
  static std::string in_words(const status_wish& wish);
  static std::string in_words(const act_wish& wish);

  /// The last lines, at most `lines_max`.
  std::vector<std::string> timeline(std::size_t lines_max) const;

  /// Ids of alerts that fire now, of this rule (name or id; empty: any) and key (null: any).
  std::vector<std::string> firing_alerts(const std::string& rule, const json& key) const;

private:
  struct marks {
    std::size_t firings = 0, alert_steps = 0, notices = 0, departures = 0, records = 0, rows = 0, refusals = 0;
  };
  marks all() const;
  bool is_rule(const std::string& rule_id, const std::string& wanted) const;
  std::string name_of(const std::string& rule_id) const;
  bool fits(const alert_step& alert, const status_wish& wish) const;
  std::size_t count_firings(const status_wish& wish) const;
  std::vector<const alert_step*> standing(const status_wish& wish, std::string_view status) const;
  std::size_t count_acts(const act_wish& wish) const;
  bool fits(const notice& one, const act_wish& wish) const;
  std::string found(const status_wish& wish) const;
  std::string found(const act_wish& wish) const;

  const course& course_;
  const scene& scene_;
  const utc_time start_;
  marks seen_, page_;
  std::map<std::string, alert_step> alerts_; ///< by id: the latest step of each that is not over
  std::vector<std::pair<utc_time, std::string>> lines_;
};

} // namespace tobit::rehearsal
