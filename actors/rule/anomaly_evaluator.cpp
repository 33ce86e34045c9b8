#include "actors/rule/anomaly_evaluator.hpp"

#include "actors/rule/make_evaluator.hpp"
#include "actors/rule/packed_bytes.hpp"

#include <algorithm>

namespace tobit::rule {

namespace {

constexpr std::uint64_t layout = 1;
constexpr std::size_t key_overhead = 160, season_overhead = 64; ///< bytes, roughly
const std::vector<double> nothing_yet;

} // namespace

anomaly_evaluator::anomaly_evaluator(const json& definition, const trigger& when)
    : when_(when), all_verdicts_(has_alerts(definition)) {
  const auto& spec = definition.at("trigger_spec");
  groups_ = group_by{spec.value("group_by", std::vector<std::string>{})};
  const auto& config = spec.at("anomaly_config");
  const auto wanted = config.value("seasonality", "none");
  seasonality_ = wanted == "hour_of_day"    ? seasonality::hour_of_day
                 : wanted == "hour_of_week" ? seasonality::hour_of_week
                                            : seasonality::none;
  // A zone that is not known here any more counts as UTC: better than a rule that cannot be loaded.
  if (auto zone = find_time_zone(definition.value("timezone", "UTC"))) zone_ = *zone;
  excludes_ = config.value("exclude_anomalies", true);
  values_max_ = config.value("baseline_max", values_max_);
  shift_after_ = config.value("shift_after", shift_after_);
  keys_max_ = spec.value("max_keys", keys_max_);
}

// -- baselines ------------------------------------------------------------------------------------------------------

std::uint64_t anomaly_evaluator::hour_of(utc_time at) const {
  if (seasonality_ == seasonality::none) return 0;
  const auto utc = std::chrono::floor<std::chrono::seconds>(at);
  const auto local = utc.time_since_epoch() + (zone_ ? zone_->at(utc).offset : std::chrono::seconds{0});
  const auto hours = std::chrono::floor<std::chrono::hours>(local).count();
  const std::int64_t cycle = seasonality_ == seasonality::hour_of_day ? 24 : 168;
  const std::int64_t monday = seasonality_ == seasonality::hour_of_day ? 0 : 72; // 1970 began on a Thursday
  return static_cast<std::uint64_t>(((hours + monday) % cycle + cycle) % cycle);
}

const anomaly_evaluator::season* anomaly_evaluator::find(std::string_view key, std::uint64_t hour) const {
  const auto p = keys_.find(key);
  if (p == states::none) return nullptr;
  const auto& seasons = keys_[p].seasons;
  const auto found = std::find_if(seasons.begin(), seasons.end(), [&](const season& s) { return s.hour == hour; });
  return found == seasons.end() ? nullptr : &*found;
}

anomaly_evaluator::season& anomaly_evaluator::at(std::string_view key, std::uint64_t hour) {
  auto p = keys_.find(key);
  if (p == states::none) {
    while (keys_.size() > 0 && keys_.size() >= keys_max_) {
      drop(keys_.oldest());
      ++evicted_;
    }
    p = keys_.insert(key);
    bytes_ += key_overhead + key.size();
  } else {
    keys_.touch(p);
  }
  auto& seasons = keys_[p].seasons;
  const auto place = std::lower_bound(seasons.begin(), seasons.end(), hour,
                                      [](const season& s, std::uint64_t wanted) { return s.hour < wanted; });
  if (place != seasons.end() && place->hour == hour) return *place;
  bytes_ += season_overhead;
  season fresh;
  fresh.hour = hour;
  return *seasons.insert(place, std::move(fresh));
}

void anomaly_evaluator::drop(states::place p) {
  bytes_ -= key_overhead + keys_.key(p).size();
  for (const auto& s : keys_[p].seasons)
    bytes_ -= season_overhead + (s.values.size() + s.suspects.size()) * sizeof(double);
  keys_.erase(p);
}

void anomaly_evaluator::make_room() {
  while (bytes_ > bytes_max && keys_.size() > 1) {
    drop(keys_.oldest());
    ++evicted_;
  }
}

void anomaly_evaluator::learn(std::string_view key, std::uint64_t hour, bool stood_out, double value) {
  auto& s = at(key, hour);
  const auto before = s.values.size() + s.suspects.size();
  if (stood_out && excludes_) {
    ++excluded_;
    s.suspects.push_back(value);
    if (s.suspects.size() >= shift_after_) {
      s.values = std::exchange(s.suspects, {});
      ++shifts_;
    }
  } else {
    s.suspects.clear();
    s.values.push_back(value);
  }
  if (s.values.size() > values_max_)
    s.values.erase(s.values.begin(), s.values.end() - static_cast<std::ptrdiff_t>(values_max_));
  bytes_ += (s.values.size() + s.suspects.size()) * sizeof(double);
  bytes_ -= before * sizeof(double);
  make_room();
}

std::size_t anomaly_evaluator::forget_key_bytes(std::string_view key) {
  const auto p = keys_.find(key);
  if (p == states::none) return 0;
  drop(p);
  return 1;
}

result<std::size_t> anomaly_evaluator::forget(const json& group) {
  packer bytes{record_};
  if (group.is_null()) {
    bytes.count(forget_all);
    const auto known = keys_.size();
    keys_.clear();
    bytes_ = 0;
    return known;
  }
  std::string key;
  if (groups_.empty() || !group.is_object())
    return fail(error_code::validation_error,
                groups_.empty() ? "The rule has no 'group_by'; reset the whole baseline by leaving 'group' out."
                                : "'group' is an object with the values of 'group_by', e.g. {\"host\": \"db-1\"}.",
                "/group");
  // Paths of several steps are written as they stand in group_by; a member with that very name is found, too.
  groups_.read(subject::of(group), key);
  const auto known = forget_key_bytes(key);
  if (known == 0) return fail(error_code::not_found, "No baseline is known for " + clip_text(to_text(group)) + ".");
  bytes.count(forget_key);
  bytes.text(key);
  return known;
}

// -- verdicts -------------------------------------------------------------------------------------------------------

key_verdict anomaly_evaluator::verdict_of(const input& in, std::string_view key, bool test) const {
  key_verdict out;
  out.at = in.time;
  const auto* s = find(key, hour_of(in.time));
  out.verdict = when_.explain(in.where, s ? s->values : nothing_yet, test);
  if (groups_.empty()) return out;
  out.key = groups_.text_of(key);
  out.labels = groups_.labels_of(key);
  out.verdict.references["group"] = out.labels;
  return out;
}

void anomaly_evaluator::take(const input& in, std::vector<key_verdict>& out) {
  groups_.read(in.where, key_);
  auto judged = verdict_of(in, key_, false);
  const auto& verdict = judged.verdict;
  if (when_.learns() && verdict.value) {
    const auto hour = hour_of(in.time);
    const double value = verdict.value->approximate();
    learn(key_, hour, verdict.matched, value);
    packer bytes{record_};
    bytes.count(learned + (hour << 1 | (verdict.matched ? 1u : 0u)));
    bytes.text(key_);
    bytes.real(value);
  }
  if (verdict.matched || !verdict.error.empty() || all_verdicts_) out.push_back(std::move(judged));
}

key_verdict anomaly_evaluator::preview(const input& in) const {
  std::string key;
  groups_.read(in.where, key);
  return verdict_of(in, key, true);
}

// -- state ----------------------------------------------------------------------------------------------------------

std::string anomaly_evaluator::snapshot() const {
  std::string bytes;
  if (keys_.size() == 0 && evicted_ == 0 && excluded_ == 0) return bytes;
  packer out{bytes};
  out.count(layout);
  for (const auto n : {evicted_, shifts_, excluded_}) out.count(n);
  out.count(keys_.size());
  for (auto p = keys_.oldest(); p != states::none; p = keys_.newer(p)) {
    out.text(keys_.key(p));
    out.count(keys_[p].seasons.size());
    for (const auto& s : keys_[p].seasons) {
      out.count(s.hour);
      for (const auto* list : {&s.values, &s.suspects}) {
        out.count(list->size());
        for (const double v : *list) out.real(v);
      }
    }
  }
  return bytes;
}

result<void> anomaly_evaluator::restore(std::string_view snapshot) {
  keys_.clear();
  record_.clear();
  bytes_ = evicted_ = shifts_ = excluded_ = 0;
  if (snapshot.empty()) return {};
  unpacker in{snapshot};
  if (in.count() != layout) in.fail();
  for (auto* n : {&evicted_, &shifts_, &excluded_}) *n = in.count();
  for (auto keys = in.count(); in.can_hold(keys) && keys > 0; --keys) {
    const std::string key(in.text());
    for (auto seasons = in.count(); in.can_hold(seasons) && seasons > 0; --seasons) {
      auto& s = at(key, in.count());
      for (auto* list : {&s.values, &s.suspects})
        for (auto n = in.count(); in.can_hold(n) && n > 0; --n) list->push_back(in.real());
      if (s.values.size() > values_max_)
        s.values.erase(s.values.begin(), s.values.end() - static_cast<std::ptrdiff_t>(values_max_));
      bytes_ += (s.values.size() + s.suspects.size()) * sizeof(double);
    }
  }
  if (!in.good() || !in.at_end()) return fail(error_code::internal_server_error, "The rule's baseline is damaged.");
  make_room();
  return {};
}

json anomaly_evaluator::drain_record() {
  if (record_.empty()) return nullptr;
  json out{{"v", 1}, {"inputs", to_base64(record_)}};
  record_.clear();
  return out;
}

void anomaly_evaluator::replay(const json& record) {
  if (const auto values = record.find("values"); values != record.end()) // of an earlier release
    for (const auto& value : *values) learn({}, 0, false, value.get<double>());
  const auto text = record.find("inputs");
  const auto bytes =
      text != record.end() && text->is_string() ? from_base64(text->get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) return;
  unpacker in{*bytes};
  while (in.good() && !in.at_end()) {
    const auto what = in.count();
    if (what == forget_all) {
      keys_.clear();
      bytes_ = 0;
    } else if (what == forget_key) {
      forget_key_bytes(in.text());
    } else {
      const auto key = in.text();
      const double value = in.real();
      if (in.good()) learn(key, (what - learned) >> 1, ((what - learned) & 1) != 0, value);
    }
  }
}

// -- the view -------------------------------------------------------------------------------------------------------

json anomaly_evaluator::summary_of(const std::vector<double>& values) const {
  if (values.empty()) return nullptr;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  double sum = 0;
  for (double v : values) sum += v;
  return {{"min", *low}, {"max", *high}, {"mean", sum / static_cast<double>(values.size())}};
}

json anomaly_evaluator::view() const {
  std::vector<double> all = when_.learns() ? std::vector<double>{} : when_.baseline({});
  auto groups = json::array();
  for (auto p = keys_.oldest(); p != states::none; p = keys_.newer(p)) {
    std::vector<double> mine;
    std::size_t suspects = 0;
    for (const auto& s : keys_[p].seasons) {
      mine.insert(mine.end(), s.values.begin(), s.values.end());
      suspects += s.suspects.size();
    }
    if (!groups_.empty() && groups.size() < 100)
      groups.push_back({{"group", groups_.labels_of(keys_.key(p))},
                        {"baseline_count", mine.size()},
                        {"suspects", suspects},
                        {"hours", keys_[p].seasons.size()},
                        {"baseline_summary", summary_of(mine)}});
    if (when_.learns()) all.insert(all.end(), mine.begin(), mine.end());
  }
  json anomaly{{"method", when_.detector()->method()},
               {"baseline_count", all.size()},
               {"baseline_source", when_.learns() ? "learned" : "trigger_spec"},
               {"baseline_summary", summary_of(all)},
               {"keys", keys_.size()},
               {"keys_evicted", evicted_},
               {"excluded", excluded_},
               {"level_shifts", shifts_}};
  if (!groups_.empty()) anomaly["groups"] = std::move(groups);
  return {{"anomaly", std::move(anomaly)}};
}

} // namespace tobit::rule
