#include "runtime/telemetry/line_writer.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/rotating_file_sink.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <utility>

namespace tobit::telemetry {

namespace {

/// Lines of one level in a row, with their ends.
struct run {
  log_level level;
  std::string text;
};

/// A run is handed to the sinks as one piece, so this also bounds how far a file may grow past its size.
constexpr std::size_t run_bytes_max = 256u << 10;
/// With this much waiting nobody lingers for more.
constexpr std::size_t waiting_enough = 64u << 10;

spdlog::level::level_enum spdlog_level(log_level level) noexcept {
  switch (level) {
  case log_level::debug:
    return spdlog::level::debug;
  case log_level::info:
    return spdlog::level::info;
  case log_level::warning:
    return spdlog::level::warn;
  case log_level::error:
    return spdlog::level::err;
  }
  return spdlog::level::info;
}

std::shared_ptr<spdlog::sinks::sink> console_sink() {
  auto sink = std::make_shared<spdlog::sinks::stderr_color_sink_st>();
  sink->set_pattern("%^%v%$");
  sink->set_color(spdlog::level::debug, "\033[2m");
  sink->set_color(spdlog::level::info, "");
  return sink;
}

std::shared_ptr<spdlog::sinks::sink> file_sink(const line_writer::options& wanted) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (wanted.rotate.bytes_max == 0)
    sink = std::make_shared<spdlog::sinks::basic_file_sink_st>(wanted.file);
  else
    sink = std::make_shared<spdlog::sinks::rotating_file_sink_st>(wanted.file, wanted.rotate.bytes_max,
                                                                  wanted.rotate.files);
  sink->set_pattern("%v");
  return sink;
}

} // namespace

struct line_writer::state {
  std::vector<std::shared_ptr<spdlog::sinks::sink>> sinks; // used by the thread only
  std::size_t waiting_max = 0;
  std::chrono::milliseconds linger{0};

  std::mutex guard;
  std::condition_variable work;
  std::vector<run> waiting;
  std::size_t waiting_bytes = 0;
  bool stopping = false;
  std::atomic<std::uint64_t> dropped{0};
  std::uint64_t failed_writes = 0;
  std::thread thread;

  void loop() {
    std::vector<run> taken;
    for (;;) {
      {
        std::unique_lock lock(guard);
        work.wait(lock, [this] { return stopping || !waiting.empty(); });
        if (linger.count() > 0)
          work.wait_for(lock, linger, [this] { return stopping || waiting_bytes >= waiting_enough; });
        if (waiting.empty()) return; // stopping, and all is written
        taken.swap(waiting);
        waiting_bytes = 0;
      }
      for (const auto& one : taken) write(one);
      for (auto& sink : sinks) guarded([&] { sink->flush(); });
      taken.clear();
    }
  }

  void write(const run& one) {
    const std::string_view text(one.text.data(), one.text.size() - 1); // the sink ends the last line
    for (auto& sink : sinks)
      guarded([&] {
        sink->log(spdlog::details::log_msg("tobit", spdlog_level(one.level), {text.data(), text.size()}));
      });
  }

  /// A full disk must not end the node; it is said on standard error at the first and then every 10,000th failure.
  template <class Action>
  void guarded(Action action) noexcept {
    try {
      action();
    } catch (const std::exception& e) {
      if (failed_writes++ % 10'000 == 0) std::fprintf(stderr, "log: cannot be written: %s\n", e.what());
    }
  }
};

result<std::unique_ptr<line_writer>> line_writer::open(const options& wanted) {
  auto s = std::make_unique<state>();
  s->waiting_max = wanted.waiting_max;
  s->linger = wanted.linger;
  try {
    if (wanted.console) s->sinks.push_back(console_sink());
    if (!wanted.file.empty()) {
      std::filesystem::create_directories(std::filesystem::absolute(wanted.file).parent_path());
      s->sinks.push_back(file_sink(wanted));
    }
  } catch (const std::exception& e) {
    return fail(error_code::configuration_error, "The log file '" + wanted.file + "' cannot be written (" + e.what() +
                                                     "); choose another or free the place.");
  }
  return std::unique_ptr<line_writer>(new line_writer(std::move(s)));
}

line_writer::line_writer(std::unique_ptr<state> s) : state_(std::move(s)) {
  state_->thread = std::thread([s = state_.get()] { s->loop(); });
}

line_writer::~line_writer() {
  {
    std::lock_guard lock(state_->guard);
    state_->stopping = true;
  }
  state_->work.notify_one();
  state_->thread.join();
}

bool line_writer::add(log_level level, std::string_view line) noexcept {
  try {
    bool wake = false;
    {
      std::lock_guard lock(state_->guard);
      auto& s = *state_;
      if (s.waiting_bytes + line.size() + 1 > s.waiting_max) {
        s.dropped.fetch_add(1, std::memory_order_relaxed);
        return false;
      }
      wake = s.waiting.empty() ||
             (s.waiting_bytes < waiting_enough && s.waiting_bytes + line.size() + 1 >= waiting_enough);
      if (s.waiting.empty() || s.waiting.back().level != level || s.waiting.back().text.size() > run_bytes_max)
        s.waiting.push_back({level, {}});
      auto& text = s.waiting.back().text;
      text.append(line);
      text.push_back('\n');
      s.waiting_bytes += line.size() + 1;
    }
    if (wake) state_->work.notify_one();
    return true;
  } catch (const std::exception&) { // out of memory
    state_->dropped.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
}

std::uint64_t line_writer::dropped() const noexcept { return state_->dropped.load(std::memory_order_relaxed); }

} // namespace tobit::telemetry
