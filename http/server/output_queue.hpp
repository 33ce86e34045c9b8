#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <sys/uio.h>

namespace tobit::http::edge {

/// Bytes that wait to be written to one connection, without copying large ones. Small pieces are joined, so that many
/// small events become one write.
class output_queue {
public:
  /// `charge` is what the caller wants reported back by `consume` once these bytes are written. Empty strings are
  /// ignored.
  void push(std::string bytes, std::size_t charge = 0);
  void push(std::shared_ptr<const std::string> bytes, std::size_t charge = 0);

  bool empty() const noexcept { return pieces_.empty(); }
  std::size_t bytes() const noexcept { return bytes_; }

  /// Fills up to `max` entries with what comes next and returns how many.
  std::size_t front(iovec* into, std::size_t max) const noexcept;
  /// Takes off what was written; returns the charges of the pieces that are now complete.
  std::size_t consume(std::size_t written) noexcept;
  void clear() noexcept;

private:
  struct piece {
    std::string own;
    std::shared_ptr<const std::string> shared;
    std::size_t charge = 0;
    std::string_view view() const noexcept { return shared ? std::string_view{*shared} : std::string_view{own}; }
  };
  bool joins(std::size_t size) const noexcept;

  std::deque<piece> pieces_;
  std::size_t offset_ = 0; ///< written bytes of the first piece
  std::size_t bytes_ = 0;
};

} // namespace tobit::http::edge
