#include "actors/folder/folder_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

namespace tobit::folder {

folder_watch::folder_watch() : descriptor_(inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {}

folder_watch::~folder_watch() {
  if (descriptor_ >= 0) close(descriptor_);
}

void folder_watch::add(const std::vector<std::string>& folders) {
  if (descriptor_ < 0) return;
  constexpr auto what =
      IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF | IN_ATTRIB;
  for (const auto& folder : folders) inotify_add_watch(descriptor_, folder.c_str(), what);
}

bool folder_watch::changed() {
  bool any = false;
  alignas(inotify_event) char buffer[16 * 1024];
  while (descriptor_ >= 0 && read(descriptor_, buffer, sizeof buffer) > 0) any = true;
  return any;
}

} // namespace tobit::folder
