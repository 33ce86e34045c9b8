#include "actors/rule/pattern/sighting.hpp"

namespace tobit::rule::pattern {

const capture_ptr& sighting::what() const {
  if (what_) return what_;
  auto made = std::make_shared<capture>();
  made->id = event_->id;
  made->type = event_->type;
  made->source = event_->source;
  made->time_us = time_us;
  made->fields.reserve(by_->fields.size());
  const auto where = subject::of(*event_);
  for (const auto& field : by_->fields) made->fields.push_back(field.in(where).show());
  return what_ = std::move(made);
}

} // namespace tobit::rule::pattern
