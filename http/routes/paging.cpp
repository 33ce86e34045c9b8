#include "http/routes/paging.hpp"

namespace tobit::http {

result<list_place> read_place(const exchange& ex) {
  list_place place;
  place.limit = ex.whole("limit");
  place.offset = ex.whole("offset");
  if (const auto& cursor = ex.text("cursor"); !cursor.empty()) {
    auto read = read_cursor(cursor, 2);
    if (!read) return fail(read.error());
    if (!(*read)[0].is_number_integer() || !(*read)[1].is_string())
      return fail(error_code::validation_error, "The parameter 'cursor' is not one that this list gave out.");
    place.before_us = (*read)[0].get<std::int64_t>();
    place.before_key = (*read)[1].get<std::string>();
  }
  return place;
}

std::vector<parameter> paging_parameters(int usual, int most) {
  return {
      in_query("limit", whole(1, most).or_else(usual).described("Most rows to answer with.")),
      in_query("cursor", text(1, 2'000).described("`next_cursor` of the page before.")),
      in_query("offset", whole(0, 1e6).or_else(0).described("Rows to skip; a cursor is faster far down the list."))};
}

json page_metadata(const list_place& place, std::size_t returned, std::int64_t last_us, const std::string& last_key) {
  json out{{"limit", place.limit}, {"offset", place.offset}, {"returned", returned}};
  const bool full = returned > 0 && returned == static_cast<std::size_t>(place.limit);
  out["next_cursor"] = full ? json(write_cursor({last_us, last_key})) : json(nullptr);
  return out;
}

std::string like_pattern(std::string_view words) {
  if (words.empty()) return "%";
  std::string out = "%";
  for (char c : words) {
    if (c == '%' || c == '_' || c == '\\') out.push_back('\\');
    out.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c);
  }
  return out + '%';
}

} // namespace tobit::http
