#include "actors/folder/folder_actor.hpp"

#include "schemas/entity/entity_protocol.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace tobit::folder {

namespace {

constexpr std::string_view words_of(removal what) {
  return what == removal::disable ? "disable" : what == removal::erase ? "delete" : "keep";
}

} // namespace

folder_actor::folder_actor(caf::actor_config& config, definition_folder_deps deps, definition_folder_options options)
    : caf::event_based_actor(config), deps_(std::move(deps)), options_(std::move(options)) {
  set_default_handler(caf::drop);
  set_exception_handler([](caf::scheduled_actor*, std::exception_ptr& why) -> caf::error {
    try {
      std::rethrow_exception(why);
    } catch (const std::exception& e) {
      return caf::make_error(caf::sec::runtime_error, std::string(e.what()));
    }
  });
}

caf::behavior folder_actor::make_behavior() {
  return {
      [this](const begin_note&) {
        if (std::exchange(begun_, true)) return;
        load();
        delayed_send(this, options_.tick, tick_note{});
      },
      [this](const tick_note&) {
        tick();
        delayed_send(this, options_.tick, tick_note{});
      },
      [this](const look_note& note) {
        if (note.again) apply_all_ = dirty_ = true;
        (*note.done)(view());
      },
      [this](const rows_note& note) {
        if (note.step == step_) take_rows(*note.rows);
      },
      [this](const answer_note& note) {
        if (note.step == step_) take_answer(*note.answer);
      },
      [this](const written_note& note) {
        if (note.step == step_) take_written(*note.outcome);
      },
  };
}

call_context folder_actor::call() const {
  return new_call(system_identity(options_.tenant), deps_.time.steady_now() + options_.answer_deadline);
}

void folder_actor::load() {
  const auto& tenant = options_.tenant.value;
  // Both tables at once: rows of the second kind have a key.
  deps_.database.read({"SELECT path, content_hash, applied_at, '' AS kind, '' AS entity_key, '' AS name"
                       " FROM definition_file WHERE tenant = $1 UNION ALL"
                       " SELECT path, '', 0, kind, entity_key, name FROM definition_owner WHERE tenant = $1",
                       {tenant}},
                      [self = self_handle(), step = ++step_](result<storage::rows> rows) {
                        caf::anon_send(self, rows_note{step, std::make_shared<result<storage::rows>>(std::move(rows))});
                      });
}

void folder_actor::take_files(const storage::rows& rows) {
  for (const auto& row : rows.values) {
    auto& file = files_[storage::as_text(row[0])];
    if (storage::as_text(row[4]).empty()) {
      file.hash = storage::as_text(row[1]);
      file.applied_at = from_micros(storage::as_int(row[2]));
      file.applied = true;
    } else {
      file.owns.push_back({storage::as_text(row[3]), storage::as_text(row[4]), storage::as_text(row[5])});
    }
  }
  loaded_ = true;
  dirty_ = true;
}

void folder_actor::tick() {
  const auto now = deps_.time.steady_now();
  if (watch_.changed()) {
    dirty_ = true;
    changed_at_ = now;
  }
  if (!loaded_ || !jobs_.empty()) return; // one thing after the other
  const bool settled = dirty_ && now - changed_at_ >= options_.settle;
  if (settled || now - scanned_at_ >= options_.rescan) scan();
}

void folder_actor::scan() {
  dirty_ = false;
  scanned_at_ = deps_.time.steady_now();
  last_scan_ = deps_.time.now();
  auto content = scan_folder(options_.path);
  watch_.add(content.folders);
  const bool again = std::exchange(apply_all_, false);
  if (!content.error.empty()) {
    if (error_ != content.error) spdlog::warn("folder.unreadable reason=\"{}\"", content.error);
    error_ = content.error;
    return;
  }
  error_.clear();
  const auto applied =
      std::count_if(files_.begin(), files_.end(), [](const auto& one) { return !one.second.owns.empty(); });
  if (content.files.empty() && applied > 0 && !again) {
    error_ = "The folder holds no file any more; what its " + std::to_string(applied) +
             " files said stays. If that is meant: POST /cep/rules-dir/rescan.";
    spdlog::warn("folder.empty path={} files={}", options_.path, applied);
    return;
  }
  for (const auto& [path, file] : files_)
    if (!content.files.contains(path)) jobs_.push_back({path, {}, {}, {}, true});
  for (auto& [path, file] : content.files) {
    const auto known = files_.find(path);
    if (again || known == files_.end() || known->second.hash != file.hash) plan(path, std::move(file));
  }
  // Who owns something comes first: what moves from one file to another is let go before it is taken.
  std::stable_partition(jobs_.begin(), jobs_.end(), [this](const job& one) { return !files_[one.path].owns.empty(); });
  show_figures();
  next();
}

