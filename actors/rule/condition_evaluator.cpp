#include "actors/rule/condition_evaluator.hpp"

namespace tobit::rule {

key_verdict condition_evaluator::keyed(const input& in, trigger_verdict verdict) const {
  key_verdict out;
  if (!groups_.empty()) {
    std::string key;
    groups_.read(in.where, key);
    out.key = groups_.text_of(key);
    out.labels = groups_.labels_of(key);
  }
  out.at = in.time;
  out.verdict = std::move(verdict);
  return out;
}

void condition_evaluator::take(const input& in, std::vector<key_verdict>& out) {
  if (!in.event) return out.push_back(keyed(in, when_.explain(in.where, {}, false)));
  // Most events match no rule: they must cost nothing but the comparison.
  if (when_.matches(in.where))
    out.push_back(keyed(in, when_.explain(in.where, {}, false)));
  else if (all_verdicts_) {
    trigger_verdict none;
    none.value = when_.value_in(in.where);
    out.push_back(keyed(in, std::move(none)));
  }
}

key_verdict condition_evaluator::preview(const input& in) const { return keyed(in, when_.explain(in.where, {}, true)); }

} // namespace tobit::rule
