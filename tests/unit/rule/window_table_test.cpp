#define CAF_SUITE window_table

#include "actors/rule/window/window_table.hpp"

#include <caf/test/unit_test.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

using namespace tobit::rule;
using namespace tobit::rule::window;

namespace {

constexpr std::int64_t second = 1'000'000;

struct input {
  std::string key;
  std::int64_t at;
  double value;
};

/// The definition of each aggregate, literally.
double by_definition(const window_spec& spec, const std::vector<double>& values) {
  const auto n = static_cast<double>(values.size());
  long double sum = 0;
  for (const double x : values) sum += x;
  switch (spec.kind) {
  case aggregate_kind::count:
    return n;
  case aggregate_kind::sum:
    return static_cast<double>(sum);
  case aggregate_kind::rate:
    return static_cast<double>(sum) / spec.seconds();
  case aggregate_kind::avg:
    return static_cast<double>(sum / n);
  case aggregate_kind::min:
    return *std::min_element(values.begin(), values.end());
  case aggregate_kind::max:
    return *std::max_element(values.begin(), values.end());
  case aggregate_kind::distinct: {
    std::set<std::uint64_t> seen;
    for (const double x : values) seen.insert(std::bit_cast<std::uint64_t>(x));
    return static_cast<double>(seen.size());
  }
  case aggregate_kind::std: {
    long double squares = 0;
    for (const double x : values) squares += (x - sum / n) * (x - sum / n);
    return static_cast<double>(std::sqrt(squares / (n - 1)));
  }
  case aggregate_kind::percentile:
    break;
  }
  auto sorted = values;
  std::sort(sorted.begin(), sorted.end());
  const double place = spec.q * (n - 1);
  const auto below = static_cast<std::size_t>(place);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (sorted[below + 1] - sorted[below]) * (place - static_cast<double>(below));
}

/// A table that keeps every input and computes each window from scratch.
class naive_table {
public:
  explicit naive_table(window_spec spec) : spec_(spec) {}
  std::uint64_t late = 0;

  void take(const input& in, std::int64_t arrived, std::vector<outcome>& out) {
    now_ = std::max(now_, arrived);
    newest_ = std::max(newest_, std::min(in.at, now_));
    last_ = now_;
    move(newest_ - spec_.lateness, out);
    if (spec_.type == window_type::session) return take_session(in, out);
    const auto index = in.at / spec_.pane;
    auto& mine = inputs_[in.key];
    std::int64_t newest = 0;
    for (const auto& i : mine) newest = std::max(newest, i.at / spec_.pane);
    const bool follows = spec_.on_update && spec_.type == window_type::sliding;
    if ((index + spec_.panes) * spec_.pane <= watermark_ ||
        (follows && !mine.empty() && index <= newest - spec_.panes)) {
      ++late;
      return;
    }
    mine.push_back(in);
    if (!spec_.on_update) return;
    const auto last = follows ? std::max(index, newest) : index;
    tell(in.key, (last + 1 - spec_.panes) * spec_.pane, (last + 1) * spec_.pane, out);
  }

  void advance(std::int64_t now, std::vector<outcome>& out) {
    now_ = now;
    move(newest_ - spec_.lateness + std::max<std::int64_t>(0, now - last_ - spec_.idle), out);
  }

private:
  void tell(const std::string& key, std::int64_t start, std::int64_t end, std::vector<outcome>& out) {
    std::vector<double> values;
    for (const auto& i : inputs_[key])
      if (i.at >= start && i.at < end) values.push_back(i.value);
    if (values.empty() || (spec_.kind == aggregate_kind::std && values.size() < 2)) return;
    outcome one;
    one.key = key;
    one.start = start;
    one.end = end;
    one.count = values.size();
    one.value = by_definition(spec_, values);
    one.closed = !spec_.on_update;
    out.push_back(one);
  }

  void take_session(const input& in, std::vector<outcome>&) {
    auto& mine = inputs_[in.key];
    const bool joins =
        std::any_of(mine.begin(), mine.end(), [&](const input& i) { return std::abs(i.at - in.at) < spec_.gap; });
    if (in.at + spec_.gap <= watermark_ && !joins) {
      ++late;
      return;
    }
    mine.push_back(in);
  }

