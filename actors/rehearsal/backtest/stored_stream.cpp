#include "actors/rehearsal/backtest/stored_stream.hpp"

#include "actors/rehearsal/scene.hpp"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

namespace tobit::rehearsal {

namespace {

constexpr std::size_t decoders_max = 2;
constexpr std::size_t page_bytes = 4u << 20, rows_min = 4, rows_max = 1'024;
constexpr std::chrono::seconds patience{60};

/// A callback's answer, waited for.
template <class T, class Start>
result<T> awaited(Start start) {
  auto slot = std::make_shared<std::promise<result<T>>>();
  auto answer = slot->get_future();
  start([slot](result<T> found) { slot->set_value(std::move(found)); });
  if (answer.wait_for(patience) != std::future_status::ready)
    return fail(error_code::deadline_exceeded, "The database did not answer within a minute.");
  return answer.get();
}

result<replayed_batch> decoded(const event::stored_batch& row, const entity::event_interest& wanted) {
  auto text = event::inflated(row.body);
  if (!text) return fail(text.error());
  auto lines = event::index_lines(std::move(*text));
  if (!lines) return fail(lines.error());
  replayed_batch out{row.first_offset, lines->lines.size(), row.received_at, {}};
  std::vector<bool> lets(lines->pairs.size());
  bool any = false;
  for (std::size_t i = 0; i < lines->pairs.size(); ++i)
    any = (lets[i] = lets_through(wanted, lines->pairs[i].first, lines->pairs[i].second)) || any;
  if (!any) return out;
  out.wanted.reserve(lines->lines.size());
  for (std::size_t i = 0; i < lines->lines.size(); ++i) {
    if (!lets[lines->lines[i].pair]) continue;
    auto one = event::to_event(lines->line(i));
    if (!one) return fail(one.error());
    out.wanted.push_back({row.first_offset + i, std::move(*one)});
  }
  return out;
}

} // namespace

stored_stream::stored_stream(storage::database& db, stream_range range) : db_(db), range_(std::move(range)) {}

stored_stream::~stored_stream() = default; // futures of std::async wait

result<std::uint64_t> stored_stream::first_offset() {
  return awaited<std::uint64_t>([this](auto done) { event::find_offset(db_, range_.from, std::move(done)); });
}

void stored_stream::read_ahead(std::uint64_t from) {
  reading_ = std::async(std::launch::async, [this, from, rows = rows_]() -> result<stored_page> {
    auto found = awaited<std::vector<event::stored_batch>>(
        [&](auto done) { event::read_stored(db_, range_.tenant, from, rows, std::move(done)); });
    if (!found) return fail(std::move(found.error()));
    stored_page out{std::move(*found), false};
    out.last = out.rows.size() < rows;
    const auto beyond = std::find_if(out.rows.begin(), out.rows.end(),
                                     [this](const auto& row) { return row.received_at >= range_.to; });
    out.last = out.last || beyond != out.rows.end();
    out.rows.erase(beyond, out.rows.end());
    return out;
  });
}

/// Hands pages that have been read to decoders and asks for the next ones, as far as that goes without waiting; with
/// nothing under way it waits for one.
void stored_stream::decode_ahead() {
  while (!reading_over_ && decoding_.size() < decoders_max) {
    if (!decoding_.empty() && reading_.wait_for(std::chrono::seconds{0}) != std::future_status::ready) return;
    auto raw = reading_.get();
    if (raw && !raw->last) {
      std::size_t bytes = 1;
      for (const auto& row : raw->rows) bytes += row.body.size();
      // Stored text shrinks to about a fifth.
      rows_ = std::clamp(raw->rows.size() * page_bytes / (5 * bytes), rows_min, rows_max);
      read_ahead(raw->rows.back().first_offset + raw->rows.back().count);
    } else {
      reading_over_ = true;
    }
    decoding_.push_back(std::async(std::launch::async, [this, raw = std::move(raw)]() -> result<replayed_page> {
      if (!raw) return fail(raw.error());
      replayed_page out;
      out.batches.reserve(raw->rows.size());
      for (const auto& row : raw->rows) {
        auto one = decoded(row, range_.wanted);
        if (!one) return fail(std::move(one.error()));
        out.batches.push_back(std::move(*one));
      }
      return out;
    }));
  }
}

result<std::vector<replayed_batch>> stored_stream::next() {
  if (!std::exchange(begun_, true)) {
    auto first = first_offset();
    if (!first) return fail(std::move(first.error()));
    read_ahead(*first);
  }
  decode_ahead();
  while (!decoding_.empty()) {
    auto front = decoding_.front().get();
    decoding_.pop_front();
    if (!front) {
      reading_over_ = true;
      return fail(std::move(front.error()));
    }
    decode_ahead();
    if (!front->batches.empty()) return std::move(front->batches);
  }
  return std::vector<replayed_batch>{};
}

} // namespace tobit::rehearsal
