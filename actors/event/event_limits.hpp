#pragma once

#include <cstddef>

namespace tobit::event {

/// What a request of events may hold. Sizes in bytes.
struct event_limits {
  std::size_t event_size_max = 256u << 10; ///< one event as it arrives, and again as it is stored
  std::size_t events_max = 10'000;         ///< of one request
  std::size_t id_size_max = 512;
  std::size_t name_size_max = 50;    ///< name of an extension attribute
  std::size_t text_size_max = 2'048; ///< source, type, subject, an extension's text
  std::size_t extensions_max = 40;
  std::size_t rejected_listed_max = 100; ///< further ones are only counted
};

} // namespace tobit::event
