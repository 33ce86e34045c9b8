#include "actors/alert/silence_book.hpp"

#include <algorithm>

namespace tobit::alert {

namespace {

constexpr std::int64_t second_us = 1'000'000;

std::int64_t read_time(rule::field_reader& in, const char* name, std::int64_t otherwise) {
  if (!in.has(name)) {
    in.any(name);
    return otherwise;
  }
  const auto text = in.text(name, {1, 40});
  const auto time = parse_rfc3339(text);
  if (!time) in.refuse(name, "'" + std::string(name) + "' is a time like 2026-11-20T09:00:00Z.");
  return time ? to_micros(*time) : otherwise;
}

} // namespace

result<silence> silence_book::read(const json& body, const silence* before, utc_time now) const {
  if (!before && all_.size() >= silences_max)
    return fail(error_code::overloaded,
                "There are " + std::to_string(silences_max) + " silences already; end some that nobody needs.");
  rule::verdict v;
  rule::field_reader in{v, body, "", "A silence"};
  silence out;
  if (before) out = *before;
  const auto now_us = to_micros(now);
  if (!before || in.has("matchers")) {
    out.matchers = read_matchers(v, in.any("matchers"), "/matchers");
    out.compiled = v.good() ? matcher_list{out.matchers} : matcher_list{};
    // A silence that fits an alert without labels fits everything: nobody means that.
    if (v.good() && (out.matchers.empty() || out.compiled.matches(json::object())))
      in.refuse("matchers", "At least one matcher must ask for something; this silence would fit every alert.");
  }
  in.any("matchers");
  out.starts_us = read_time(in, "starts_at", before ? before->starts_us : now_us);
  if (in.has("duration_seconds")) {
    if (in.has("ends_at")) in.refuse("duration_seconds", "Give 'ends_at' or 'duration_seconds', not both.");
    out.ends_us = std::max(out.starts_us, now_us) + in.integer("duration_seconds", 1, silence_seconds_max) * second_us;
  }
  in.any("duration_seconds");
  if (!in.has("duration_seconds")) {
    if (!before && !in.has("ends_at"))
      in.refuse("ends_at", "A silence needs an end: 'ends_at' or 'duration_seconds'. One without an end is forgotten.");
    out.ends_us = read_time(in, "ends_at", before ? before->ends_us : 0);
  }
  in.any("ends_at");
  out.comment = in.text("comment", {0, 1'000, true}, before ? before->comment : std::string{});
  in.ignore({"silence_id", "status", "created_by", "created_at", "affected", "updated_at"});
  in.close();
  if (v.good() && out.ends_us <= out.starts_us) in.refuse("ends_at", "The silence ends before it begins.");
  if (v.good() && out.ends_us <= now_us)
    in.refuse("ends_at", "The silence would have ended already; choose a later end.");
  if (v.good() && out.ends_us - out.starts_us > silence_seconds_max * second_us)
    in.refuse("ends_at", "A silence lasts at most a year; switch the rule off instead.");
  if (!v.good()) return fail(v.problem());
  return out;
}

const silence* silence_book::find(const std::string& id) const {
  const auto found = all_.find(id);
  return found == all_.end() ? nullptr : &found->second;
}

const silence* silence_book::fitting(const json& labels, utc_time now) const {
  const auto now_us = to_micros(now);
  for (const auto& [id, s] : all_)
    if (now_us >= s.starts_us && now_us < s.ends_us && s.compiled.matches(labels)) return &s;
  return nullptr;
}

bool silence_book::sweep(utc_time now) {
  return std::erase_if(all_, [now_us = to_micros(now)](const auto& one) { return one.second.ends_us <= now_us; }) > 0;
}

std::optional<utc_time> silence_book::next_edge(utc_time now) const {
  std::optional<std::int64_t> next;
  for (const auto& [id, s] : all_)
    for (const auto edge : {s.starts_us, s.ends_us})
      if (edge > to_micros(now) && (!next || edge < *next)) next = edge;
  return next ? std::optional(from_micros(*next)) : std::nullopt;
}

json silence_book::snapshot() const {
  json out = json::array();
  for (const auto& [id, s] : all_)
    out.push_back({{"id", s.id},
                   {"matchers", s.matchers},
                   {"starts", s.starts_us},
                   {"ends", s.ends_us},
                   {"comment", s.comment},
                   {"by", s.created_by},
                   {"at", s.created_us}});
  return out;
}

void silence_book::restore(const json& snapshot) {
  all_.clear();
  for (const auto& s : snapshot)
    put({s.at("id").get<std::string>(), s.at("matchers"), matcher_list{s.at("matchers")},
         s.at("starts").get<std::int64_t>(), s.at("ends").get<std::int64_t>(), s.value("comment", ""),
         s.value("by", ""), s.value("at", std::int64_t{0})});
}

json shown(const silence& s, utc_time now) {
  const auto now_us = to_micros(now);
  return {{"silence_id", s.id},
          {"matchers", s.matchers},
          {"starts_at", to_rfc3339(from_micros(s.starts_us))},
          {"ends_at", to_rfc3339(from_micros(s.ends_us))},
          {"comment", s.comment},
          {"created_by", s.created_by},
          {"created_at", to_rfc3339(from_micros(s.created_us))},
          {"status", now_us >= s.ends_us    ? "expired"
                     : now_us < s.starts_us ? "pending"
                                            : "active"}};
}

} // namespace tobit::alert
