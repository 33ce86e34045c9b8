#pragma once

#include "actors/rule/pattern/compiled_pattern.hpp"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace tobit::rule::pattern {

/// What is kept of an event: what people are told, and the fields that the pattern and its messages name.
struct capture {
  std::string id, type, source;
  std::int64_t time_us = 0;
  std::vector<json> fields; ///< as in `compiled_pattern::fields`; null: not there
};
using capture_ptr = std::shared_ptr<const capture>;

/// One event as the pattern sees it. Most events change nothing: what is kept of them is read only when it is needed.
class sighting {
public:
  /// A live event. Both arguments are only looked at while this is in use.
  sighting(const compiled_pattern& by, const event::event& e, std::int64_t at_us, bits what_fits)
      : time_us(at_us), fits(what_fits), by_(&by), event_(&e) {}
  /// A remembered one.
  sighting(std::int64_t at_us, bits what_fits, capture_ptr what)
      : time_us(at_us), fits(what_fits), what_(std::move(what)) {}

  const capture_ptr& what() const;

  std::int64_t time_us;
  bits fits;

private:
  const compiled_pattern* by_ = nullptr;
  const event::event* event_ = nullptr;
  mutable capture_ptr what_;
};

} // namespace tobit::rule::pattern
