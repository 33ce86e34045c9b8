#include "runtime/telemetry/library_log.hpp"

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <mutex>

namespace tobit::telemetry {

namespace {

log_level level_of(spdlog::level::level_enum level) noexcept {
  switch (level) {
  case spdlog::level::trace:
  case spdlog::level::debug:
    return log_level::debug;
  case spdlog::level::info:
    return log_level::info;
  case spdlog::level::warn:
    return log_level::warning;
  default:
    return log_level::error;
  }
}

bool name_char(char c) noexcept { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }

/// Hands lines to the target. base_sink's mutex also keeps a target from ending in the middle of one.
class bridge final : public spdlog::sinks::base_sink<std::mutex> {
public:
  void aim(logger* at) {
    const std::lock_guard lock(mutex_);
    target_ = at;
  }
  void release(const logger* from) {
    const std::lock_guard lock(mutex_);
    if (target_ == from) target_ = nullptr;
  }

private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (!target_) return fallback_.log(message);
    const auto line = parse_line({message.payload.data(), message.payload.size()});
    std::vector<log_field> fields;
    for (const auto& [name, value] : line.fields) fields.emplace_back(name, value);
    target_->log(level_of(message.level), line.key, line.prose, fields);
  }
  void flush_() override {}

  logger* target_ = nullptr;
  spdlog::sinks::stderr_color_sink_st fallback_;
};

const std::shared_ptr<bridge>& the_bridge() {
  static const auto one = std::make_shared<bridge>();
  return one;
}

} // namespace

parsed_line parse_line(std::string_view line) {
  parsed_line out;
  auto take_word = [&line] {
    const auto end = std::min(line.find(' '), line.size());
    const auto word = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
    return word;
  };
  out.key = take_word();
  while (!out.key.empty() && out.key.back() == ':') out.key.remove_suffix(1);
  while (!line.empty()) {
    std::size_t name = 0;
    while (name < line.size() && name_char(line[name])) ++name;
    if (name == 0 || name == line.size() || line[name] != '=') {
      const auto word = take_word();
      if (!word.empty()) out.prose += (out.prose.empty() ? "" : " ") + std::string(word);
      continue;
    }
    const auto field = line.substr(0, name);
    line.remove_prefix(name + 1);
    const auto close = line.size() > 1 && line[0] == '"' ? line.find('"', 1) : std::string_view::npos;
    if (close == std::string_view::npos) {
      out.fields.emplace_back(field, take_word());
      continue;
    }
    out.fields.emplace_back(field, line.substr(1, close - 1));
    line.remove_prefix(close + 1);
  }
  return out;
}

void adopt_library_log(logger& target) {
  the_bridge()->aim(&target);
  auto through = std::make_shared<spdlog::logger>("tobit", the_bridge());
  through->set_level(spdlog::level::debug); // the target decides
  spdlog::set_default_logger(std::move(through));
}

void release_library_log(const logger& target) noexcept { the_bridge()->release(&target); }

} // namespace tobit::telemetry
