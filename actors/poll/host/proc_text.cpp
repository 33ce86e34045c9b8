#include "actors/poll/host/proc_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tobit::poll::host {

namespace {

/// Takes the next word off the front of `rest`; empty at the end.
std::string_view next_word(std::string_view& rest) {
  const auto begin = rest.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return rest = {};
  rest.remove_prefix(begin);
  const auto word = rest.substr(0, rest.find_first_of(" \t"));
  rest.remove_prefix(word.size());
  return word;
}

std::string_view next_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  const auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return line;
}

template <class Number>
std::optional<Number> number(std::string_view word) {
  Number value{};
  const auto [end, wrong] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (word.empty() || wrong != std::errc{} || end != word.data() + word.size()) return std::nullopt;
  return value;
}

/// Reads as many numbers as the array holds; false if there are fewer.
template <class Number, std::size_t N>
bool numbers(std::string_view rest, std::array<Number, N>& into) {
  for (auto& value : into) {
    const auto read = number<Number>(next_word(rest));
    if (!read) return false;
    value = *read;
  }
  return true;
}

/// Blanks and the like are written as \ooo in /proc/mounts.
std::string unescape(std::string_view word) {
  const auto octal = [](char c) { return c >= '0' && c <= '7'; };
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (word[i] == '\\' && i + 3 < word.size() && octal(word[i + 1]) && octal(word[i + 2]) && octal(word[i + 3])) {
      out.push_back(static_cast<char>((word[i + 1] - '0') * 64 + (word[i + 2] - '0') * 8 + (word[i + 3] - '0')));
      i += 3;
    } else {
      out.push_back(word[i]);
    }
  }
  return out;
}

bool on_local_disk(std::string_view device, std::string_view path, std::string_view type) {
  if (device.substr(0, 9) == "/dev/loop") return false;
  if (device.substr(0, 5) == "/dev/") return true;
  return type == "zfs" || (type == "overlay" && path == "/"); // a container's root
}

} // namespace

std::optional<kernel_counters> parse_stat(std::string_view text) {
  kernel_counters counters;
  bool has_total = false;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto key = next_word(line);
    if (key == "cpu") {
      std::array<std::uint64_t, 8> t{}; // user nice system idle iowait irq softirq steal
      if (!numbers(line, t)) return std::nullopt;
      counters.cpu = {t[0] + t[1], t[2] + t[5] + t[6], t[3], t[4], t[7]};
      has_total = true;
    } else if (key.substr(0, 3) == "cpu") {
      ++counters.cores;
    } else if (key == "procs_running") {
      counters.running = number<std::uint64_t>(next_word(line)).value_or(0);
    }
  }
  if (!has_total) return std::nullopt;
  return counters;
}

std::optional<load_averages> parse_loadavg(std::string_view text) {
  std::array<double, 3> load{};
  if (!numbers(text, load)) return std::nullopt;
  return load_averages{load[0], load[1], load[2]};
}

std::optional<memory_amounts> parse_meminfo(std::string_view text) {
  memory_amounts memory;
  bool has_total = false, has_available = false;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto key = next_word(line);
    const auto bytes = number<std::uint64_t>(next_word(line)).value_or(0) * 1'024;
    if (key == "MemTotal:")
      memory.total = bytes, has_total = true;
    else if (key == "MemAvailable:")
      memory.available = bytes, has_available = true;
    else if (key == "SwapTotal:")
      memory.swap_total = bytes;
    else if (key == "SwapFree:")
      memory.swap_free = bytes;
  }
  if (!has_total || !has_available) return std::nullopt;
  return memory;
}

std::vector<interface_bytes> parse_net_dev(std::string_view text) {
  std::vector<interface_bytes> interfaces;
  while (!text.empty()) {
    auto line = next_line(text);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue; // the two lines of headings
    auto name = line.substr(0, colon);
    std::array<std::uint64_t, 9> t{}; // eight received columns, then bytes sent
    if (!numbers(line.substr(colon + 1), t)) continue;
    interfaces.push_back({std::string(next_word(name)), t[0], t[8]});
  }
  return interfaces;
}

std::vector<local_mount> parse_mounts(std::string_view text) {
  constexpr std::size_t most = 64;
  std::vector<local_mount> mounts;
  while (!text.empty() && mounts.size() < most) {
    auto line = next_line(text);
    local_mount mount{unescape(next_word(line)), unescape(next_word(line))};
    const auto type = next_word(line);
    if (mount.path.empty() || !on_local_disk(mount.device, mount.path, type)) continue;
    const auto known = std::find_if(mounts.begin(), mounts.end(),
                                    [&](const local_mount& other) { return other.device == mount.device; });
    if (known == mounts.end()) mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::optional<process_counters> parse_process(std::string_view text) {
  // pid (name) state …; the name may hold blanks and brackets, so its end is the last bracket.
  const auto open = text.find('('), close = text.rfind(')');
  if (open == std::string_view::npos || close == std::string_view::npos || close < open) return std::nullopt;
  process_counters process;
  auto head = text.substr(0, open);
  const auto pid = number<std::int64_t>(next_word(head));
  if (!pid) return std::nullopt;
  process.pid = *pid;
  process.name = text.substr(open + 1, close - open - 1);
  text.remove_prefix(close + 1);
  auto rest = next_line(text);
  const auto state = next_word(rest);
  if (state.size() != 1) return std::nullopt;
  process.state = state[0];
  std::array<std::int64_t, 21> t{}; // from field 4 (ppid) to field 24 (rss)
  for (auto& value : t) {
    const auto word = next_word(rest);
    if (word.empty()) return std::nullopt;
    value = number<std::int64_t>(word).value_or(0); // what exceeds 63 bits is none of the fields used here
  }
  process.ticks = static_cast<std::uint64_t>(t[10] + t[11]);
  process.started_at = static_cast<std::uint64_t>(t[18]);
  process.rss_pages = t[20] > 0 ? static_cast<std::uint64_t>(t[20]) : 0;
  return process;
}

std::optional<double> parse_uptime(std::string_view text) { return number<double>(next_word(text)); }

} // namespace tobit::poll::host
