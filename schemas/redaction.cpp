#include "schemas/redaction.hpp"

#include <array>
#include <cctype>

namespace tobit {

namespace {

bool word_char(char c) noexcept { return std::isalnum(static_cast<unsigned char>(c)) || c == '_' || c == '-'; }
bool blank(char c) noexcept { return std::isspace(static_cast<unsigned char>(c)) != 0; }

bool ends_value(char c) noexcept {
  return blank(c) || c == '"' || c == '\\' || c == '\'' || c == '&' || c == ',' || c == ';' || c == '}' || c == ']' ||
         c == ')';
}

bool same_word(std::string_view word, std::string_view lower) noexcept {
  if (word.size() != lower.size()) return false;
  for (std::size_t i = 0; i < word.size(); ++i)
    if (std::tolower(static_cast<unsigned char>(word[i])) != lower[i]) return false;
  return true;
}

/// Where the value after a secret's name begins: behind `=` or `:`, blanks and quotes; `at` if there is none.
std::size_t value_start(std::string_view text, std::size_t at) noexcept {
  auto i = at;
  while (i < text.size() && (text[i] == '"' || text[i] == '\'' || text[i] == '\\')) ++i;
  while (i < text.size() && text[i] == ' ') ++i;
  if (i == text.size() || (text[i] != '=' && text[i] != ':')) return at;
  ++i;
  if (text.substr(i, 2) == "//") return at; // a scheme that reads like a name
  while (i < text.size() && text[i] == ' ') ++i;
  while (i < text.size() && (text[i] == '"' || text[i] == '\'' || text[i] == '\\')) ++i;
  return i;
}

/// Copies what is not secret; one pass.
class scrubber {
public:
  explicit scrubber(std::string_view text) : text_(text) { out_.reserve(text.size()); }

  std::string run() {
    while (at_ < text_.size()) {
      if (text_.substr(at_, 3) == "://")
        authority();
      else if (word_char(text_[at_]))
        word();
      else
        out_.push_back(text_[at_++]);
    }
    return std::move(out_);
  }

private:
  void copy_until(std::size_t end) {
    out_.append(text_.substr(at_, end - at_));
    at_ = end;
  }

  void mask_value() {
    auto end = at_;
    while (end < text_.size() && !ends_value(text_[end])) ++end;
    if (end == at_) return;
    out_ += redacted;
    at_ = end;
  }

  /// `://user:password@host`: the last `@` before the path ends the password.
  void authority() {
    copy_until(at_ + 3);
    auto end = at_;
    while (end < text_.size() && text_[end] != '/' && text_[end] != '?' && !blank(text_[end]) && text_[end] != '"')
      ++end;
    const auto part = text_.substr(at_, end - at_);
    const auto sign = part.rfind('@');
    if (sign == std::string_view::npos) return;
    const auto colon = part.find(':');
    const auto sign_at = at_ + sign;
    if (colon == std::string_view::npos || colon > sign) return copy_until(sign_at);
    copy_until(at_ + colon + 1);
    out_ += redacted;
    at_ = sign_at;
  }

  void word() {
    auto end = at_;
    while (end < text_.size() && word_char(text_[end])) ++end;
    const auto name = text_.substr(at_, end - at_);
    if (name.size() >= 12 && name.substr(0, 3) == "sk_") {
      out_ += "sk_";
      out_ += redacted;
      at_ = end;
      return;
    }
    copy_until(end);
    if (same_word(name, "bearer") || same_word(name, "basic")) {
      while (at_ < text_.size() && text_[at_] == ' ') copy_until(at_ + 1);
      // "Basic" is also an English word; credentials are long.
      auto stop = at_;
      while (stop < text_.size() && !ends_value(text_[stop])) ++stop;
      if (stop - at_ >= 8) mask_value();
    } else if (is_secret_name(name)) {
      const auto start = value_start(text_, at_);
      if (start == at_) return;
      copy_until(start);
      const auto scheme = text_.substr(at_, 7);
      if (same_word(scheme, "bearer ") || same_word(scheme.substr(0, 6), "basic ")) return;
      mask_value();
    }
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

} // namespace

bool is_secret_name(std::string_view name) noexcept {
  static constexpr std::array<std::string_view, 10> parts{"password", "passwd",        "passphrase", "secret",
                                                          "token",    "authorization", "cookie",     "credential",
                                                          "apikey",   "privatekey"};
  // Compared without separators: api_key, api-key and apiKey are one word.
  std::array<char, 128> squeezed{};
  std::size_t length = 0;
  for (char c : name) {
    if (c == '_' || c == '-' || length == squeezed.size()) continue;
    squeezed[length++] = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  const std::string_view plain(squeezed.data(), length);
  for (auto part : parts)
    if (plain.find(part) != std::string_view::npos) return true;
  return false;
}

std::string redact_secrets(std::string_view text) { return scrubber(text).run(); }

bool is_plain_header(std::string_view name) noexcept {
  for (const std::string_view plain : {"accept", "accept-language", "content-type", "origin", "user-agent"})
    if (same_word(name, plain)) return true;
  return false;
}

json redact_document(json document) {
  if (!document.is_structured()) return document;
  for (auto member = document.begin(); member != document.end(); ++member) {
    const bool named = document.is_object();
    if (named && member->is_string()) {
      if (is_secret_name(member.key())) *member = redacted;
    } else if (named && member.key() == "headers" && member->is_object()) {
      for (auto header = member->begin(); header != member->end(); ++header)
        if (header->is_string() && !is_plain_header(header.key())) *header = redacted;
    } else {
      *member = redact_document(std::move(*member));
    }
  }
  return document;
}

} // namespace tobit