std::optional<std::string> folder_actor::owner_elsewhere(const std::string& path, const wanted_definition& one) const {
  for (const auto& [other, file] : files_) {
    if (other == path) continue;
    for (const auto& its : file.owns)
      if (its.kind == one.kind && (one.key.empty() ? its.name == one.name : its.key == one.key)) return other;
  }
  return std::nullopt;
}

void folder_actor::plan(const std::string& path, scanned_file file) {
  if (!file.error.empty()) return refuse(path, file.hash, {{path, {}, file.error}});
  auto content = read_file(file.text, path, deps_.kinds, options_.tenant);
  if (!content.flaws.empty()) return refuse(path, file.hash, std::move(content.flaws));
  jobs_.push_back({path, file.hash, {}, {}, false});
  for (auto& one : content.definitions)
    jobs_.back().acts.push_back({false, one.kind, one.key, one.name, std::move(one.body)});
}

void folder_actor::refuse(const std::string& path, const std::string& hash, std::vector<file_flaw> flaws) {
  auto& file = files_[path];
  file.hash = hash;
  file.applied = false;
  file.flaws = std::move(flaws);
  for (const auto& flaw : file.flaws)
    spdlog::warn("folder.refused place={} pointer={} reason=\"{}\"", flaw.place, flaw.pointer, flaw.message);
}

void folder_actor::next() {
  while (!jobs_.empty()) {
    const auto& work = jobs_.front();
    const act* taken = nullptr;
    std::optional<std::string> other;
    for (const auto& one : work.acts)
      if ((other = owner_elsewhere(work.path, {one.kind, one.key, one.name, nullptr}))) {
        taken = &one;
        break;
      }
    if (!taken) break;
    refuse(work.path, work.hash,
           {{work.path, {}, "'" + taken->name + "' is defined in " + *other + ", too; keep it in one file."}});
    jobs_.pop_front();
  }
  if (jobs_.empty()) return show_figures();
  begin_act();
}

bool folder_actor::wanted_later(const owned& what) const {
  for (std::size_t i = 1; i < jobs_.size(); ++i)
    for (const auto& one : jobs_[i].acts)
      if (one.kind == what.kind && (one.key.empty() ? one.name == what.name : one.key == what.key)) return true;
  return false;
}

void folder_actor::begin_act() {
  auto& work = jobs_.front();
  if (work.acts.empty()) {
    // What the file said before and says no more. Looked at last: by then the keys of its definitions are known.
    std::deque<act> retired;
    for (const auto& before : files_[work.path].owns) {
      const bool stays = std::any_of(work.owns.begin(), work.owns.end(), [&](const owned& one) {
        return one.kind == before.kind && one.key == before.key;
      });
      const bool left_alone =
          options_.removed == removal::keep || (options_.removed == removal::disable && is_single(before.kind));
      if (!stays && !left_alone && !wanted_later(before))
        retired.push_back({true, before.kind, before.key, before.name, nullptr});
    }
    files_[work.path].owns.clear();
    work.acts = std::move(retired);
    if (work.acts.empty()) return record();
  }
  const auto& one = work.acts.front();
  auto key = one.key;
  for (const auto& before : files_[work.path].owns)
    if (key.empty() && before.kind == one.kind && before.name == one.name) key = before.key;
  if (key.empty()) key = key_for_name(one.kind, options_.tenant, one.name);
  // The entity itself, or another of its name that is taken over.
  deps_.database.read({"SELECT e.entity_key, d.body, e.deleted_at FROM entity e JOIN definition d ON d.kind = e.kind"
                       " AND d.tenant = e.tenant AND d.entity_key = e.entity_key AND d.version = e.version"
                       " WHERE e.kind = $1 AND e.tenant = $2 AND (e.entity_key = $3 OR (CAST($4 AS TEXT) <> ''"
                       " AND e.name = $4 AND e.deleted_at IS NULL)) LIMIT 3",
                       {one.kind, options_.tenant.value, key, one.key.empty() && !one.retire ? one.name : ""}},
                      [self = self_handle(), step = ++step_](result<storage::rows> rows) {
                        caf::anon_send(self, rows_note{step, std::make_shared<result<storage::rows>>(std::move(rows))});
                      });
}

