#pragma once

#include "actors/rule/evaluator.hpp"
#include "actors/rule/group_by.hpp"
#include "actors/rule/key_table.hpp"
#include "runtime/time/time_zone.hpp"

namespace tobit::rule {

/// Judges values by those before them, for each key and, if wanted, each hour of the day or week: rules of the type
/// anomaly.
///
/// A value that stands out does not join the baseline that it was judged by, so that an outage does not become normal.
/// If so many values in a row stand out that it must be a new level (`shift_after`), they become the baseline. Bounded
/// by keys and bytes: beyond, the keys that were quiet for longest are forgotten.
class anomaly_evaluator final : public evaluator {
public:
  /// `when` must outlive this. Precondition: `definition` is normalised.
  anomaly_evaluator(const json& definition, const trigger& when);

  void take(const input& in, std::vector<key_verdict>& out) override;
  key_verdict preview(const input& in) const override;
  void advance(utc_time, std::vector<key_verdict>&) override {}
  std::optional<utc_time> wake_at() const override { return std::nullopt; }
  std::string snapshot() const override;
  result<void> restore(std::string_view snapshot) override;
  json drain_record() override;
  void replay(const json& record) override;
  json view() const override;
  result<std::size_t> forget(const json& group) override;

private:
  enum class seasonality : std::uint8_t { none, hour_of_day, hour_of_week };
  /// What was seen in one hour of the day or week, or at any time.
  struct season {
    std::uint64_t hour = 0;
    std::vector<double> values;   ///< the baseline, oldest first
    std::vector<double> suspects; ///< the latest values, if all of them stood out
  };
  struct baseline {
    std::vector<season> seasons;
  };
  using states = key_table<baseline>;
  enum code : std::uint64_t { forget_all = 0, forget_key = 1, learned = 2 };

  static constexpr std::size_t bytes_max = 64u << 20;

  std::uint64_t hour_of(utc_time at) const;
  const season* find(std::string_view key, std::uint64_t hour) const;
  season& at(std::string_view key, std::uint64_t hour);
  void learn(std::string_view key, std::uint64_t hour, bool stood_out, double value);
  void make_room();
  void drop(states::place p);
  std::size_t forget_key_bytes(std::string_view key);
  key_verdict verdict_of(const input& in, std::string_view key, bool test) const;
  json summary_of(const std::vector<double>& values) const;

  const trigger& when_;
  group_by groups_;
  seasonality seasonality_ = seasonality::none;
  std::optional<time_zone> zone_;
  bool excludes_ = true, all_verdicts_ = false;
  std::size_t values_max_ = 1'000, shift_after_ = 20, keys_max_ = 10'000;
  states keys_;
  std::size_t bytes_ = 0;
  std::uint64_t evicted_ = 0, shifts_ = 0, excluded_ = 0;
  std::string key_, record_;
};

} // namespace tobit::rule
