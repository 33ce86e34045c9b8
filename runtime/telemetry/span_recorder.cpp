#include "runtime/telemetry/span_recorder.hpp"

#include <utility>

namespace tobit::telemetry {

namespace {

/// Where a trace stands between 0 and 1. The last eight bytes of a trace id are random (W3C Trace Context, §3.2.2.3).
double position_of(const trace_id& trace) noexcept {
  std::uint64_t bits = 0;
  for (std::size_t i = 8; i < 16; ++i) bits = (bits << 8) | trace.bytes[i];
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

/// Cuts at a character's start, so that UTF-8 stays UTF-8.
void shorten(std::string& text, std::size_t length_max) noexcept {
  if (text.size() <= length_max) return;
  while (length_max > 0 && (static_cast<unsigned char>(text[length_max]) & 0xc0) == 0x80) --length_max;
  text.resize(length_max);
}

} // namespace

span_recorder::span_recorder(const span_options& options, const clock& time, metrics* figures)
    : options_(options), time_(time), figures_(figures), ring_(options.ring_max) {
  // nop
}

span_recorder::~span_recorder() {
  if (flusher_.joinable()) {
    {
      std::lock_guard lock{guard_};
      stopping_ = true;
    }
    stop_requested_.notify_all();
    flusher_.join();
  }
  flush();
  for (const auto& lane : lanes_) lane->close();
}

void span_recorder::add_outlet(std::unique_ptr<span_outlet> outlet, const outlet_options& options) {
  lanes_.push_back(std::make_shared<span_lane>(std::move(outlet), options, figures_));
}

void span_recorder::start() {
  if (lanes_.empty() || flusher_.joinable()) return;
  flusher_ = std::thread([this] {
    std::unique_lock lock{guard_};
    while (!stop_requested_.wait_for(lock, options_.flush_interval, [this] { return stopping_; })) {
      lock.unlock();
      flush();
      lock.lock();
    }
  });
}

void span_recorder::flush() {
  for (const auto& lane : lanes_) lane->flush(time_.steady_now());
}

void span_recorder::record(span_record span) noexcept {
  shorten(span.name, attribute_length_max);
  if (span.attributes.size() > attributes_max)
    span.attributes.erase(span.attributes.begin() + attributes_max, span.attributes.end());
  for (auto& [key, text] : span.attributes) shorten(text, attribute_length_max);
  const auto always = span.failed || span.duration >= options_.slow;
  const auto position = position_of(span.trace);
  for (const auto& lane : lanes_)
    if (always || position < lane->options().ratio) lane->add(span);
  ring_.add(std::move(span));
}

bool span_recorder::wants(const call_context& context) const noexcept {
  return (context.flags & 1) != 0 && position_of(context.trace) < options_.keep_ratio;
}

std::vector<span_record> span_recorder::of_trace(const trace_id& trace) const { return ring_.of_trace(trace); }

} // namespace tobit::telemetry
