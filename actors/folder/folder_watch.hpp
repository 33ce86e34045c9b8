#pragma once

#include <string>
#include <vector>

namespace tobit::folder {

/// Tells whether something happened below folders since it was asked last (inotify). Never waits. Where inotify is not
/// to be had, or its limits are reached, it says nothing: whoever uses it looks by itself from time to time.
class folder_watch {
public:
  folder_watch();
  ~folder_watch();
  folder_watch(const folder_watch&) = delete;
  folder_watch& operator=(const folder_watch&) = delete;

  /// Watches these folders, too; those watched already stay so.
  void add(const std::vector<std::string>& folders);
  bool changed();
  bool works() const noexcept { return descriptor_ >= 0; }

private:
  int descriptor_ = -1;
};

} // namespace tobit::folder
