#pragma once

#include "schemas/error.hpp"
#include "schemas/event/event.hpp"
#include "schemas/ids.hpp"
#include "schemas/time.hpp"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::event {

/// XXH3-128 of tenant, source and id: what makes an event the same event. Two different ones that meet: with 2 million
/// in memory the chance that any new one is taken for an old one is below 10^-32.
struct id_hash {
  std::uint64_t low = 0, high = 0;
  bool operator==(const id_hash&) const = default;
};
id_hash hash_of(std::string_view tenant, std::string_view source, std::string_view id);

/// As the column `id_hashes` keeps them: 16 bytes each, little-endian, low half first.
std::string to_bytes(const std::vector<id_hash>& hashes);
std::vector<id_hash> hashes_from_bytes(std::string_view bytes);

/// Where an event stands in its batch's text, and which of the batch's (type, source) pairs it has.
struct event_line {
  std::uint32_t begin = 0, size = 0; ///< without the line feed
  std::uint32_t pair = 0;            ///< index into `event_lines::pairs`
};

/// Events as canonical NDJSON (one CloudEvent a line, as `to_cloudevent` writes them), with an index for routing.
struct event_lines {
  std::string text;
  std::vector<event_line> lines;
  std::vector<std::pair<std::string, std::string>> pairs; ///< distinct (type, source)

  std::string_view line(std::size_t i) const { return std::string_view{text}.substr(lines[i].begin, lines[i].size); }
  std::size_t bytes() const noexcept;
};

/// One row of the log, in memory.
struct logged_batch {
  std::uint64_t first_offset = 0;
  tenant_id tenant;
  utc_time received_at;
  std::string context; ///< encoded call context of the request that brought it
  event_lines events;

  std::uint64_t end_offset() const noexcept { return first_offset + events.lines.size(); }
};
using logged_batch_ptr = std::shared_ptr<const logged_batch>;

/// The events of `from` whose place in `keep` is true.
event_lines only(const event_lines& from, const std::vector<bool>& keep);

/// Reads the index of stored text anew. Errors: database_error if the text is not what we wrote.
result<event_lines> index_lines(std::string text);

/// zstd, level 1: the stored form of a batch's text. Inflating refuses more than `batch_text_max` bytes.
inline constexpr std::size_t batch_text_max = 1u << 30;
std::string compressed(std::string_view text);
result<std::string> inflated(std::string_view stored);

/// One event of a batch as a value, for conditions. Errors: database_error if the line is not what we wrote.
result<std::shared_ptr<const event>> to_event(std::string_view line);

} // namespace tobit::event
