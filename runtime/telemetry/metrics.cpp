#include "runtime/telemetry/metrics.hpp"

#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <utility>

namespace tobit::telemetry {

namespace {

/// Seconds; from a message between actors to a slow outside service.
const prometheus::Histogram::BucketBoundaries duration_buckets{
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300};

std::vector<std::string> split(std::string_view names) {
  std::vector<std::string> out;
  while (!names.empty()) {
    const auto comma = names.find(',');
    out.emplace_back(names.substr(0, comma));
    names.remove_prefix(comma == names.npos ? names.size() : comma + 1);
  }
  return out;
}

/// One line of the page: a metric with certain label values. Exactly one of the pointers is set.
struct series {
  std::vector<std::string> values;
  prometheus::Counter* counter = nullptr;
  prometheus::Gauge* gauge = nullptr;
  prometheus::Histogram* histogram = nullptr;
  const series* next = nullptr; ///< in the same bucket; set before the series is published, never changed

  bool has(metrics::labels wanted) const noexcept {
    std::size_t i = 0;
    for (const auto value : wanted) {
      if (i == values.size()) break;
      if (values[i++] != value) return false;
    }
    for (; i < values.size(); ++i)
      if (!values[i].empty()) return false;
    return true;
  }
};

/// All series of one metric: a hash table that only grows, read without a lock. The library's own lookup builds a map
/// of strings for each call; this one costs tens of nanoseconds.
class family {
public:
  family(const metric_description& what, prometheus::Registry& registry) : names_(split(what.labels)) {
    const std::string name(what.name), help(what.help);
    if (what.type == "counter")
      counters_ = &prometheus::BuildCounter().Name(name).Help(help).Register(registry);
    else if (what.type == "gauge")
      gauges_ = &prometheus::BuildGauge().Name(name).Help(help).Register(registry);
    else
      histograms_ = &prometheus::BuildHistogram().Name(name).Help(help).Register(registry);
    if (names_.empty()) get({}); // shown from the start, as 0
  }

  const series& get(metrics::labels values) {
    auto& bucket = buckets_[hash(values) % buckets_.size()];
    for (auto* s = bucket.load(std::memory_order_acquire); s; s = s->next)
      if (s->has(values)) return *s;
    return add(values, bucket);
  }

  double total() const {
    std::lock_guard lock{growing_};
    double sum = 0;
    for (const auto& s : all_) sum += s.counter ? s.counter->Value() : s.gauge ? s.gauge->Value() : 0;
    return sum;
  }

private:
  using bucket_head = std::atomic<const series*>;

  std::size_t hash(metrics::labels values) const noexcept {
    std::size_t h = 14695981039346656037u;
    std::size_t left = names_.size();
    for (const auto value : values) {
      if (left-- == 0) break;
      // An empty value at the end is the same as none.
      if (!value.empty()) h = (h ^ std::hash<std::string_view>{}(value)) * 1099511628211u;
    }
    return h;
  }

  const series& add(metrics::labels values, bucket_head& bucket) {
    std::lock_guard lock{growing_};
    for (auto* s = bucket.load(std::memory_order_relaxed); s; s = s->next)
      if (s->has(values)) return *s; // somebody else added it just now
    if (all_.size() >= series_max) return overflow();
    std::vector<std::string> texts(values.begin(), values.end());
    texts.resize(names_.size());
    auto& added = make(std::move(texts));
    added.next = bucket.load(std::memory_order_relaxed);
    bucket.store(&added, std::memory_order_release);
    return added;
  }

  const series& overflow() {
    if (!overflow_) overflow_ = &make(std::vector<std::string>(names_.size(), "other"));
    return *overflow_;
  }

  series& make(std::vector<std::string> values) {
    prometheus::Labels labels;
    for (std::size_t i = 0; i < names_.size(); ++i) labels[names_[i]] = values[i];
    auto& added = all_.emplace_back();
    added.values = std::move(values);
    if (counters_) added.counter = &counters_->Add(labels);
    if (gauges_) added.gauge = &gauges_->Add(labels);
    if (histograms_) added.histogram = &histograms_->Add(labels, duration_buckets);
    return added;
  }

  const std::vector<std::string> names_;
  prometheus::Family<prometheus::Counter>* counters_ = nullptr;
  prometheus::Family<prometheus::Gauge>* gauges_ = nullptr;
  prometheus::Family<prometheus::Histogram>* histograms_ = nullptr;
  std::array<bucket_head, 64> buckets_{};
  mutable std::mutex growing_;
  std::deque<series> all_; ///< addresses stay
  const series* overflow_ = nullptr;
};

} // namespace

const std::vector<metric_description>& metric_table() {
  static const std::vector<metric_description> table{
#define X(identifier, type, name, help, labels) {metric::identifier, #type, name, help, labels},
#include "runtime/telemetry/metrics.def"
#undef X
  };
  return table;
}

std::string metrics_reference() {
  std::string page = "# Metrics\n\nServed by `GET /metrics` in Prometheus' text format. Times are in seconds. "
                     "At most " +
                     std::to_string(series_max) +
                     " combinations of label values are kept apart per metric.\n\n"
                     "| name | type | labels | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& m : metric_table()) {
    std::string labels;
    for (const auto& label : split(m.labels)) labels += (labels.empty() ? "`" : ", `") + label + '`';
    page += "| `" + std::string(m.name) + "` | " + std::string(m.type) + " | " + labels + " | " + std::string(m.help) +
            " |\n";
  }
  return page;
}

struct metrics::state {
  prometheus::Registry registry;
  std::deque<family> families; ///< in the order of the table

  family& of(metric id) noexcept { return families[static_cast<std::size_t>(id)]; }
};

metrics::metrics() : state_(std::make_unique<state>()) {
  for (const auto& description : metric_table()) state_->families.emplace_back(description, state_->registry);
}

metrics::~metrics() = default;

// The only exceptions below are out of memory on the first use of label values; a figure is not worth a failure.

void metrics::count(metric id, labels values, double by) noexcept {
  try {
    const auto& s = state_->of(id).get(values);
    if (s.counter) s.counter->Increment(by);
    if (s.gauge) s.gauge->Increment(by);
  } catch (...) {
    // nop
  }
}

void metrics::set(metric id, double value, labels values) noexcept {
  try {
    const auto& s = state_->of(id).get(values);
    if (s.gauge) s.gauge->Set(value);
  } catch (...) {
    // nop
  }
}

void metrics::observe(metric id, double seconds, labels values) noexcept {
  try {
    const auto& s = state_->of(id).get(values);
    if (s.histogram) s.histogram->Observe(seconds);
  } catch (...) {
    // nop
  }
}

std::string metrics::expose() const { return prometheus::TextSerializer{}.Serialize(state_->registry.Collect()); }

double metrics::total(metric id) const { return state_->of(id).total(); }

} // namespace tobit::telemetry
