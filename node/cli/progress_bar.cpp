#include "node/cli/progress_bar.hpp"

#include "node/cli/text_table.hpp"

#include <algorithm>
#include <ostream>
#include <utility>

namespace tobit::cli {

namespace {

/// 12,345
std::string grouped(std::size_t number) {
  auto out = std::to_string(number);
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3)
    out.insert(static_cast<std::size_t>(at), ",");
  return out;
}

std::string seconds_left(double seconds) {
  const auto whole = static_cast<std::size_t>(std::min(seconds, 359'999.0) + 0.5);
  if (whole < 60) return std::to_string(whole) + " s left";
  return std::to_string(whole / 60) + " min " + std::to_string(whole % 60) + " s left";
}

} // namespace

progress_bar::progress_bar(std::ostream& to, bool terminal, std::size_t columns, std::string what, std::size_t total)
    : to_(to)
    , terminal_(terminal)
    , columns_(columns)
    , what_(std::move(what))
    , total_(total)
    , started_(std::chrono::steady_clock::now()) {}

progress_bar::~progress_bar() { clear(); }

std::string progress_bar::line(std::string_view what, std::size_t done, std::size_t total, double seconds,
                               std::size_t columns) {
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  std::string text = grouped(done);
  if (total > 0) text += "/" + grouped(total);
  text += " " + std::string(what);
  if (rate >= 1) text += "  " + grouped(static_cast<std::size_t>(rate)) + "/s";
  if (total == 0) return text;
  if (rate > 0 && done < total && seconds > 1) text += "  " + seconds_left(static_cast<double>(total - done) / rate);
  constexpr std::size_t bar_width = 24;
  if (display_width(text) + bar_width + 3 > columns) return text;
  const auto filled = std::min(bar_width, done * bar_width / total);
  std::string bar;
  for (std::size_t i = 0; i < bar_width; ++i) bar += i < filled ? "█" : "░";
  return bar + "  " + text;
}

void progress_bar::advance(std::size_t done, moment now) {
  if (!terminal_ || now - drawn_at_ < std::chrono::milliseconds{100}) return;
  drawn_at_ = now;
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(now - started_).count();
  to_ << "\r\033[K" << line(what_, done, total_, seconds, columns_ - 1) << std::flush;
}

void progress_bar::clear() {
  if (!drawn_) return;
  to_ << "\r\033[K" << std::flush;
  drawn_ = false;
  drawn_at_ = {};
}

} // namespace tobit::cli
