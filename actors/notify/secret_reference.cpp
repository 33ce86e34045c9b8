#include "actors/notify/secret_reference.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace tobit::notify {

namespace {

constexpr std::string_view env_scheme = "env:", file_scheme = "file:";
constexpr std::size_t reference_bytes_max = 500;

bool is_variable_name(std::string_view name) noexcept {
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name.front())) &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

/// Below, not beside: /run/secrets-old is not in /run/secrets.
bool is_below(const std::filesystem::path& file, const std::string& folder) {
  auto top = std::filesystem::path(folder).lexically_normal();
  if (!top.has_filename()) top = top.parent_path(); // a slash at the end
  const auto [end_of_top, there] = std::mismatch(top.begin(), top.end(), file.begin(), file.end());
  return end_of_top == top.end() && there != file.end();
}

bool is_allowed_file(const std::filesystem::path& file, const secret_access& allowed) {
  return std::any_of(allowed.folders.begin(), allowed.folders.end(),
                     [&](const std::string& folder) { return is_below(file, folder); });
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "nothing" : out;
}

tl::unexpected<error> unreadable(std::string_view reference, const char* why) {
  return fail(error_code::configuration_error, "The secret '" + std::string(reference) + "' " + why);
}

/// Closes what was opened.
struct open_file {
  int fd;
  ~open_file() {
    if (fd >= 0) close(fd);
  }
};

result<std::string> read_secret_file(std::string_view reference, const secret_access& allowed) {
  const std::filesystem::path named(reference.substr(file_scheme.size()));
  std::error_code problem;
  const auto real = std::filesystem::canonical(named, problem);
  if (problem) return unreadable(reference, "cannot be read: there is no such file for this program.");
  // The folders may be links themselves; what counts is where the file really is.
  secret_access real_places;
  for (const auto& folder : allowed.folders)
    if (auto place = std::filesystem::canonical(folder, problem); !problem)
      real_places.folders.push_back(place.string());
  if (!is_allowed_file(real, real_places))
    return unreadable(reference, "is a link that leads out of the folders for secrets (secrets.folders).");
  // Non-blocking, so that a pipe in the file's place cannot stop us.
  const open_file file{open(real.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)};
  struct stat facts {};
  if (file.fd < 0 || fstat(file.fd, &facts) != 0) return unreadable(reference, "cannot be read by this program.");
  if (!S_ISREG(facts.st_mode)) return unreadable(reference, "is not a plain file.");
  std::string text;
  std::array<char, 4'096> piece;
  while (text.size() <= secret_bytes_max) {
    const auto count = read(file.fd, piece.data(), piece.size());
    if (count < 0) return unreadable(reference, "cannot be read by this program.");
    if (count == 0) break;
    text.append(piece.data(), static_cast<std::size_t>(count));
  }
  return text;
}

} // namespace

bool is_secret_reference(std::string_view text) noexcept {
  return text.starts_with(env_scheme) || text.starts_with(file_scheme);
}

result<void> check_secret_reference(std::string_view text, const secret_access& allowed) {
  if (!is_secret_reference(text))
    return fail(error_code::validation_error,
                "Write where the secret stands instead of the secret itself: 'env:NAME' for an environment variable of "
                "this program, or 'file:/path' for a file. Tobit stores no secrets.");
  if (text.size() > reference_bytes_max)
    return fail(error_code::validation_error, "A reference to a secret is at most 500 bytes long.");
  if (text.starts_with(env_scheme)) {
    const auto name = text.substr(env_scheme.size());
    if (!is_variable_name(name))
      return fail(error_code::validation_error, "After 'env:' stands the name of an environment variable.");
    if (std::none_of(allowed.env_prefixes.begin(), allowed.env_prefixes.end(),
                     [&](const std::string& prefix) { return !prefix.empty() && name.starts_with(prefix); }))
      return fail(error_code::validation_error, "The variable '" + std::string(name) +
                                                    "' is not one for secrets: those begin with " +
                                                    listed(allowed.env_prefixes) + " (setting secrets.env_prefixes).");
    return {};
  }
  const std::filesystem::path file(text.substr(file_scheme.size()));
  const auto has_control = [](unsigned char c) { return c < 0x20 || c == 0x7f; };
  if (!file.is_absolute() || file != file.lexically_normal() || !file.has_filename() ||
      std::any_of(text.begin(), text.end(), has_control))
    return fail(error_code::validation_error,
                "After 'file:' stands the whole path of a file, without '..': file:/run/secrets/name.");
  if (!is_allowed_file(file, allowed))
    return fail(error_code::validation_error, "The file '" + file.string() + "' is not in a folder for secrets: " +
                                                  listed(allowed.folders) + " (setting secrets.folders).");
  return {};
}

result<std::string> resolve_secret(std::string_view text, const secret_access& allowed) {
  if (auto checked = check_secret_reference(text, allowed); !checked) return fail(std::move(checked.error()));
  std::string secret;
  if (text.starts_with(env_scheme)) {
    const auto* value = std::getenv(std::string(text.substr(env_scheme.size())).c_str());
    if (!value) return unreadable(text, "is not set in the environment of this program.");
    secret = value;
  } else {
    auto read = read_secret_file(text, allowed);
    if (!read) return read;
    secret = std::move(*read);
  }
  while (!secret.empty() && (secret.back() == '\n' || secret.back() == '\r')) secret.pop_back();
  if (secret.empty()) return unreadable(text, "is empty.");
  if (secret.size() > secret_bytes_max) return unreadable(text, "is larger than 64 KiB.");
  if (secret.find('\0') != secret.npos) return unreadable(text, "holds a zero byte; a secret is text.");
  return secret;
}

} // namespace tobit::notify
