#include "actors/folder/definition_folder.hpp"

#include "actors/folder/folder_actor.hpp"
#include "runtime/supervision/restarting_actor.hpp"

#include <caf/all.hpp>

namespace tobit::folder {

namespace {

class watched_folder final : public definition_folder {
public:
  watched_folder(const definition_folder_deps& deps, const definition_folder_options& options)
      : actor_(supervision::spawn_restarting(
            deps.system, "folder",
            [deps, options] { return deps.system.spawn<folder_actor, caf::detached>(deps, options); },
            caf::make_message(begin_note{}))) {}
  ~watched_folder() override { stop(); }

  void start() override { caf::anon_send(actor_, supervision::begin_incarnations{}); }
  void stop() override { caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown); }
  void inspect(bool again, std::function<void(json)> done) override {
    caf::anon_send(actor_, look_note{again, std::make_shared<std::function<void(json)>>(std::move(done))});
  }

private:
  const caf::actor actor_;
};

} // namespace

std::unique_ptr<definition_folder> make_definition_folder(const definition_folder_deps& deps,
                                                          const definition_folder_options& options) {
  return std::make_unique<watched_folder>(deps, options);
}

} // namespace tobit::folder