void folder_actor::take_rows(const result<storage::rows>& rows) {
  if (!loaded_) {
    if (!rows) {
      spdlog::warn("folder.storage reason=\"{}\"", rows.error().text());
      return load(); // the database paces this: it answers after its own timeout
    }
    return take_files(*rows);
  }
  if (!rows) return give_up(rows.error());
  const auto& one = jobs_.front().acts.front();
  auto key = one.key;
  json before;
  for (const auto& before_owned : files_[jobs_.front().path].owns)
    if (key.empty() && before_owned.kind == one.kind && before_owned.name == one.name) key = before_owned.key;
  std::vector<std::string> others;
  const auto by_rule = key_for_name(one.kind, options_.tenant, one.name);
  for (const auto& row : rows->values) {
    const auto found = storage::as_text(row[0]);
    const bool meant = key.empty() ? found == by_rule : found == key;
    if (meant && storage::is_null(row[2])) before = parse_json(storage::as_text(row[1])).value_or(json());
    if (!meant) others.push_back(found);
  }
  if (key.empty() && before.is_null() && others.size() == 1) { // made by hand before: the file takes it over
    key = others.front();
    for (const auto& row : rows->values)
      if (storage::as_text(row[0]) == key) before = parse_json(storage::as_text(row[1])).value_or(json());
  }
  put_live(key.empty() ? by_rule : key, before);
}

void folder_actor::put_live(std::string key, const json& before) {
  auto& work = jobs_.front();
  auto& one = work.acts.front();
  one.key = key;
  message wish;
  if (one.retire && (before.is_null() || options_.removed == removal::erase)) {
    wish = message::of(entity::delete_entity{});
  } else {
    entity::define_entity define;
    define.summary = "file " + work.path.substr(0, 400);
    define.unless_same = true;
    if (one.retire) {
      define.body = {{"is_active", false}};
      define.change = "disable";
    } else {
      define.body = one.body;
      // The file is the whole truth: what it does not say is taken back.
      if (before.is_object())
        for (const auto& [name, value] : before.items())
          if (!define.body.contains(name)) define.body[name] = nullptr;
    }
    wish = message::of(std::move(define));
  }
  deps_.entities.ask({one.kind, options_.tenant, key}, call(), std::move(wish),
                     [self = self_handle(), step = ++step_](result<message> answer) {
                       caf::anon_send(self, answer_note{step, std::make_shared<result<message>>(std::move(answer))});
                     });
}

void folder_actor::take_answer(const result<message>& answer) {
  auto& work = jobs_.front();
  const auto one = std::move(work.acts.front());
  work.acts.pop_front();
  if (!answer && !(one.retire && answer.error().code == error_code::not_found)) {
    work.acts.push_front(one);
    return give_up(answer.error());
  }
  if (one.retire)
    spdlog::info("folder.retired file={} kind={} key={} name=\"{}\" how={}", work.path, one.kind, one.key, one.name,
                 words_of(options_.removed));
  else
    work.owns.push_back({one.kind, one.key, one.name});
  begin_act();
}

