#include "actors/rule/window/aggregate.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <iterator>

namespace tobit::rule::window {

namespace {

constexpr std::array<std::string_view, 9> names{"count", "sum",        "avg",      "min", "max",
                                                "std",   "percentile", "distinct", "rate"};

constexpr double accuracy = 0.01, growth = (1 + accuracy) / (1 - accuracy);
constexpr std::size_t buckets_max = 2'048;
constexpr double smallest = 1e-300;           ///< nearer to zero is zero
constexpr std::int32_t bucket_shift = 40'000; ///< puts the buckets of tiny values above 0
constexpr unsigned register_bits = 12;
constexpr std::size_t registers_count = 1u << register_bits;

std::int32_t bucket_of(double x) {
  const double size = std::abs(x);
  if (size < smallest) return 0;
  const auto place = static_cast<std::int32_t>(std::ceil(std::log(size) / std::log(growth))) + bucket_shift;
  return x > 0 ? place : -place;
}

double value_of(std::int32_t bucket) {
  if (bucket == 0) return 0;
  const double size = 2 * std::pow(growth, std::abs(bucket) - bucket_shift) / (growth + 1);
  return bucket > 0 ? size : -size;
}

} // namespace

std::string_view to_string(aggregate_kind kind) noexcept { return names[static_cast<std::size_t>(kind)]; }

std::optional<aggregate_kind> parse_aggregate_kind(std::string_view text) noexcept {
  const auto found = std::find(names.begin(), names.end(), text);
  if (found == names.end()) return std::nullopt;
  return static_cast<aggregate_kind>(found - names.begin());
}

// -- value_bag ------------------------------------------------------------------------------------------------------

void value_bag::add_value(double x) {
  if (!buckets_.empty()) return add_to_bucket(bucket_of(x), 1);
  values_.push_back(x);
  if (values_.size() > exact_values_max) to_buckets();
}

void value_bag::to_buckets() {
  for (const double x : values_) add_to_bucket(bucket_of(x), 1);
  values_ = {};
}

void value_bag::add_to_bucket(std::int32_t index, std::uint64_t count) {
  const auto place = std::lower_bound(buckets_.begin(), buckets_.end(), bucket{index, 0});
  if (place != buckets_.end() && place->first == index) {
    place->second += count;
    return;
  }
  buckets_.insert(place, {index, count});
  if (buckets_.size() <= buckets_max) return;
  buckets_[1].second += buckets_[0].second;
  buckets_.erase(buckets_.begin());
}

void value_bag::add_hash(std::uint64_t hash) {
  if (!registers_.empty()) return add_to_registers(hash);
  const auto place = std::lower_bound(hashes_.begin(), hashes_.end(), hash);
  if (place != hashes_.end() && *place == hash) return;
  hashes_.insert(place, hash);
  if (hashes_.size() > exact_values_max) to_registers();
}

void value_bag::to_registers() {
  registers_.resize(registers_count);
  for (const auto hash : hashes_) add_to_registers(hash);
  hashes_ = {};
}

void value_bag::add_to_registers(std::uint64_t hash) noexcept {
  auto& place = registers_[hash >> (64 - register_bits)];
  const auto rest = (hash << register_bits) | (std::uint64_t{1} << (register_bits - 1));
  place = std::max(place, static_cast<std::uint8_t>(std::countl_zero(rest) + 1));
}

void value_bag::merge(const value_bag& other) {
  for (const double x : other.values_) add_value(x);
  if (!other.buckets_.empty() && buckets_.empty()) to_buckets();
  for (const auto& [index, count] : other.buckets_) add_to_bucket(index, count);
  if (registers_.empty() && other.registers_.empty()) {
    std::vector<std::uint64_t> both;
    both.reserve(hashes_.size() + other.hashes_.size());
    std::set_union(hashes_.begin(), hashes_.end(), other.hashes_.begin(), other.hashes_.end(),
                   std::back_inserter(both));
    hashes_ = std::move(both);
    if (hashes_.size() > exact_values_max) to_registers();
    return;
  }
  if (registers_.empty()) to_registers();
  for (const auto hash : other.hashes_) add_to_registers(hash);
  for (std::size_t i = 0; i < other.registers_.size(); ++i)
    registers_[i] = std::max(registers_[i], other.registers_[i]);
}

double value_bag::percentile(double q) const {
  if (buckets_.empty()) {
    auto sorted = values_;
    const double place = q * static_cast<double>(sorted.size() - 1);
    const auto below = static_cast<std::size_t>(place);
    const auto at = sorted.begin() + static_cast<std::ptrdiff_t>(below);
    std::nth_element(sorted.begin(), at, sorted.end());
    if (below + 1 >= sorted.size()) return *at;
    return std::lerp(*at, *std::min_element(at + 1, sorted.end()), place - static_cast<double>(below));
  }
  std::uint64_t total = 0;
  for (const auto& b : buckets_) total += b.second;
  const double place = q * static_cast<double>(total - 1);
  std::uint64_t passed = 0;
  for (const auto& [index, count] : buckets_) {
    passed += count;
    if (static_cast<double>(passed) > place) return value_of(index);
  }
  return value_of(buckets_.back().first);
}

double value_bag::distinct() const {
  if (registers_.empty()) return static_cast<double>(hashes_.size());
  const auto m = static_cast<double>(registers_count);
  double sum = 0;
  std::size_t zeros = 0;
  for (const auto r : registers_) {
    sum += std::ldexp(1.0, -int{r});
    zeros += r == 0;
  }
  const double estimate = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  if (estimate <= 2.5 * m && zeros > 0) return std::round(m * std::log(m / static_cast<double>(zeros)));
  return std::round(estimate);
}

std::size_t value_bag::bytes() const noexcept {
  return sizeof *this + values_.size() * sizeof(double) + hashes_.size() * sizeof(std::uint64_t) +
         buckets_.size() * sizeof(bucket) + registers_.size();
}

void value_bag::pack(packer& out) const {
  out.count(values_.size());
  for (const double x : values_) out.real(x);
  out.count(hashes_.size());
  for (const auto hash : hashes_) out.fixed(hash);
  out.count(buckets_.size());
  for (const auto& [index, count] : buckets_) {
    out.whole(index);
    out.count(count);
  }
  out.text({reinterpret_cast<const char*>(registers_.data()), registers_.size()});
}

value_bag value_bag::unpack(unpacker& in) {
  value_bag out;
  for (auto n = in.count(); in.can_hold(n) && n > 0; --n) out.values_.push_back(in.real());
  for (auto n = in.count(); in.can_hold(n) && n > 0; --n) out.hashes_.push_back(in.fixed());
  for (auto n = in.count(); in.can_hold(n) && n > 0; --n) {
    const auto index = static_cast<std::int32_t>(in.whole());
    out.buckets_.emplace_back(index, in.count());
  }
  const auto registers = in.text();
  if (!registers.empty() && registers.size() != registers_count) in.fail();
  if (in.good()) out.registers_.assign(registers.begin(), registers.end());
  return out;
}

// -- aggregate ------------------------------------------------------------------------------------------------------

void aggregate::add_to_sum(double x) noexcept {
  const double t = a_ + x;
  b_ += std::abs(a_) >= std::abs(x) ? (a_ - t) + x : (x - t) + a_;
  a_ = t;
}

void aggregate::add_hash(std::uint64_t hash) {
  ++count_;
  if (!bag_) bag_ = std::make_unique<value_bag>();
  bag_->add_hash(hash);
}

void aggregate::add(aggregate_kind kind, double value) {
  if (kind == aggregate_kind::distinct) return add_hash(std::bit_cast<std::uint64_t>(value));
  ++count_;
  switch (kind) {
  case aggregate_kind::min:
    a_ = count_ == 1 ? value : std::min(a_, value);
    break;
  case aggregate_kind::max:
    a_ = count_ == 1 ? value : std::max(a_, value);
    break;
  case aggregate_kind::std: {
    const double d = value - a_;
    a_ += d / static_cast<double>(count_);
    b_ += d * (value - a_);
    break;
  }
  case aggregate_kind::percentile:
    if (!bag_) bag_ = std::make_unique<value_bag>();
    bag_->add_value(value);
    break;
  case aggregate_kind::count:
    break;
  default:
    add_to_sum(value);
  }
}

void aggregate::merge(aggregate_kind kind, const aggregate& other) {
  if (other.count_ == 0) return;
  if (count_ == 0) {
    *this = other;
    return;
  }
  const auto mine = static_cast<double>(count_), theirs = static_cast<double>(other.count_);
  count_ += other.count_;
  switch (kind) {
  case aggregate_kind::min:
    a_ = std::min(a_, other.a_);
    break;
  case aggregate_kind::max:
    a_ = std::max(a_, other.a_);
    break;
  case aggregate_kind::std: {
    const double d = other.a_ - a_;
    a_ += d * theirs / (mine + theirs);
    b_ += other.b_ + d * d * mine * theirs / (mine + theirs);
    break;
  }
  case aggregate_kind::percentile:
  case aggregate_kind::distinct:
    if (bag_ && other.bag_) bag_->merge(*other.bag_);
    break;
  case aggregate_kind::count:
    break;
  default:
    add_to_sum(other.a_);
    b_ += other.b_;
  }
}

std::optional<double> aggregate::result(aggregate_kind kind, double q, double seconds) const {
  switch (kind) {
  case aggregate_kind::count:
    return static_cast<double>(count_);
  case aggregate_kind::sum:
    return a_ + b_;
  case aggregate_kind::rate:
    return (a_ + b_) / seconds;
  case aggregate_kind::distinct:
    return bag_ ? bag_->distinct() : 0;
  case aggregate_kind::std:
    if (count_ < 2) return std::nullopt;
    return std::sqrt(std::max(b_, 0.0) / static_cast<double>(count_ - 1));
  default:
    break;
  }
  if (count_ == 0) return std::nullopt;
  if (kind == aggregate_kind::avg) return (a_ + b_) / static_cast<double>(count_);
  if (kind == aggregate_kind::percentile) return bag_ ? std::optional(bag_->percentile(q)) : std::nullopt;
  return a_;
}

void aggregate::pack(packer& out) const {
  out.count(count_);
  out.real(a_);
  out.real(b_);
  out.count(bag_ ? 1 : 0);
  if (bag_) bag_->pack(out);
}

aggregate aggregate::unpack(unpacker& in) {
  aggregate out;
  out.count_ = in.count();
  out.a_ = in.real();
  out.b_ = in.real();
  if (in.count() == 1) out.bag_ = std::make_unique<value_bag>(value_bag::unpack(in));
  return out;
}

} // namespace tobit::rule::window
