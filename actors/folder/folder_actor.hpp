#pragma once

#include "actors/folder/definition_folder.hpp"
#include "actors/folder/file_content.hpp"
#include "actors/folder/folder_scan.hpp"
#include "actors/folder/folder_watch.hpp"
#include "schemas/call_context.hpp"

#include <caf/all.hpp>

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace tobit::folder {

struct begin_note {};
struct tick_note {};
struct look_note {
  bool again = false;
  std::shared_ptr<std::function<void(json)>> done;
};
/// What the database or an entity answered to the step under way.
struct rows_note {
  std::uint64_t step = 0;
  std::shared_ptr<result<storage::rows>> rows;
};
struct answer_note {
  std::uint64_t step = 0;
  std::shared_ptr<result<message>> answer;
};
struct written_note {
  std::uint64_t step = 0;
  std::shared_ptr<result<storage::write_outcome>> outcome;
};

/// What: applies the files of a folder, one definition after the other. Lives as long as the node, with a thread of its
/// own, because it reads files. Sees the folder and two tables; asks entities. Blocks on the disk. A restart reads the
/// tables and the folder again; what was under way is done again, which changes nothing.
class folder_actor final : public caf::event_based_actor {
public:
  folder_actor(caf::actor_config& config, definition_folder_deps deps, definition_folder_options options);
  const char* name() const override { return "definition_folder"; }

protected:
  caf::behavior make_behavior() override;

private:
  struct owned {
    std::string kind, key, name;
  };
  struct known_file {
    std::string hash; ///< of the content that was applied, or refused
    std::vector<owned> owns;
    std::vector<file_flaw> flaws;
    utc_time applied_at{};
    bool applied = false; ///< `hash` was applied
  };
  /// One definition to put live, or to retire.
  struct act {
    bool retire = false;
    std::string kind, key, name;
    json body;
  };
  /// The work on one file.
  struct job {
    std::string path, hash;
    std::deque<act> acts;
    std::vector<owned> owns; ///< what the file will own
    bool gone = false;
  };

  void load();
  void take_files(const storage::rows& rows);
  void take_owners(const storage::rows& rows);
  void tick();
  void scan();
  void plan(const std::string& path, scanned_file file);
  void refuse(const std::string& path, const std::string& hash, std::vector<file_flaw> flaws);
  std::optional<std::string> owner_elsewhere(const std::string& path, const wanted_definition& one) const;

  bool wanted_later(const owned& what) const;

  void next();
  void begin_act();
  void take_rows(const result<storage::rows>& rows);
  void put_live(std::string key, const json& before);
  void take_answer(const result<message>& answer);
  void record();
  void take_written(const result<storage::write_outcome>& outcome);
  void give_up(const error& why);

  call_context call() const;
  void show_figures();
  json view() const;
  caf::actor self_handle() { return caf::actor_cast<caf::actor>(this); }

  const definition_folder_deps deps_;
  const definition_folder_options options_;
  folder_watch watch_;
  bool begun_ = false, loaded_ = false, dirty_ = false, apply_all_ = false;
  steady_time changed_at_{}, scanned_at_{};
  utc_time last_scan_{};
  std::string error_;
  std::map<std::string, known_file> files_;
  std::deque<job> jobs_;
  std::uint64_t step_ = 0; ///< answers to earlier steps are stale
};

} // namespace tobit::folder

CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::folder::begin_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::folder::tick_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::folder::look_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::folder::rows_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::folder::answer_note)
CAF_ALLOW_UNSAFE_MESSAGE_TYPE(tobit::folder::written_note)
