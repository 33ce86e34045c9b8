// How a pattern_evaluator survives: snapshots, records, and what the console shows.
#include "actors/rule/packed_bytes.hpp"
#include "actors/rule/pattern/pattern_evaluator.hpp"

#include <algorithm>
#include <unordered_map>

namespace tobit::rule::pattern {

namespace {

constexpr auto never = std::numeric_limits<std::int64_t>::min();
/// Events after which a record is made even if none of them mattered, so that the watermark is not lost.
constexpr std::int64_t unrecorded_max = 500;
constexpr std::size_t examples_max = 20;
constexpr auto elsewhere = std::numeric_limits<std::size_t>::max();

json capture_row(const capture& c) { return json::array({c.id, c.type, c.source, c.time_us, c.fields}); }

/// `places`: where each stored field belongs today.
capture_ptr capture_from(const json& row, const std::vector<std::size_t>& places, std::size_t fields) {
  auto out = std::make_shared<capture>();
  out->id = row.at(0).get<std::string>();
  out->type = row.at(1).get<std::string>();
  out->source = row.at(2).get<std::string>();
  out->time_us = row.at(3).get<std::int64_t>();
  out->fields.resize(fields);
  const auto& stored = row.at(4);
  for (std::size_t i = 0; i < stored.size() && i < places.size(); ++i)
    if (places[i] != elsewhere) out->fields[places[i]] = stored[i];
  return out;
}

/// One value of a field: a letter for its type, then the value.
void pack(packer& out, const json& value) {
  switch (value.type()) {
  case json::value_t::null:
    return out.count('z');
  case json::value_t::boolean:
    return out.count(value.get<bool>() ? 'y' : 'n');
  case json::value_t::number_integer:
    return out.count('i'), out.whole(value.get<std::int64_t>());
  case json::value_t::number_unsigned:
    return out.count('u'), out.count(value.get<std::uint64_t>());
  case json::value_t::number_float:
    return out.count('r'), out.real(value.get<double>());
  case json::value_t::string:
    return out.count('t'), out.text(value.get_ref<const std::string&>());
  default:
    return out.count('j'), out.text(to_text(value));
  }
}

json unpack(unpacker& in) {
  switch (in.count()) {
  case 'y':
    return true;
  case 'n':
    return false;
  case 'i':
    return in.whole();
  case 'u':
    return in.count();
  case 'r':
    return in.real();
  case 't':
    return in.text();
  case 'j':
    return parse_json(in.text()).value_or(json());
  default:
    return nullptr;
  }
}

json time_or_null(std::int64_t micros) { return micros == never ? json() : json(to_rfc3339(from_micros(micros))); }

} // namespace

// -- rows -----------------------------------------------------------------------------------------------------------

/// Messages of the rule may have changed since, and with them what is kept of events: fields have names.
json pattern_evaluator::field_names() const {
  auto out = json::array();
  for (const auto& field : by_.fields) out.push_back(field.text());
  return out;
}

std::vector<std::size_t> pattern_evaluator::field_places(const json& names) const {
  std::vector<std::size_t> out;
  for (const auto& name : names) {
    const auto found = std::find_if(by_.fields.begin(), by_.fields.end(), [&](const field_path& f) {
      return f.text() == name.get_ref<const std::string&>();
    });
    out.push_back(found == by_.fields.end() ? elsewhere : static_cast<std::size_t>(found - by_.fields.begin()));
  }
  return out;
}

json pattern_evaluator::row_of(std::string_view key, const sighting& seen) const {
  return json::array({groups_.text_of(key), seen.time_us, seen.fits, capture_row(*seen.what())});
}

std::optional<std::pair<std::string, sighting>>
pattern_evaluator::event_of(const json& row, const std::vector<std::size_t>& fields) const {
  auto key = groups_.key_of(row.at(0).get_ref<const std::string&>());
  if (!key) return std::nullopt;
  return std::pair{std::move(*key), sighting{row.at(1).get<std::int64_t>(), row.at(2).get<bits>(),
                                             capture_from(row.at(3), fields, by_.fields.size())}};
}

// -- records --------------------------------------------------------------------------------------------------------

/// Every event that a match takes passes here, so it costs no JSON: key, time, fits, watermark, id, type, source,
/// fields.
void pattern_evaluator::remember(std::string_view key, const sighting& seen, std::int64_t watermark_us) {
  packer out{record_};
  const auto& what = *seen.what();
  out.text(key);
  out.whole(seen.time_us);
  out.count(seen.fits);
  out.whole(watermark_us);
  out.text(what.id);
  out.text(what.type);
  out.text(what.source);
  for (const auto& field : what.fields) pack(out, field);
}

json pattern_evaluator::drain_record() {
  if (record_.empty() && !moved_ && unrecorded_ < unrecorded_max) return nullptr;
  json out{{"v", 1}, {"w", watermark_us_}};
  if (!record_.empty()) {
    out["fields"] = field_names();
    out["events"] = to_base64(record_);
    record_.clear();
  }
  moved_ = false;
  unrecorded_ = 0;
  return out;
}

void pattern_evaluator::replay(const json& record) {
  if (const auto events = record.find("events"); events != record.end()) {
    const auto fields = field_places(record.at("fields"));
    const auto bytes = from_base64(events->get_ref<const std::string&>());
    unpacker in{bytes ? std::string_view(*bytes) : std::string_view{}};
    while (in.good() && !in.at_end()) {
      const std::string key(in.text());
      const auto time = in.whole();
      const auto fits = static_cast<bits>(in.count());
      const auto watermark = in.whole();
      auto what = std::make_shared<capture>();
      what->id = in.text();
      what->type = in.text();
      what->source = in.text();
      what->time_us = time;
      what->fields.resize(by_.fields.size());
      for (const auto place : fields)
        if (auto value = unpack(in); place != elsewhere) what->fields[place] = std::move(value);
      if (in.good()) accept(key, {time, fits, std::move(what)}, watermark, nullptr);
    }
  }
  if (record.contains("w")) move_on(record["w"].get<std::int64_t>(), nullptr);
  away_ = true;
}

// -- snapshots ------------------------------------------------------------------------------------------------------

std::string pattern_evaluator::snapshot() const {
  auto captures = json::array(), matches = json::array(), waiting = json::array();
  std::unordered_map<const capture*, std::size_t> places; // an event that several matches took is stored once
  table_.visit([&](const std::string& key, std::int64_t newest_us, const partial_match& m) {
    auto events = json::array();
    for (const auto& t : m.events) {
      const auto [at, fresh] = places.emplace(t.what.get(), captures.size());
      if (fresh) captures.push_back(capture_row(*t.what));
      events.push_back(json::array({t.element, t.ordinal, at->second}));
    }
    matches.push_back(json::array({groups_.text_of(key), newest_us, m.sequence, m.started_us, m.deadline_us, m.count,
                                   m.members, m.step, m.noise, std::move(events)}));
  });
  for (const auto& [order, w] : waiting_) {
    auto row = row_of(w.key, w.seen);
    row.push_back(w.sequence);
    waiting.push_back(std::move(row));
  }
  return json{{"v", 1},
              {"w", watermark_us_},
              {"passed", table_.passed_us()},
              {"next", table_.next_sequence()},
              {"arrivals", arrivals_},
              {"fields", field_names()},
              {"captures", std::move(captures)},
              {"matches", std::move(matches)},
              {"waiting", std::move(waiting)}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

result<void> pattern_evaluator::restore(std::string_view snapshot) {
  table_.clear(never, 1);
  waiting_.clear();
  record_.clear();
  watermark_us_ = never;
  arrivals_ = 0;
  moved_ = false;
  unrecorded_ = 0;
  if (snapshot.empty()) return {};
  const auto damaged = [] {
    return fail(error_code::internal_server_error, "The snapshot of the rule's pattern cannot be read.");
  };
  const auto in = parse_json(snapshot);
  if (!in || !in->is_object() || in->value("v", json()) != 1) return damaged();
  try {
    const auto fields = field_places(in->at("fields"));
    std::vector<capture_ptr> captures;
    for (const auto& row : in->at("captures")) captures.push_back(capture_from(row, fields, by_.fields.size()));
    table_.clear(in->at("passed").get<std::int64_t>(), in->at("next").get<std::uint64_t>());
    for (const auto& row : in->at("matches")) {
      const auto key = groups_.key_of(row.at(0).get_ref<const std::string&>());
      partial_match m;
      m.sequence = row.at(2).get<std::uint64_t>();
      m.started_us = row.at(3).get<std::int64_t>();
      m.deadline_us = row.at(4).get<std::int64_t>();
      m.count = row.at(5).get<std::uint32_t>();
      m.members = row.at(6).get<bits>();
      m.step = row.at(7).get<std::uint8_t>();
      m.noise = row.at(8).get<bool>();
      for (const auto& t : row.at(9))
        m.events.push_back(
            {t.at(0).get<std::uint8_t>(), t.at(1).get<std::uint32_t>(), captures.at(t.at(2).get<std::size_t>())});
      if (!key || m.step >= by_.steps.size()) return damaged();
      table_.put_back(*key, row.at(1).get<std::int64_t>(), std::move(m));
    }
    for (const auto& row : in->at("waiting")) {
      auto one = event_of(row, fields);
      if (!one) return damaged();
      const auto sequence = row.at(4).get<std::uint64_t>();
      waiting_.emplace(event_order{one->second.time_us, sequence},
                       waiting_event{std::move(one->first), sequence, std::move(one->second)});
    }
    watermark_us_ = in->at("w").get<std::int64_t>();
    arrivals_ = in->at("arrivals").get<std::uint64_t>();
  } catch (const std::exception&) { // json::exception or std::out_of_range
    return damaged();
  }
  away_ = true;
  return {};
}

// -- the view -------------------------------------------------------------------------------------------------------

json pattern_evaluator::view() const {
  auto soonest = table_.deadlines().entries();
  const auto shown = std::min(examples_max, soonest.size());
  std::partial_sort(soonest.begin(), soonest.begin() + static_cast<std::ptrdiff_t>(shown), soonest.end());
  auto examples = json::array();
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& m = table_.match_at(soonest[i].slot);
    json one{{"key", groups_.labels_of(table_.key_of(soonest[i].slot))},
             {"since", to_rfc3339(from_micros(m.started_us))},
             {"until", to_rfc3339(from_micros(m.deadline_us))}};
    const auto& s = by_.steps[m.step];
    if (m.noise)
      one["state"] = by_.names_of(by_.quiet_before) + " has come: nothing may begin";
    else if (table_.is_waiting(m))
      one["state"] = "waiting that no " + by_.names_of(by_.quiet_after) + " comes";
    else if (table_.is_complete(m))
      one["state"] = "waiting for " + by_.names_of(by_.steps[m.step + 1u].elements);
    else
      one["state"] = "waiting for more " + by_.names_of(s.all_of ? s.elements & ~m.members : s.elements);
    examples.push_back(std::move(one));
  }
  const auto& f = table_.figures();
  return {{"pattern",
           {{"text", by_.text},
            {"watermark", time_or_null(watermark_us_)},
            {"keys", table_.keys()},
            {"partial_matches", table_.size()},
            {"events_waiting", waiting_.size()},
            {"complete", f.complete},
            {"expired", f.expired},
            {"broken", f.broken},
            {"skipped", f.skipped},
            {"late", f.late},
            {"future", future_},
            {"evicted", f.evicted},
            {"examples", std::move(examples)}}}};
}

} // namespace tobit::rule::pattern
