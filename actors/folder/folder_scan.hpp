#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace tobit::folder {

/// What is taken from a folder at most.
struct scan_limits {
  std::size_t files = 2'000, depth = 8;
  std::size_t file_bytes = 4u << 20, all_bytes = 64u << 20;
};

/// One file, or why it cannot be taken.
struct scanned_file {
  std::string text, hash;
  std::string error; ///< empty: it was read
};

struct folder_content {
  std::map<std::string, scanned_file> files; ///< by path relative to the folder
  std::vector<std::string> folders;          ///< absolute, itself included: what to watch
  std::string error;                         ///< empty: the folder was read; else nothing is known about the files
};

/// Reads every `.yaml`, `.yml` and `.json` below `root`. Names that begin with a dot are left out: editors and
/// Kubernetes (`..data`) keep their own there. Symbolic links are followed as long as they stay inside the folder, so
/// that mounted ConfigMaps work; those that lead out are refused, each by itself. Waits for the disk.
folder_content scan_folder(const std::string& root, const scan_limits& limits = {});

} // namespace tobit::folder
