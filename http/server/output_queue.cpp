#include "http/server/output_queue.hpp"

#include <algorithm>

namespace tobit::http::edge {
namespace {

constexpr std::size_t join_max = 16 * 1024;

} // namespace

bool output_queue::joins(std::size_t size) const noexcept {
  return !pieces_.empty() && !pieces_.back().shared && pieces_.back().own.size() + size <= join_max;
}

void output_queue::push(std::string bytes, std::size_t charge) {
  if (bytes.empty()) return;
  bytes_ += bytes.size();
  if (joins(bytes.size())) {
    pieces_.back().own += bytes;
    pieces_.back().charge += charge;
  } else {
    pieces_.push_back({std::move(bytes), nullptr, charge});
  }
}

void output_queue::push(std::shared_ptr<const std::string> bytes, std::size_t charge) {
  if (!bytes || bytes->empty()) return;
  bytes_ += bytes->size();
  if (joins(bytes->size())) {
    pieces_.back().own += *bytes;
    pieces_.back().charge += charge;
  } else if (bytes->size() <= join_max / 2) {
    pieces_.push_back({*bytes, nullptr, charge});
  } else {
    pieces_.push_back({{}, std::move(bytes), charge});
  }
}

std::size_t output_queue::front(iovec* into, std::size_t max) const noexcept {
  const auto count = std::min(max, pieces_.size());
  for (std::size_t i = 0; i < count; ++i) {
    const auto rest = pieces_[i].view().substr(i == 0 ? offset_ : 0);
    into[i] = {const_cast<char*>(rest.data()), rest.size()};
  }
  return count;
}

std::size_t output_queue::consume(std::size_t written) noexcept {
  std::size_t charges = 0;
  bytes_ -= written;
  offset_ += written;
  while (!pieces_.empty() && offset_ >= pieces_.front().view().size()) {
    offset_ -= pieces_.front().view().size();
    charges += pieces_.front().charge;
    pieces_.pop_front();
  }
  return charges;
}

void output_queue::clear() noexcept {
  pieces_.clear();
  offset_ = bytes_ = 0;
}

} // namespace tobit::http::edge
