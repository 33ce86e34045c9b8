#include "actors/rule/window/window_evaluator.hpp"

#include "actors/rule/make_evaluator.hpp"

#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>

namespace tobit::rule::window {

namespace {

json time_or_null(std::int64_t micros) {
  return micros == std::numeric_limits<std::int64_t>::min() ? json() : json(to_rfc3339(from_micros(micros)));
}

std::string shown(double value) {
  if (value == std::trunc(value) && std::abs(value) < 1e15) return std::to_string(static_cast<std::int64_t>(value));
  char text[40];
  return {text, static_cast<std::size_t>(std::snprintf(text, sizeof text, "%.6g", value))};
}

constexpr std::string_view reason_of(window_table::reception received) {
  return received == window_table::reception::late
             ? "The window that this belongs to is closed; it would be counted as late."
             : "The time is more than an hour ahead; it would be counted as being from the future.";
}

} // namespace

window_evaluator::window_evaluator(const json& definition, const trigger& when)
    : when_(when)
    , spec_(window_spec::of(definition.at("trigger_spec"), has_alerts(definition)))
    , groups_(definition.at("trigger_spec").value("group_by", std::vector<std::string>{}))
    , table_(spec_) {
  const auto& spec = definition.at("trigger_spec");
  shown_ = {{"window_config", spec.at("window_config")}, {"aggregation", spec.at("aggregation")}};
  if (const auto field = spec.at("aggregation").find("field"); field != spec.at("aggregation").end())
    field_.emplace(field->get<std::string>());
  if (const auto field = spec.at("window_config").find("time_field"); field != spec.at("window_config").end())
    time_field_.emplace(field->get<std::string>());
}

// -- inputs ---------------------------------------------------------------------------------------------------------

std::optional<double> window_evaluator::value_of(const subject& where) const {
  if (!field_) return 1;
  const auto found = field_->in(where);
  if (found.is == operand::type::missing || found.is == operand::type::null) return std::nullopt;
  if (spec_.kind == aggregate_kind::count) return 1;
  if (spec_.kind == aggregate_kind::distinct) {
    thread_local std::string bytes;
    bytes.clear();
    append_key_value(bytes, found);
    return std::bit_cast<double>(XXH3_64bits(bytes.data(), bytes.size()));
  }
  if (!found.numeric || found.is == operand::type::boolean) return std::nullopt;
  const double value = found.numeric->approximate();
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

/// Numbers are seconds since 1970, or milliseconds where seconds would be the year 5138 or later.
std::optional<std::int64_t> window_evaluator::time_of(const input& in) const {
  if (!time_field_) return to_micros(in.time);
  const auto found = time_field_->in(in.where);
  if (found.is == operand::type::text)
    if (const auto time = parse_rfc3339(found.text)) return to_micros(*time);
  if (!found.numeric || found.is == operand::type::boolean) return std::nullopt;
  const double given = found.numeric->approximate();
  const double micros = std::abs(given) < 1e11 ? given * 1e6 : given * 1e3;
  return std::abs(micros) < 2.5e17 ? std::optional(std::llround(micros)) : std::nullopt;
}

void window_evaluator::take(const input& in, std::vector<key_verdict>& out) {
  if (!when_.matches(in.where)) return;
  const auto value = value_of(in.where);
  const auto at = time_of(in);
  packer bytes{record_};
  if (!value || !at) {
    bytes.count(unreadable);
    return table_.take_unreadable();
  }
  groups_.read(in.where, key_);
  outcomes_.clear();
  const auto arrived = to_micros(in.arrived);
  table_.take(key_, *at, arrived, *value, outcomes_);
  record(*at, arrived, *value);
  for (auto& seen : outcomes_) out.push_back(verdict_of(std::move(seen), false));
}

void window_evaluator::record(std::int64_t at, std::int64_t arrived, double value) {
  packer bytes{record_};
  const auto p = table_.last_place();
  auto* mark = p == key_table<int>::none ? nullptr : &table_.mark(p);
  if (mark && (*mark >> 32) == record_serial_) {
    bytes.count(first_key + (*mark & 0xffff'ffffu));
  } else {
    bytes.count(new_key);
    bytes.text(key_);
    if (mark) *mark = (record_serial_ << 32) | record_keys_;
    ++record_keys_;
  }
  bytes.whole(at - recorded_at_);
  bytes.whole(arrived - recorded_arrival_);
  recorded_at_ = at;
  recorded_arrival_ = arrived;
  if (has_values() && spec_.kind != aggregate_kind::count) bytes.real(value);
}

json window_evaluator::drain_record() {
  if (record_.empty()) return nullptr;
  json out{{"v", 1}, {"inputs", to_base64(record_)}};
  record_.clear();
  // Marks hold the serial in 32 bits; after four billion records old ones could be taken for new.
  record_serial_ = record_serial_ == 0xffff'ffffu ? 1 : record_serial_ + 1;
  record_keys_ = 0;
  recorded_at_ = recorded_arrival_ = 0;
  return out;
}

void window_evaluator::replay(const json& record) {
  const auto text = record.find("inputs");
  const auto bytes =
      text != record.end() && text->is_string() ? from_base64(text->get_ref<const std::string&>()) : std::nullopt;
  if (!bytes) return;
  unpacker in{*bytes};
  std::vector<std::string> keys;
  std::int64_t at = 0, arrived = 0;
  while (in.good() && !in.at_end()) {
    const auto what = in.count();
    outcomes_.clear();
    if (what == unreadable) {
      table_.take_unreadable();
      continue;
    }
    if (what == time_went_on) {
      arrived += in.whole();
      if (in.good()) table_.advance(arrived, outcomes_);
      continue;
    }
    if (what == new_key) keys.emplace_back(in.text());
    const auto number = what == new_key ? keys.size() - 1 : what - first_key;
    at += in.whole();
    arrived += in.whole();
    const double value = has_values() && spec_.kind != aggregate_kind::count ? in.real() : 1;
    if (in.good() && number < keys.size()) table_.take(keys[number], at, arrived, value, outcomes_);
  }
  outcomes_.clear();
}

// -- time -----------------------------------------------------------------------------------------------------------

void window_evaluator::advance(utc_time now, std::vector<key_verdict>& out) {
  const auto micros = to_micros(now);
  const auto due = table_.wake_at();
  if (!due || *due > micros) return;
  outcomes_.clear();
  table_.advance(micros, outcomes_);
  packer bytes{record_};
  bytes.count(time_went_on);
  bytes.whole(micros - recorded_arrival_);
  recorded_arrival_ = micros;
  for (auto& seen : outcomes_) out.push_back(verdict_of(std::move(seen), false));
}

std::optional<utc_time> window_evaluator::wake_at() const {
  const auto at = table_.wake_at();
  return at ? std::optional(from_micros(*at)) : std::nullopt;
}

result<void> window_evaluator::restore(std::string_view snapshot) {
  record_.clear();
  if (!table_.restore(snapshot))
    return fail(error_code::internal_server_error, "The rule's windows are damaged or of a newer release.");
  return {};
}

// -- verdicts -------------------------------------------------------------------------------------------------------

json window_evaluator::window_of(const outcome& seen) const {
  json out{{"type", shown_["window_config"]["type"]},
           {"start", time_or_null(seen.start)},
           {"end", time_or_null(seen.end)},
           {"count", seen.count}};
  if (!seen.exact) out["estimated"] = true;
  return out;
}

std::string window_evaluator::summary_of(const outcome& seen, const json& labels) const {
  std::string out(to_string(spec_.kind));
  if (field_) out += " of " + field_->text();
  for (const auto& [name, label] : labels.items())
    out += " for " + name + " " + clip_text(label.is_string() ? label.get<std::string>() : to_text(label), 100);
  out += " is " + (seen.value ? shown(*seen.value) : "unknown");
  if (spec_.has_threshold) out += " (" + std::string(rule::to_string(spec_.op)) + " " + shown(spec_.threshold) + ")";
  return out;
}

key_verdict window_evaluator::verdict_of(outcome&& seen, bool test) const {
  key_verdict out;
  out.key = groups_.text_of(seen.key);
  out.labels = groups_.labels_of(seen.key);
  out.at = from_micros(seen.end);
  out.verdict.matched = seen.matched;
  if (seen.value) out.verdict.value = number::of(*seen.value);
  if (!seen.matched && !test) return out;
  auto window = window_of(seen);
  const json value = seen.value ? json(*seen.value) : json();
  out.verdict.summary = summary_of(seen, out.labels.is_null() ? json::object() : out.labels);
  out.verdict.references = {{"trigger_spec", shown_},
                            {"window", window},
                            {"actual", value},
                            {"operator", spec_.has_threshold ? json(rule::to_string(spec_.op)) : json()},
                            {"expected", spec_.has_threshold ? json(spec_.threshold) : json()},
                            {"condition_evaluated", seen.matched}};
  if (!out.labels.is_null()) out.verdict.references["group"] = out.labels;
  if (!seen.value) out.verdict.references["reason"] = "There is no value: too few inputs, or they are too large.";
  if (seen.closed) {
    out.wake = "window";
    window["value"] = value;
    out.woken_by = std::move(window);
  }
  return out;
}

key_verdict window_evaluator::preview(const input& in) const {
  key_verdict out;
  out.at = in.time;
  const auto refuse = [&](std::string reason) {
    out.verdict.references = {{"trigger_spec", shown_}, {"condition_evaluated", false}, {"reason", std::move(reason)}};
    return out;
  };
  // What the filters and conditions do not let through never reaches the window.
  if ((in.event && !when_.lets_through(*in.event)) || !when_.matches(in.where)) {
    out.verdict = when_.explain(in.where, {}, true);
    out.verdict.matched = false;
    return out;
  }
  const auto value = value_of(in.where);
  const auto at = time_of(in);
  if (!value) return refuse("There is no number at '" + (field_ ? field_->text() : std::string{}) + "'.");
  if (!at) return refuse("There is no time at '" + time_field_->text() + "'.");
  std::string key;
  groups_.read(in.where, key);
  auto seen = table_.preview(key, *at, to_micros(in.arrived), *value);
  if (seen.received != window_table::reception::taken) return refuse(std::string(reason_of(seen.received)));
  return verdict_of(std::move(seen.seen), true);
}

json window_evaluator::view() const {
  auto newest = json::array();
  for (auto& seen : table_.newest(20)) {
    auto one = window_of(seen);
    one["key"] = groups_.labels_of(seen.key);
    one["value"] = seen.value ? json(*seen.value) : json();
    one["matched"] = seen.matched;
    newest.push_back(std::move(one));
  }
  const auto& counted = table_.figures();
  return {{"window",
           {{"keys", table_.size()},
            {"bytes", table_.bytes()},
            {"watermark", time_or_null(table_.watermark())},
            {"taken", counted.taken},
            {"late", counted.late},
            {"from_the_future", counted.ahead},
            {"unreadable", counted.unreadable},
            {"keys_evicted", counted.evicted},
            {"newest", std::move(newest)}}}};
}

} // namespace tobit::rule::window
