#pragma once

#include "actors/rule/packed_bytes.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

/// What is made of the values of a window.
namespace tobit::rule::window {

enum class aggregate_kind : std::uint8_t { count, sum, avg, min, max, std, percentile, distinct, rate };
std::string_view to_string(aggregate_kind kind) noexcept;
std::optional<aggregate_kind> parse_aggregate_kind(std::string_view text) noexcept;

/// Values of which percentiles and numbers of distinct values are exact; of more they are estimates.
inline constexpr std::size_t exact_values_max = 2'000;

/// What cannot be told from a few sums: the values themselves for percentiles, their hashes for distinct. Beyond
/// `exact_values_max` of them a sketch of bounded size.
class value_bag {
public:
  void add_value(double x);
  void add_hash(std::uint64_t hash);
  void merge(const value_bag& other);

  /// Linear interpolation between the neighbours of rank q·(n-1) (type 7 of Hyndman & Fan 1996). As a sketch
  /// (DDSketch, Masson, Rim & Lee, VLDB 2019: logarithmic buckets, at most 2,048, the lowest ones joined beyond that)
  /// the answer is within 1 % of a value of that rank. Precondition: not empty; 0 <= q <= 1.
  double percentile(double q) const;
  /// As a sketch: HyperLogLog (Flajolet et al. 2007) with 4,096 registers, standard error 1.6 %.
  double distinct() const;

  bool is_exact() const noexcept { return buckets_.empty() && registers_.empty(); }
  std::size_t bytes() const noexcept;
  void pack(packer& out) const;
  static value_bag unpack(unpacker& in);

private:
  using bucket = std::pair<std::int32_t, std::uint64_t>; ///< ordered as the values are; 0 holds zero
  void to_buckets();
  void to_registers();
  void add_to_bucket(std::int32_t index, std::uint64_t count);
  void add_to_registers(std::uint64_t hash) noexcept;

  std::vector<double> values_;
  std::vector<std::uint64_t> hashes_; ///< sorted
  std::vector<bucket> buckets_;
  std::vector<std::uint8_t> registers_;
};

/// The aggregate of some values; two of them can be joined, and nothing is ever taken out, so nothing drifts.
///
/// Sums are compensated (Neumaier 1974). The standard deviation is that of a sample (n-1), by Welford's method and,
/// when joining, Chan, Golub & LeVeque 1979.
class aggregate {
public:
  /// `value`: for `distinct` the bits of a 64-bit hash; without meaning for `count`.
  void add(aggregate_kind kind, double value);
  void add_hash(std::uint64_t hash);
  void merge(aggregate_kind kind, const aggregate& other);

  /// Nothing where no answer exists (average of nothing). `seconds`: of the window, for `rate`; `q`: for `percentile`.
  std::optional<double> result(aggregate_kind kind, double q, double seconds) const;
  std::uint64_t count() const noexcept { return count_; }
  bool is_exact() const noexcept { return !bag_ || bag_->is_exact(); }

  std::size_t bytes() const noexcept { return sizeof *this + (bag_ ? bag_->bytes() : 0); }
  void pack(packer& out) const;
  static aggregate unpack(unpacker& in);

  aggregate() = default;
  aggregate(aggregate&&) noexcept = default;
  aggregate& operator=(aggregate&&) noexcept = default;
  aggregate(const aggregate& other)
      : count_(other.count_), a_(other.a_), b_(other.b_), bag_(other.bag_ ? new value_bag(*other.bag_) : nullptr) {}
  aggregate& operator=(const aggregate& other) { return *this = aggregate(other); }

private:
  void add_to_sum(double x) noexcept;

  std::uint64_t count_ = 0;
  double a_ = 0; ///< sum, mean, or extreme
  double b_ = 0; ///< what the sum lost, or the sum of squared distances
  std::unique_ptr<value_bag> bag_;
};

} // namespace tobit::rule::window
