#include "runtime/time/schedule_spec.hpp"

#include <array>
#include <string>

namespace tobit {

namespace {

constexpr std::array<std::string_view, 3> missed_names{"skip", "once", "all"};
constexpr std::array<std::string_view, 3> overlap_names{"skip", "queue", "allow"};

tl::unexpected<error> refuse(std::string_view pointer, std::string_view field, std::string sentence) {
  return fail(error_code::validation_error, std::move(sentence), pointer_append(pointer, field));
}

/// Reads an optional text field; absent or null leaves `into` as it is.
result<void> read_text(const json& spec, std::string_view pointer, const char* field, std::string& into) {
  const auto found = spec.find(field);
  if (found == spec.end() || found->is_null()) return {};
  if (!found->is_string()) return refuse(pointer, field, "'" + std::string(field) + "' is a string.");
  into = found->get<std::string>();
  return {};
}

result<void> read_number(const json& spec, std::string_view pointer, const char* field, std::int64_t lowest,
                         std::int64_t highest, std::int64_t& into) {
  const auto found = spec.find(field);
  if (found == spec.end() || found->is_null()) return {};
  const auto sentence = "'" + std::string(field) + "' is a whole number from " + std::to_string(lowest) + " to " +
                        std::to_string(highest) + ".";
  if (!found->is_number()) return refuse(pointer, field, sentence);
  const auto value = found->get<double>(); // exact for every admitted value; huge ones fail the comparison
  if (!(value >= static_cast<double>(lowest) && value <= static_cast<double>(highest)) ||
      value != static_cast<double>(static_cast<std::int64_t>(value)))
    return refuse(pointer, field, sentence);
  into = static_cast<std::int64_t>(value);
  return {};
}

template <std::size_t N>
std::optional<std::size_t> index_of(const std::array<std::string_view, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i)
    if (names[i] == name) return i;
  return std::nullopt;
}

result<void> read_timing(const json& spec, std::string_view pointer, entity::schedule_interest& into) {
  if (auto read = read_text(spec, pointer, "cron", into.cron); !read) return read;
  const auto interval = spec.find("interval_seconds");
  const bool has_interval = interval != spec.end() && !interval->is_null();
  if (into.cron.empty() && !has_interval)
    return refuse(pointer, "cron",
                  "A schedule needs 'cron', such as \"*/5 * * * *\", or 'interval_seconds', such as 60.");
  if (!into.cron.empty() && has_interval)
    return refuse(pointer, "interval_seconds", "A schedule has either 'cron' or 'interval_seconds'; leave one out.");
  if (into.cron.empty() && spec.contains("timezone") && !spec["timezone"].is_null())
    return refuse(pointer, "timezone", "'timezone' belongs to 'cron'; an interval has none.");
  if (auto read = read_text(spec, pointer, "timezone", into.timezone); !read) return read;
  return read_number(spec, pointer, "interval_seconds", 1, interval_seconds_max, into.interval_seconds);
}

result<void> read_policies(const json& spec, std::string_view pointer, entity::schedule_interest& into) {
  if (auto read = read_text(spec, pointer, "missed", into.missed); !read) return read;
  if (auto read = read_number(spec, pointer, "missed_max", 1, missed_ticks_max, into.missed_max); !read) return read;
  if (auto read = read_text(spec, pointer, "overlap", into.overlap); !read) return read;
  return read_number(spec, pointer, "jitter_seconds", 0, jitter_seconds_max, into.jitter_seconds);
}

} // namespace

result<entity::schedule_interest> parse_schedule(const json& spec, std::string_view pointer) {
  if (!spec.is_object())
    return fail(error_code::validation_error, "A schedule is an object with 'cron' or 'interval_seconds'.",
                std::string(pointer));
  entity::schedule_interest interest;
  if (auto read = read_timing(spec, pointer, interest); !read) return fail(read.error());
  if (auto read = read_policies(spec, pointer, interest); !read) return fail(read.error());
  if (auto compiled = compile_schedule(interest); !compiled)
    return fail(compiled.error().code, compiled.error().message, std::string(pointer) + compiled.error().pointer);
  return interest;
}

result<schedule_spec> compile_schedule(const entity::schedule_interest& interest) {
  schedule_spec spec;
  if (interest.cron.empty()) {
    if (interest.interval_seconds < 1 || interest.interval_seconds > interval_seconds_max)
      return refuse("", "interval_seconds",
                    "'interval_seconds' is a whole number from 1 to " + std::to_string(interval_seconds_max) + ".");
    spec.interval = std::chrono::seconds{interest.interval_seconds};
  } else {
    auto cron = parse_cron(interest.cron);
    if (!cron) return refuse("", "cron", cron.error().message);
    auto zone = find_time_zone(interest.timezone);
    if (!zone) return fail(zone.error().code, zone.error().message, "/timezone");
    spec.cron = *cron;
    spec.zone = *zone;
  }
  const auto missed = index_of(missed_names, interest.missed);
  if (!missed) return refuse("", "missed", "'missed' is one of skip, once, all.");
  const auto overlap = index_of(overlap_names, interest.overlap);
  if (!overlap) return refuse("", "overlap", "'overlap' is one of skip, queue, allow.");
  if (interest.missed_max < 1 || interest.missed_max > missed_ticks_max)
    return refuse("", "missed_max",
                  "'missed_max' is a whole number from 1 to " + std::to_string(missed_ticks_max) + ".");
  if (interest.jitter_seconds < 0 || interest.jitter_seconds > jitter_seconds_max)
    return refuse("", "jitter_seconds",
                  "'jitter_seconds' is a whole number from 0 to " + std::to_string(jitter_seconds_max) + ".");
  spec.missed = static_cast<missed_policy>(*missed);
  spec.overlap = static_cast<overlap_policy>(*overlap);
  spec.missed_max = static_cast<std::uint16_t>(interest.missed_max);
  spec.jitter_seconds = static_cast<std::uint16_t>(interest.jitter_seconds);
  return spec;
}

std::optional<utc_time> next_due(const schedule_spec& spec, utc_time anchor, utc_time after) {
  if (spec.interval == std::chrono::seconds{0}) return next_after(spec.cron, *spec.zone, after);
  const std::chrono::microseconds step = spec.interval;
  if (after < anchor) return anchor + step;
  return anchor + ((after - anchor) / step + 1) * step;
}

} // namespace tobit
