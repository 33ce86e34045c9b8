#include "actors/rule/anomaly_evaluator.hpp"

#include <algorithm>

namespace tobit::rule {

void anomaly_evaluator::take(const input& in, std::vector<key_verdict>& out) {
  key_verdict judged;
  judged.at = in.time;
  judged.verdict = when_.explain(in.where, learned_, false);
  if (when_.learns() && judged.verdict.value) {
    learn(judged.verdict.value->approximate());
    added_.push_back(judged.verdict.value->approximate());
  }
  out.push_back(std::move(judged));
}

key_verdict anomaly_evaluator::preview(const input& in) const {
  key_verdict out;
  out.at = in.time;
  out.verdict = when_.explain(in.where, learned_, true);
  return out;
}

void anomaly_evaluator::learn(double value) {
  learned_.push_back(value);
  if (learned_.size() > when_.detector()->baseline_max()) learned_.erase(learned_.begin());
}

std::string anomaly_evaluator::snapshot() const { return to_text(json(learned_)); }

result<void> anomaly_evaluator::restore(std::string_view snapshot) {
  learned_.clear();
  added_.clear();
  if (snapshot.empty()) return {};
  const auto values = parse_json(snapshot);
  if (!values || !values->is_array()) return fail(error_code::internal_server_error, "The baseline is damaged.");
  for (const auto& value : *values)
    if (value.is_number()) learn(value.get<double>());
  return {};
}

json anomaly_evaluator::drain_record() {
  if (added_.empty()) return nullptr;
  return {{"values", std::exchange(added_, {})}};
}

void anomaly_evaluator::replay(const json& record) {
  for (const auto& value : record.value("values", json::array())) learn(value.get<double>());
}

json anomaly_evaluator::view() const {
  const auto& values = when_.baseline(learned_);
  json summary;
  if (!values.empty()) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    double sum = 0;
    for (double v : values) sum += v;
    summary = {{"min", *low}, {"max", *high}, {"mean", sum / static_cast<double>(values.size())}};
  }
  return {{"anomaly",
           {{"method", when_.detector()->method()},
            {"baseline_count", values.size()},
            {"baseline_source", when_.learns() ? "learned" : "trigger_spec"},
            {"baseline_summary", std::move(summary)}}}};
}

} // namespace tobit::rule
