#include "actors/notify/channel/channel_memory.hpp"

#include <algorithm>

namespace tobit::notify {

using namespace channel;

const open_notice* channel_memory::find_open(const std::string& notice_id) const {
  const auto found = open.find(notice_id);
  return found == open.end() ? nullptr : &found->second;
}

const message_thread* channel_memory::find_thread(const std::string& thread) const {
  const auto found = thread.empty() ? threads.end() : threads.find(thread);
  return found == threads.end() ? nullptr : &found->second;
}

std::vector<std::string> channel_memory::waiting_for(const std::string& thread) const {
  std::vector<std::string> out;
  if (thread.empty()) return out;
  for (const auto& [id, one] : open)
    if (one.waits && one.notice.thread == thread) out.push_back(id);
  std::sort(out.begin(), out.end(), [&](const std::string& a, const std::string& b) {
    return std::pair(open.at(a).at_us, a) < std::pair(open.at(b).at_us, b);
  });
  return out;
}

void channel_memory::note(const std::string& notice_id) {
  if (!known_ids.insert(notice_id).second) return;
  known.push_back(notice_id);
  while (known.size() > known_notices_max) {
    known_ids.erase(known.front());
    known.pop_front();
  }
}

void channel_memory::accept(const notice_accepted& event) {
  const auto& id = event.notice.notice_id;
  note(id);
  open_notice one;
  one.notice = event.notice;
  one.recipients = event.recipients;
  one.waits = event.waits;
  one.at_us = event.at_us;
  one.bytes = to_text(json(event.notice)).size();
  open_bytes += one.bytes;
  minute.add(from_micros(event.at_us));
  hour.add(from_micros(event.at_us));
  if (const auto& name = event.notice.thread; !name.empty()) {
    auto& thread = threads[name];
    if (thread.root_notice.empty()) thread.root_notice = id;
    if (!event.waits && thread.place.is_null() && thread.opening.empty()) thread.opening = id;
    thread.used_us = event.at_us;
    if (threads.size() > threads_max)
      threads.erase(std::min_element(threads.begin(), threads.end(),
                                     [](const auto& a, const auto& b) { return a.second.used_us < b.second.used_us; }));
  }
  open.insert_or_assign(id, std::move(one));
}

void channel_memory::end(const notice_ended& event) {
  const auto found = open.find(event.notice_id);
  if (found == open.end()) return;
  if (const auto thread = threads.find(found->second.notice.thread); thread != threads.end()) {
    auto& its = thread->second;
    if (its.place.is_null() && !event.place.is_null()) its.place = event.place;
    if (its.opening == event.notice_id) its.opening.clear();
    if (its.place.is_null() && !event.released.empty()) its.opening = event.released.front();
    its.used_us = std::max(its.used_us, event.at_us);
  }
  open_bytes -= found->second.bytes;
  open.erase(found);
  for (const auto& id : event.released)
    if (const auto next = open.find(id); next != open.end()) next->second.waits = false;
  if (event.outcome == "sent") ++total.sent, last_sent_at_us = event.at_us;
  if (event.outcome == "failed") ++total.failed;
  if (event.outcome == "passed_on") ++total.passed_on;
  if (!event.error.empty()) last_error = event.error, last_error_at_us = event.at_us;
}

void channel_memory::apply(const message& event) {
  if (const auto* e = event.as<notice_accepted>()) {
    accept(*e);
  } else if (const auto* d = event.as<notice_dropped>()) {
    note(d->notice_id);
    ++(d->why == "paused" ? total.paused : total.rate_limited);
  } else if (const auto* p = event.as<part_settled>()) {
    const auto found = open.find(p->notice_id);
    if (found == open.end()) return;
    auto& one = found->second;
    one.ended_parts[p->recipient] = p->done;
    one.attempts = std::max(one.attempts, p->attempts);
    if (!p->done) one.error_name = p->error_name, one.error = p->error;
  } else if (const auto* f = event.as<notice_passed_on>()) {
    const auto found = open.find(f->notice_id);
    if (found == open.end()) return;
    auto& one = found->second;
    one.passed_to = f->to;
    one.error_name = f->error_name;
    one.error = f->error;
    one.attempts = f->attempts;
  } else if (const auto* n = event.as<notice_ended>()) {
    end(*n);
  }
}

namespace {

json open_json(const open_notice& one) {
  return {{"notice", one.notice}, {"recipients", one.recipients}, {"ended", one.ended_parts},
          {"waits", one.waits},   {"passed_to", one.passed_to},   {"error_name", one.error_name},
          {"error", one.error},   {"attempts", one.attempts},     {"at_us", one.at_us}};
}

open_notice open_of(const json& in) {
  open_notice out;
  out.notice = in.at("notice").get<send_notice>();
  out.recipients = in.value("recipients", std::vector<std::string>{});
  out.ended_parts = in.value("ended", std::map<std::string, bool>{});
  out.waits = in.value("waits", false);
  out.passed_to = in.value("passed_to", "");
  out.error_name = in.value("error_name", "");
  out.error = in.value("error", "");
  out.attempts = in.value("attempts", std::int64_t{0});
  out.at_us = in.value("at_us", std::int64_t{0});
  out.bytes = to_text(in.at("notice")).size();
  return out;
}

} // namespace

std::string to_snapshot(const channel_memory& memory, std::string_view type) {
  auto open = json::array(), threads = json::object();
  for (const auto& [id, one] : memory.open) open.push_back(open_json(one));
  for (const auto& [name, thread] : memory.threads)
    threads[name] = {{"root", thread.root_notice},
                     {"opening", thread.opening},
                     {"place", thread.place},
                     {"used_us", thread.used_us}};
  const auto& t = memory.total;
  return to_text({{"v", 1},
                  {"type", type},
                  {"known", memory.known},
                  {"open", std::move(open)},
                  {"threads", std::move(threads)},
                  {"minute", memory.minute.to_json()},
                  {"hour", memory.hour.to_json()},
                  {"total", {t.sent, t.failed, t.rate_limited, t.paused, t.passed_on}},
                  {"last_error", memory.last_error},
                  {"last_error_at_us", memory.last_error_at_us},
                  {"last_sent_at_us", memory.last_sent_at_us}});
}

result<channel_memory> memory_of_snapshot(std::string_view snapshot, std::string_view type) {
  channel_memory out;
  if (snapshot.empty()) return out;
  const auto in = parse_json(snapshot);
  if (!in || !in->is_object() || in->value("v", json()) != 1)
    return fail(error_code::internal_server_error,
                "The channel's snapshot cannot be read; a newer release may have written it.");
  try {
    out.known = in->at("known").get<std::deque<std::string>>();
    out.known_ids.insert(out.known.begin(), out.known.end());
    for (const auto& one : in->at("open")) {
      auto read = open_of(one);
      out.open_bytes += read.bytes;
      auto id = read.notice.notice_id;
      out.open.emplace(std::move(id), std::move(read));
    }
    const bool same_type = in->at("type") == type;
    for (const auto& [name, thread] : in->at("threads").items()) {
      if (same_type)
        out.threads[name] = {thread.at("root"), thread.at("opening"), thread.at("place"),
                             thread.at("used_us").get<std::int64_t>()};
    }
    out.minute.restore(in->at("minute"));
    out.hour.restore(in->at("hour"));
    const auto& total = in->at("total");
    out.total = {total.at(0), total.at(1), total.at(2), total.at(3), total.at(4)};
    out.last_error = in->value("last_error", "");
    out.last_error_at_us = in->value("last_error_at_us", std::int64_t{0});
    out.last_sent_at_us = in->value("last_sent_at_us", std::int64_t{0});
  } catch (const std::exception&) {
    return fail(error_code::internal_server_error, "The channel's snapshot is damaged.");
  }
  return out;
}

} // namespace tobit::notify