  void move(std::int64_t to, std::vector<outcome>& out) {
    if (to <= watermark_) return;
    if (spec_.type == window_type::session) {
      watermark_ = to;
      for (auto& [key, mine] : inputs_) close_sessions(key, mine, out);
      return;
    }
    const auto from = std::exchange(watermark_, to);
    for (auto& [key, mine] : inputs_) {
      std::set<std::int64_t> ends;
      for (const auto& i : mine)
        for (std::int64_t k = 1; k <= spec_.panes; ++k) ends.insert((i.at / spec_.pane + k) * spec_.pane);
      for (const auto end : ends)
        if (end > from && end <= to && !spec_.on_update) tell(key, end - spec_.panes * spec_.pane, end, out);
      mine.erase(std::remove_if(mine.begin(), mine.end(),
                                [&](const input& i) { return (i.at / spec_.pane + spec_.panes) * spec_.pane <= to; }),
                 mine.end());
    }
  }

  void close_sessions(const std::string& key, std::vector<input>& mine, std::vector<outcome>& out) {
    std::sort(mine.begin(), mine.end(), [](const input& a, const input& b) { return a.at < b.at; });
    for (std::size_t i = 0; i < mine.size();) {
      auto end = i + 1;
      while (end < mine.size() && mine[end].at - mine[end - 1].at < spec_.gap) ++end;
      if (mine[end - 1].at + spec_.gap <= watermark_) {
        tell(key, mine[i].at, mine[end - 1].at + spec_.gap, out);
        mine.erase(mine.begin() + static_cast<std::ptrdiff_t>(i), mine.begin() + static_cast<std::ptrdiff_t>(end));
      } else {
        i = end;
      }
    }
  }

  window_spec spec_;
  std::map<std::string, std::vector<input>> inputs_;
  std::int64_t now_ = 0, newest_ = 0, last_ = 0, watermark_ = 0;
};

std::mt19937_64 seeded() {
  const char* given = std::getenv("TOBIT_TEST_SEED");
  const auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  CAF_MESSAGE("TOBIT_TEST_SEED=" << seed);
  return std::mt19937_64{seed};
}

using told =
    std::map<std::tuple<std::string, std::int64_t, std::int64_t>, std::vector<std::pair<std::uint64_t, double>>>;

/// Windows that have a value, by key and time; the order among keys is no promise.
told by_window(const std::vector<outcome>& list, bool on_update) {
  told out;
  for (const auto& o : list)
    if (o.value && o.count > 0 && o.closed != on_update) out[{o.key, o.start, o.end}].emplace_back(o.count, *o.value);
  return out;
}

bool near(double a, double b) { return std::abs(a - b) <= 1e-9 * std::max({1.0, std::abs(a), std::abs(b)}); }

bool same(const told& a, const told& b) {
  if (a.size() != b.size()) return false;
  for (auto i = a.begin(), j = b.begin(); i != a.end(); ++i, ++j) {
    if (i->first != j->first || i->second.size() != j->second.size()) return false;
    for (std::size_t n = 0; n < i->second.size(); ++n)
      if (i->second[n].first != j->second[n].first || !near(i->second[n].second, j->second[n].second)) return false;
  }
  return true;
}

window_spec random_spec(std::mt19937_64& random) {
  window_spec spec;
  spec.kind = static_cast<aggregate_kind>(random() % 9);
  spec.type = static_cast<window_type>(random() % 3);
  if (spec.type == window_type::session && spec.kind == aggregate_kind::rate) spec.kind = aggregate_kind::sum;
  spec.pane = second * static_cast<std::int64_t>(1 + random() % 20);
  spec.panes = spec.type == window_type::sliding ? static_cast<std::int64_t>(1 + random() % 12) : 1;
  spec.gap = second * static_cast<std::int64_t>(1 + random() % 30);
  spec.longest = second * 1'000'000;
  spec.lateness = random() % 2 ? second * static_cast<std::int64_t>(random() % 40) : 0;
  spec.idle = 5 * second;
  spec.on_update = spec.type != window_type::session && random() % 2;
  spec.all_verdicts = spec.on_update;
  spec.q = static_cast<double>(random() % 101) / 100;
  return spec;
}

std::string described(const window_spec& s) {
  return std::string(to_string(s.kind)) + " type " + std::to_string(static_cast<int>(s.type)) + " pane " +
         std::to_string(s.pane) + " panes " + std::to_string(s.panes) + " late " + std::to_string(s.lateness) +
         " update " + std::to_string(s.on_update);
}

} // namespace

