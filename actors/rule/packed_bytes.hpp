#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Numbers and texts as few bytes, for what evaluators journal and keep.
namespace tobit::rule {

/// Appends to a text of bytes. Whole numbers take 1 to 10 bytes (LEB128; signed ones zigzag), floats 8, little endian.
class packer {
public:
  explicit packer(std::string& out) : out_(out) {}
  void count(std::uint64_t value) {
    for (; value >= 0x80; value >>= 7) out_.push_back(static_cast<char>(value | 0x80));
    out_.push_back(static_cast<char>(value));
  }
  void whole(std::int64_t value) {
    count((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void fixed(std::uint64_t value) {
    char bytes[8];
    for (auto& byte : bytes) {
      byte = static_cast<char>(value);
      value >>= 8;
    }
    out_.append(bytes, sizeof bytes);
  }
  void real(double value);
  void text(std::string_view value) {
    count(value.size());
    out_.append(value);
  }

private:
  std::string& out_;
};

/// Reads what `packer` wrote. After the first read beyond the end everything is 0 and `good` is false.
class unpacker {
public:
  explicit unpacker(std::string_view in) : in_(in) {}
  std::uint64_t count();
  std::int64_t whole();
  std::uint64_t fixed();
  double real();
  std::string_view text();

  bool good() const noexcept { return good_; }
  bool at_end() const noexcept { return in_.empty(); }
  /// For lists: false (and no longer good) if so many entries of at least one byte cannot be there.
  bool can_hold(std::uint64_t entries) noexcept { return good_ = good_ && entries <= in_.size(); }
  void fail() noexcept { good_ = false; }

private:
  std::string_view in_;
  bool good_ = true;
};

/// RFC 4648 with padding.
std::string to_base64(std::string_view bytes);
std::optional<std::string> from_base64(std::string_view text);

} // namespace tobit::rule
