#include "runtime/storage/lock_file.hpp"

#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <system_error>
#include <unistd.h>

namespace tobit::storage {

namespace {

struct held_file {
  explicit held_file(int fd) : descriptor(fd) {}
  ~held_file() { ::close(descriptor); }
  held_file(const held_file&) = delete;
  held_file& operator=(const held_file&) = delete;
  const int descriptor;
};

} // namespace

result<std::shared_ptr<void>> hold_lock_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    const int reason = errno;
    return fail(reason == ENOSPC || reason == EDQUOT ? error_code::storage_full : error_code::configuration_error,
                "The lock file '" + path + "' cannot be made (" + std::generic_category().message(reason) +
                    "); check that the folder exists, has space and belongs to the user of the node.");
  }
  auto held = std::make_shared<held_file>(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0)
    return fail(error_code::configuration_error, "Another node already uses this data folder ('" + path +
                                                     "' is locked); stop it, or choose another data folder.");
  return std::shared_ptr<void>(std::move(held));
}

} // namespace tobit::storage