void folder_actor::record() {
  const auto& work = jobs_.front();
  const auto& tenant = options_.tenant.value;
  const auto now = to_micros(deps_.time.now());
  storage::unit_of_work unit;
  const auto add = [&](std::string_view sql, std::vector<storage::value> params) {
    storage::statement one;
    one.sql = sql;
    one.params = std::move(params);
    unit.statements.push_back(std::move(one));
  };
  add("DELETE FROM definition_owner WHERE tenant = $1 AND path = $2", {tenant, work.path});
  add("DELETE FROM definition_file WHERE tenant = $1 AND path = $2", {tenant, work.path});
  if (!work.gone)
    add("INSERT INTO definition_file (tenant, path, content_hash, applied_at) VALUES ($1, $2, $3, $4)",
        {tenant, work.path, work.hash, now});
  for (const auto& one : work.owns) {
    add("DELETE FROM definition_owner WHERE tenant = $1 AND kind = $2 AND entity_key = $3",
        {tenant, one.kind, one.key});
    add("INSERT INTO definition_owner (tenant, kind, entity_key, name, path) VALUES ($1, $2, $3, $4, $5)",
        {tenant, one.kind, one.key, one.name, work.path});
  }
  deps_.database.write(std::move(unit), [self = self_handle(), step = ++step_](result<storage::write_outcome> outcome) {
    caf::anon_send(self, written_note{step, std::make_shared<result<storage::write_outcome>>(std::move(outcome))});
  });
}

void folder_actor::take_written(const result<storage::write_outcome>& outcome) {
  if (!outcome) return give_up(outcome.error());
  auto work = std::move(jobs_.front());
  jobs_.pop_front();
  if (work.gone) {
    files_.erase(work.path);
    spdlog::info("folder.removed file={}", work.path);
  } else {
    spdlog::info("folder.applied file={} definitions={}", work.path, work.owns.size());
    files_[work.path] = {work.hash, std::move(work.owns), {}, deps_.time.now(), true};
  }
  next();
}

/// The file is tried again at the next look; what was applied of it stays.
void folder_actor::give_up(const error& why) {
  auto work = std::move(jobs_.front());
  jobs_.pop_front();
  auto& file = files_[work.path];
  const auto name = work.acts.empty() ? std::string{} : "'" + work.acts.front().name + "': ";
  file.flaws = {{work.path, why.pointer, name + std::string(why.text())}};
  file.applied = false;
  file.hash = describe(why.code).retryable || work.gone ? "" : work.hash;
  for (auto& one : work.owns) file.owns.push_back(std::move(one));
  for (const auto& one : work.acts)
    if (one.retire) file.owns.push_back({one.kind, one.key, one.name}); // still to be retired
  spdlog::warn("folder.failed file={} reason=\"{}\"", work.path, file.flaws.front().message);
  next();
}

void folder_actor::show_figures() {
  std::size_t applied = 0, refused = 0;
  for (const auto& [path, file] : files_) file.flaws.empty() ? ++applied : ++refused;
  deps_.metrics.set(telemetry::metric::definition_files, static_cast<double>(applied), {"applied"});
  deps_.metrics.set(telemetry::metric::definition_files, static_cast<double>(refused), {"refused"});
}

json folder_actor::view() const {
  json files = json::array();
  for (const auto& [path, file] : files_) {
    json errors = json::array();
    for (const auto& flaw : file.flaws)
      errors.push_back({{"place", flaw.place}, {"pointer", flaw.pointer}, {"message", flaw.message}});
    const bool waits = std::any_of(jobs_.begin(), jobs_.end(), [&p = path](const job& one) { return one.path == p; });
    files.push_back({{"path", path},
                     {"status", waits                ? "waiting"
                                : file.flaws.empty() ? "applied"
                                                     : "refused"},
                     {"definitions", file.owns.size()},
                     {"applied_at", file.applied_at == utc_time{} ? json() : json(to_rfc3339(file.applied_at))},
                     {"errors", std::move(errors)}});
  }
  return {{"enabled", true},
          {"path", options_.path},
          {"removed", words_of(options_.removed)},
          {"last_scan_at", last_scan_ == utc_time{} ? json() : json(to_rfc3339(last_scan_))},
          {"waiting", jobs_.size()},
          {"error", error_.empty() ? json() : json(error_)},
          {"files", std::move(files)}};
}

} // namespace tobit::folder
