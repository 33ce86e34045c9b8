#include "actors/event/event_batch.hpp"

#include "actors/event/pair_index.hpp"

#include <simdjson.h>
#include <xxhash.h>
#include <zstd.h>

#include <bit>
#include <cstring>

namespace tobit::event {

id_hash hash_of(std::string_view tenant, std::string_view source, std::string_view id) {
  // Zero bytes cannot occur in any of the three, so that ("a", "bc") and ("ab", "c") differ.
  thread_local std::string joined;
  joined.assign(tenant).append(1, '\0').append(source).append(1, '\0').append(id);
  const auto hash = XXH3_128bits(joined.data(), joined.size());
  return {hash.low64, hash.high64};
}

std::string to_bytes(const std::vector<id_hash>& hashes) {
  static_assert(sizeof(id_hash) == 16 && std::endian::native == std::endian::little);
  std::string out(hashes.size() * sizeof(id_hash), '\0');
  if (!hashes.empty()) std::memcpy(out.data(), hashes.data(), out.size());
  return out;
}

std::vector<id_hash> hashes_from_bytes(std::string_view bytes) {
  std::vector<id_hash> out(bytes.size() / sizeof(id_hash));
  if (!out.empty()) std::memcpy(out.data(), bytes.data(), out.size() * sizeof(id_hash));
  return out;
}

std::size_t event_lines::bytes() const noexcept {
  std::size_t total = text.size() + lines.size() * sizeof(event_line);
  for (const auto& [type, source] : pairs)
    total += type.size() + source.size() + sizeof(std::pair<std::string, std::string>);
  return total;
}

event_lines only(const event_lines& from, const std::vector<bool>& keep) {
  event_lines out;
  out.pairs = from.pairs;
  for (std::size_t i = 0; i < from.lines.size(); ++i) {
    if (!keep[i]) continue;
    const auto line = from.line(i);
    out.lines.push_back({static_cast<std::uint32_t>(out.text.size()), from.lines[i].size, from.lines[i].pair});
    out.text.append(line).push_back('\n');
  }
  return out;
}

result<event_lines> index_lines(std::string text) {
  thread_local simdjson::dom::parser parser;
  event_lines out;
  pair_index pairs{out.pairs};
  text.reserve(text.size() + simdjson::SIMDJSON_PADDING);
  for (std::size_t begin = 0; begin < text.size();) {
    auto end = text.find('\n', begin);
    if (end == std::string::npos) end = text.size();
    simdjson::dom::object object;
    std::string_view type, source;
    if (parser.parse(text.data() + begin, end - begin, false).get(object) || object["type"].get(type) ||
        object["source"].get(source))
      return fail(error_code::database_error,
                  "A row of the event log cannot be read; restore the database from a backup.");
    out.lines.push_back(
        {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end - begin), pairs.of(type, source)});
    begin = end + 1;
  }
  out.text = std::move(text);
  return out;
}

std::string compressed(std::string_view text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  const auto size = ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 1);
  out.resize(ZSTD_isError(size) ? 0 : size);
  return out;
}

result<std::string> inflated(std::string_view stored) {
  const auto size = ZSTD_getFrameContentSize(stored.data(), stored.size());
  if (size == ZSTD_CONTENTSIZE_ERROR || size == ZSTD_CONTENTSIZE_UNKNOWN || size > batch_text_max)
    return fail(error_code::database_error, "A row of the event log is damaged; restore the database from a backup.");
  std::string text;
  text.reserve(static_cast<std::size_t>(size) + simdjson::SIMDJSON_PADDING);
  text.resize(static_cast<std::size_t>(size));
  const auto got = ZSTD_decompress(text.data(), text.size(), stored.data(), stored.size());
  if (ZSTD_isError(got) || got != text.size())
    return fail(error_code::database_error, "A row of the event log is damaged; restore the database from a backup.");
  return text;
}

namespace {

json to_json(simdjson::dom::element from) {
  switch (from.type()) {
  case simdjson::dom::element_type::ARRAY: {
    auto out = json::array();
    for (const auto item : simdjson::dom::array(from)) out.push_back(to_json(item));
    return out;
  }
  case simdjson::dom::element_type::OBJECT: {
    auto out = json::object();
    for (const auto member : simdjson::dom::object(from)) out[std::string(member.key)] = to_json(member.value);
    return out;
  }
  case simdjson::dom::element_type::INT64: {
    // As the other parser has it: whole numbers that are not negative are unsigned.
    const std::int64_t number = from;
    return number < 0 ? json(number) : json(static_cast<std::uint64_t>(number));
  }
  case simdjson::dom::element_type::UINT64:
    return std::uint64_t(from);
  case simdjson::dom::element_type::DOUBLE:
    return double(from);
  case simdjson::dom::element_type::STRING:
    return std::string(std::string_view(from));
  case simdjson::dom::element_type::BOOL:
    return bool(from);
  default:
    return nullptr;
  }
}

/// The usual case, several times as fast as building the document first. False: something is unusual, go the long way.
bool read_canonical(std::string_view line, event& into) {
  thread_local simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(line.data(), line.size()).get(object)) return false;
  for (const auto [name, value] : object) {
    std::string_view text;
    if (name == "data") {
      into.data = to_json(value);
      continue;
    }
    if (name == "specversion") continue;
    const bool known = name == "id" || name == "source" || name == "type" || name == "subject" || name == "time";
    if (!known) {
      into.attributes[std::string(name)] = to_json(value);
      continue;
    }
    if (value.get(text)) return false;
    if (name == "id")
      into.id = text;
    else if (name == "source")
      into.source = text;
    else if (name == "type")
      into.type = text;
    else if (name == "subject")
      into.subject = text;
    else if (auto time = parse_rfc3339(text))
      into.time = *time;
    else
      return false;
  }
  return true;
}

} // namespace

result<std::shared_ptr<const event>> to_event(std::string_view line) {
  if (auto quick = std::make_shared<event>(); read_canonical(line, *quick)) return quick;
  auto parsed = parse_json(line);
  if (!parsed) return fail(error_code::database_error, "An event of the log cannot be read.");
  auto one = from_cloudevent(*parsed);
  if (!one) return fail(error_code::database_error, "An event of the log cannot be read.");
  return std::make_shared<const event>(std::move(*one));
}

} // namespace tobit::event
