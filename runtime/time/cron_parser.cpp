#include "runtime/time/cron.hpp"

#include <algorithm>
#include <charconv>
#include <string>
#include <vector>

namespace tobit {

namespace {

constexpr std::array<std::string_view, 12> month_names{"JAN", "FEB", "MAR", "APR", "MAY", "JUN",
                                                       "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"};
constexpr std::array<std::string_view, 7> weekday_names{"SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"};

struct macro {
  std::string_view name, meaning;
};
constexpr std::array<macro, 7> macros{{{"@yearly", "0 0 1 1 *"},
                                       {"@annually", "0 0 1 1 *"},
                                       {"@monthly", "0 0 1 * *"},
                                       {"@weekly", "0 0 * * 0"},
                                       {"@daily", "0 0 * * *"},
                                       {"@midnight", "0 0 * * *"},
                                       {"@hourly", "0 * * * *"}}};

/// What one field may hold.
struct field_rule {
  std::string_view name;
  int lowest, highest;
  const std::string_view* names = nullptr; ///< of the values from `name_base` on
  std::size_t name_count = 0;
  int name_base = 0;
  std::string_view name_example{};
};
constexpr field_rule second_field{"second", 0, 59};
constexpr field_rule minute_field{"minute", 0, 59};
constexpr field_rule hour_field{"hour", 0, 23};
constexpr field_rule day_field{"day-of-month", 1, 31};
constexpr field_rule month_field{"month", 1, 12, month_names.data(), month_names.size(), 1, "JAN"};
constexpr field_rule weekday_field{"day-of-week", 0, 7, weekday_names.data(), weekday_names.size(), 0, "MON"};

using bits = std::uint64_t;

std::string upper(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
  return out;
}

std::string shown(std::string_view text) { return "'" + std::string(text.substr(0, 32)) + "'"; }

std::string range_of(int lowest, int highest) { return std::to_string(lowest) + "–" + std::to_string(highest); }

tl::unexpected<error> refuse(std::string sentence) { return fail(error_code::validation_error, std::move(sentence)); }

tl::unexpected<error> out_of_range(const field_rule& field, std::string_view value) {
  return refuse(std::string(field.name) + " " + std::string(value.substr(0, 32)) + " is not in " +
                range_of(field.lowest, field.highest) + ".");
}

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, wrong] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || wrong != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

bool all_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

result<int> value_of(const field_rule& field, std::string_view text) {
  if (auto value = number(text)) {
    if (*value < field.lowest || *value > field.highest) return out_of_range(field, text);
    return *value;
  }
  if (all_digits(text)) return out_of_range(field, text);
  for (std::size_t i = 0; i < field.name_count; ++i)
    if (field.names[i] == upper(text)) return field.name_base + static_cast<int>(i);
  auto sentence =
      std::string(field.name) + " " + shown(text) + " is not a number in " + range_of(field.lowest, field.highest);
  if (field.name_count > 0) sentence += " or a name such as " + std::string(field.name_example);
  return refuse(sentence + ".");
}

result<int> step_of(const field_rule& field, std::string_view text) {
  const int most = field.highest - field.lowest + (field.lowest == 0 ? 0 : 1);
  const auto step = number(text);
  if (!step || *step < 1 || *step > most)
    return refuse(std::string(field.name) + " step " + shown(text) + " is not in " + range_of(1, most) + ".");
  return *step;
}

tl::unexpected<error> runs_backwards(const field_rule& field, int first, int last, int natural_end) {
  const auto pair = [](int from, int to) { return std::to_string(from) + "-" + std::to_string(to); };
  return refuse(std::string(field.name) + " range " + pair(first, last) + " runs backwards; write it as '" +
                pair(first, natural_end) + "," + pair(field.lowest, last) + "'.");
}

/// `*`, `a`, `a-b`, each with an optional `/n`.
result<bits> plain_item(const field_rule& field, std::string_view item) {
  const auto slash = item.find('/');
  const auto range = item.substr(0, slash);
  int step = 1;
  if (slash != std::string_view::npos) {
    auto parsed = step_of(field, item.substr(slash + 1));
    if (!parsed) return fail(parsed.error());
    step = *parsed;
  }
  const int natural_end = &field == &weekday_field ? 6 : field.highest;
  int first = field.lowest, last = natural_end;
  if (range != "*") {
    const auto dash = range.find('-');
    auto from = value_of(field, range.substr(0, dash));
    if (!from) return fail(from.error());
    first = last = *from;
    if (dash != std::string_view::npos) {
      auto to = value_of(field, range.substr(dash + 1));
      if (!to) return fail(to.error());
      last = *to;
      if (&field == &weekday_field && last == 0 && first > 0) last = 7; // FRI-SUN
    } else if (slash != std::string_view::npos) {
      last = std::max(first, natural_end);
    }
  }
  if (last < first) return runs_backwards(field, first, last, natural_end);
  bits admitted = 0;
  for (int value = first; value <= last; value += step) admitted |= bits{1} << value;
  return admitted;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators, bool keep_empty) {
  std::vector<std::string_view> parts;
  while (true) {
    const auto end = text.find_first_of(separators);
    if (auto part = text.substr(0, end); keep_empty || !part.empty()) parts.push_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

result<bits> plain_field(const field_rule& field, std::string_view text) {
  bits admitted = 0;
  for (auto item : split(text, ",", true)) {
    auto more = plain_item(field, item);
    if (!more) return fail(more.error());
    admitted |= *more;
  }
  return admitted;
}

bool is_open(std::string_view text) { return text.front() == '*' || text == "?"; }

result<void> day_item(std::string_view item, cron_expression& cron) {
  if (item == "L") {
    cron.days_from_last |= 1;
  } else if (item == "LW" || item == "WL") {
    cron.last_working_day = true;
  } else if (item.substr(0, 2) == "L-") {
    const auto back = number(item.substr(2));
    if (!back || *back > 30) return refuse("day-of-month " + shown(item) + " is not L-0 to L-30.");
    cron.days_from_last |= 1u << *back;
  } else if (item.size() > 1 && item.back() == 'W') {
    auto day = value_of(day_field, item.substr(0, item.size() - 1));
    if (!day) return fail(day.error());
    cron.nearest_working_days |= 1u << *day;
  } else {
    auto more = plain_item(day_field, item);
    if (!more) return fail(more.error());
    cron.days |= static_cast<std::uint32_t>(*more);
  }
  return {};
}

result<void> weekday_item(std::string_view item, cron_expression& cron) {
  const auto hash = item.find('#');
  const bool last_of_month = item.size() > 1 && item.back() == 'L';
  if (item == "L") return refuse("day-of-week 'L' does not say which day; write 5L or FRIL for the last Friday.");
  if (hash == std::string_view::npos && !last_of_month) {
    auto more = plain_item(weekday_field, item);
    if (!more) return fail(more.error());
    cron.weekdays |= static_cast<std::uint8_t>((*more & 127) | (*more >> 7 & 1)); // 7 is Sunday too
    return {};
  }
  auto day = value_of(weekday_field, last_of_month ? item.substr(0, item.size() - 1) : item.substr(0, hash));
  if (!day) return fail(day.error());
  const auto bit = static_cast<std::uint8_t>(1u << (*day % 7));
  if (last_of_month) {
    cron.last_weekdays |= bit;
    return {};
  }
  const auto nth = number(item.substr(hash + 1));
  if (!nth || *nth < 1 || *nth > 5) return refuse("day-of-week " + shown(item) + ": the number after # is not in 1–5.");
  cron.nth_weekdays[static_cast<std::size_t>(*nth - 1)] |= bit;
  return {};
}

template <class Item>
result<void> day_fields(std::string_view text, Item item_reader, cron_expression& cron) {
  const auto capital = upper(text == "?" ? "*" : text);
  for (auto item : split(capital, ",", true))
    if (auto read = item_reader(item, cron); !read) return read;
  return {};
}

result<cron_expression> parse_fields(const std::vector<std::string_view>& fields) {
  const std::size_t at = fields.size() - 5;
  cron_expression cron;
  if (at == 1) {
    auto seconds = plain_field(second_field, fields[0]);
    if (!seconds) return fail(seconds.error());
    cron.seconds = *seconds;
  }
  auto minutes = plain_field(minute_field, fields[at]);
  if (!minutes) return fail(minutes.error());
  auto hours = plain_field(hour_field, fields[at + 1]);
  if (!hours) return fail(hours.error());
  auto months = plain_field(month_field, fields[at + 3]);
  if (!months) return fail(months.error());
  cron.minutes = *minutes;
  cron.hours = static_cast<std::uint32_t>(*hours);
  cron.months = static_cast<std::uint16_t>(*months);
  if (auto read = day_fields(fields[at + 2], day_item, cron); !read) return fail(read.error());
  if (auto read = day_fields(fields[at + 4], weekday_item, cron); !read) return fail(read.error());
  cron.any_day = is_open(fields[at + 2]);
  cron.any_weekday = is_open(fields[at + 4]);
  constexpr bits every_minute = (bits{1} << 60) - 1, every_hour = (bits{1} << 24) - 1;
  cron.follows_elapsed_time = fields[at].front() == '*' || fields[at + 1].front() == '*' ||
                              cron.minutes == every_minute || cron.hours == every_hour;
  return cron;
}

/// The Gregorian calendar repeats after 400 years, weekdays included.
bool ever_fires(const cron_expression& cron) {
  using namespace std::chrono;
  for (auto month = 2000y / January; month < 2400y / January; month += months{1})
    if (days_admitted(cron, month) != 0) return true;
  return false;
}

} // namespace

result<cron_expression> parse_cron(std::string_view text) {
  const auto about = "The cron expression " + shown(text) + ": ";
  if (text.size() > cron_length_max)
    return refuse(about + "it is longer than " + std::to_string(cron_length_max) + " bytes.");
  auto fields = split(text, " \t", false);
  if (fields.size() == 1 && fields[0].front() == '@') {
    const auto known = std::find_if(macros.begin(), macros.end(), [&](const macro& m) { return m.name == fields[0]; });
    if (known == macros.end())
      return refuse(about + "it is not one of @yearly, @monthly, @weekly, @daily, @hourly; for other intervals use "
                            "interval_seconds.");
    fields = split(known->meaning, " ", false);
  }
  if (fields.size() != 5 && fields.size() != 6)
    return refuse(about + "it has " + std::to_string(fields.size()) +
                  " fields; write minute hour day-of-month month day-of-week, with seconds before them if needed.");
  auto cron = parse_fields(fields);
  if (!cron) return refuse(about + cron.error().message);
  if (!ever_fires(*cron))
    return refuse(about +
                  "it never fires, because the months it names have no such day; correct day-of-month or month.");
  return cron;
}

} // namespace tobit