CAF_TEST(windows have the values that a recomputation from scratch gives also after restarts) {
  auto random = seeded();
  for (int round = 0; round < 300; ++round) {
    const auto spec = random_spec(random);
    window_table table{spec};
    naive_table naive{spec};
    std::vector<outcome> got, wanted;
    std::int64_t clock = 1'700'000'000 * second;
    for (int i = 0; i < 120; ++i) {
      clock += static_cast<std::int64_t>(random() % (random() % 10 == 0 ? 60 : 4)) * second / 2;
      if (random() % 15 == 0) {
        const auto due = table.wake_at();
        if (!due) continue;
        clock = std::max(clock, *due);
        table.advance(clock, got);
        naive.advance(clock, wanted);
      } else {
        const auto behind = random() % 4 == 0 ? static_cast<std::int64_t>(random() % 60) * second : 0;
        const auto value =
            random() % 3 ? static_cast<double>(random() % 7) : 1e6 + static_cast<double>(random() % 1'000) / 7;
        const input in{std::string(1, static_cast<char>('a' + random() % 3)), clock - behind,
                       spec.kind == aggregate_kind::rate && random() % 2 ? 1 : value};
        table.take(in.key, in.at, clock, in.value, got);
        naive.take(in, clock, wanted);
      }
      if (random() % 25 == 0) {
        const auto kept = table.snapshot();
        CAF_REQUIRE(table.restore(kept));
        CAF_REQUIRE(table.snapshot() == kept);
      }
    }
    for (auto due = table.wake_at(); due; due = table.wake_at()) {
      table.advance(*due, got);
      naive.advance(*due, wanted);
    }
    if (table.figures().late != naive.late) CAF_FAIL("late in " << described(spec));
    const auto ours = by_window(got, spec.on_update), theirs = by_window(wanted, spec.on_update);
    if (!same(ours, theirs)) CAF_FAIL(described(spec) << ": " << ours.size() << " windows, not " << theirs.size());
    CAF_CHECK_EQUAL(table.size(), 0u);
    CAF_CHECK_EQUAL(table.bytes(), 0u);
  }
}

CAF_TEST(counted windows hold the latest inputs) {
  auto random = seeded();
  for (int round = 0; round < 100; ++round) {
    window_spec spec;
    spec.counted = true;
    spec.kind = static_cast<aggregate_kind>(random() % 8);
    spec.q = 0.5;
    spec.pane = static_cast<std::int64_t>(1 + random() % 5);
    spec.panes = random() % 2 ? static_cast<std::int64_t>(1 + random() % 8) : 1;
    spec.type = spec.panes > 1 ? window_type::sliding : window_type::tumbling;
    spec.on_update = spec.all_verdicts = true;
    window_table table{spec};
    std::map<std::string, std::vector<double>> all;
    const auto size = static_cast<std::size_t>(spec.pane * spec.panes);
    for (int i = 0; i < 200; ++i) {
      const std::string key(1, static_cast<char>('a' + random() % 2));
      auto& mine = all[key];
      mine.push_back(static_cast<double>(random() % 50));
      std::vector<outcome> got;
      table.take(key, i, i, mine.back(), got);
      const bool due = mine.size() >= size && mine.size() % static_cast<std::size_t>(spec.pane) == 0 &&
                       (spec.panes > 1 || mine.size() % size == 0);
      if (got.empty() == due && !(spec.kind == aggregate_kind::std && size < 2))
        CAF_FAIL("round " << round << " input " << i);
      if (got.empty() || !got[0].value) continue;
      const std::vector<double> latest(mine.end() - static_cast<std::ptrdiff_t>(size), mine.end());
      CAF_CHECK_EQUAL(got[0].count, size);
      if (!near(*got[0].value, by_definition(spec, latest))) CAF_FAIL(described(spec));
    }
  }
}

CAF_TEST(a sliding sum does not drift and enormous values leave no trace) {
  window_spec spec;
  spec.type = window_type::sliding;
  spec.kind = aggregate_kind::std;
  spec.pane = second;
  spec.panes = 10;
  spec.on_update = spec.all_verdicts = true;
  window_table table{spec};
  std::vector<outcome> got;
  for (std::int64_t i = 0; i < 1'000; ++i) {
    got.clear();
    const double value = i < 500 ? 1e15 + static_cast<double>(i % 2) : static_cast<double>(i % 2);
    table.take("", i * second, i * second, value, got);
  }
  CAF_REQUIRE(!got.empty() && got.back().value);
  CAF_CHECK(near(*got.back().value, std::sqrt(2.5 / 9))); // five zeros and five ones
}

CAF_TEST(what comes from the future is counted and does not make others late) {
  window_spec spec;
  spec.pane = 60 * second;
  window_table table{spec};
  std::vector<outcome> got;
  using reception = window_table::reception;
  const auto now = 1'700'000'040 * second;
  CAF_CHECK(table.take("a", now + 2 * 3'600 * second, now, 1, got) == reception::ahead);
  CAF_CHECK(table.take("a", now + 1'800 * second, now, 1, got) == reception::taken);
  CAF_CHECK(table.take("a", now, now, 1, got) == reception::taken); // the other one was only ahead of its arrival
  CAF_CHECK(table.take("a", now - 365 * 86'400 * second, now, 1, got) == reception::late);
  CAF_CHECK_EQUAL(table.figures().ahead, 1u);
  CAF_CHECK_EQUAL(table.figures().late, 1u);
}

CAF_TEST(a flood of keys stays within the bounds and those used last survive) {
  window_spec spec;
  spec.pane = 3'600 * second;
  spec.keys_max = 1'000;
  window_table table{spec};
  std::vector<outcome> got;
  for (int i = 0; i < 100'000; ++i) table.take("key " + std::to_string(i), i, i, 1, got);
  CAF_CHECK_EQUAL(table.size(), 1'000u);
  CAF_CHECK_EQUAL(table.figures().evicted, 99'000u);
  CAF_CHECK(table.newest(1).at(0).key == "key 99999");
  spec.keys_max = 1'000'000;
  spec.kind = aggregate_kind::distinct;
  window_table values{spec};
  std::mt19937_64 hashes{7};
  for (int i = 0; i < 300'000; ++i) values.take(std::to_string(i % 30), i, i, std::bit_cast<double>(hashes()), got);
  CAF_CHECK(values.bytes() <= state_bytes_max);
  const auto seen = values.newest(1).at(0);
  CAF_CHECK(!seen.exact);
  CAF_CHECK(std::abs(*seen.value - 10'000) < 500);
}

CAF_TEST(a percentile of many values is near the true one) {
  auto random = seeded();
  window_spec spec;
  spec.pane = 3'600 * second;
  spec.kind = aggregate_kind::percentile;
  spec.q = 0.99;
  window_table table{spec};
  std::vector<outcome> got;
  std::vector<double> all;
  std::lognormal_distribution<double> latency{3, 1};
  for (int i = 0; i < 20'000; ++i) table.take("", i, i, all.emplace_back(latency(random)), got);
  const auto seen = table.newest(1).at(0);
  CAF_CHECK(!seen.exact);
  const double exact = by_definition(spec, all);
  CAF_CHECK(std::abs(*seen.value - exact) < 0.02 * exact);
}

CAF_TEST(a damaged snapshot is refused) {
  window_spec spec;
  spec.pane = second;
  window_table table{spec};
  std::vector<outcome> got;
  for (int i = 0; i < 20; ++i) table.take(std::to_string(i), i, i, 1, got);
  const auto kept = table.snapshot();
  for (std::size_t cut = 1; cut < kept.size(); ++cut) {
    window_table other{spec};
    if (other.restore(std::string_view(kept).substr(0, cut))) CAF_ERROR("cut at " << cut);
  }
  CAF_CHECK(!table.restore(std::string(100, '\xff')));
}
