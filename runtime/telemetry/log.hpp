#pragma once

#include "runtime/time/clock.hpp"
#include "schemas/call_context.hpp"
#include "schemas/error.hpp"

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tobit::telemetry {

enum class log_level : std::uint8_t { debug, info, warning, error };
std::string_view to_string(log_level level) noexcept;
std::optional<log_level> parse_log_level(std::string_view text) noexcept;

/// One named value of a log line. Names are snake_case and stable; values of secret names are never written.
struct log_field {
  std::string_view name; ///< lives as long as the call
  std::string text;
  bool quoted = true; ///< false: a number or boolean, bare in JSON

  log_field(std::string_view n, std::string_view value) : name(n), text(value) {}
  log_field(std::string_view n, const char* value) : name(n), text(value) {}
  log_field(std::string_view n, std::string value) : name(n), text(std::move(value)) {}
  log_field(std::string_view n, bool value) : name(n), text(value ? "true" : "false"), quoted(false) {}
  log_field(std::string_view n, std::integral auto value) : name(n), text(std::to_string(value)), quoted(false) {}
  log_field(std::string_view n, const error& value);      ///< error name and text
  log_field(std::string_view n, const entity_ref& value); ///< kind/tenant/key
  template <class Tag>
  log_field(std::string_view n, const strong_id<Tag>& value) : name(n), text(value.value) {}
};
using log_fields = std::initializer_list<log_field>;

/// What a log line is made of.
struct log_record {
  utc_time at;
  log_level level = log_level::info;
  const call_context* context = nullptr; ///< gives trace_id, tenant and request_id
  std::string_view key;                  ///< stable, dotted: `entity.quarantined`; searched for by people and alerts
  std::string_view prose;                ///< a sentence, or empty
  const log_field* fields = nullptr;
  std::size_t field_count = 0;
};

/// Longest value in a line, in bytes; the rest is cut and marked with `…`.
inline constexpr std::size_t log_value_max = 2'000;

/// `2026-11-20T08:30:00.123456Z info entity.quarantined "prose" trace_id=… tenant=… request_id=… name=value`.
/// One line whatever the values hold: control characters and quotes are escaped, secrets are masked.
std::string format_text(const log_record& record);
/// The same as one JSON object: time, level, key, message, trace_id, tenant, request_id and the fields.
std::string format_json(const log_record& record);

/// The node's log. Handed to whoever logs; there is no global one. Thread-safe; never blocks and never throws: what the
/// writer cannot take is counted and said later.
///
/// Levels: error — somebody has to act; warning — it went on, but differently than wanted; info — what changed (start,
/// stop, reload, quarantine); debug — steps. Nothing per request or message above debug.
class logger {
public:
  virtual ~logger() = default;

  void debug(std::string_view key, std::string_view prose = {}, log_fields fields = {}) noexcept {
    send(log_level::debug, nullptr, key, prose, fields);
  }
  void info(std::string_view key, std::string_view prose = {}, log_fields fields = {}) noexcept {
    send(log_level::info, nullptr, key, prose, fields);
  }
  void warning(std::string_view key, std::string_view prose = {}, log_fields fields = {}) noexcept {
    send(log_level::warning, nullptr, key, prose, fields);
  }
  void error(std::string_view key, std::string_view prose = {}, log_fields fields = {}) noexcept {
    send(log_level::error, nullptr, key, prose, fields);
  }

  /// The same on behalf of a request: the line carries its trace, tenant and request id.
  void debug(const call_context& context, std::string_view key, std::string_view prose = {},
             log_fields fields = {}) noexcept {
    send(log_level::debug, &context, key, prose, fields);
  }
  void info(const call_context& context, std::string_view key, std::string_view prose = {},
            log_fields fields = {}) noexcept {
    send(log_level::info, &context, key, prose, fields);
  }
  void warning(const call_context& context, std::string_view key, std::string_view prose = {},
               log_fields fields = {}) noexcept {
    send(log_level::warning, &context, key, prose, fields);
  }
  void error(const call_context& context, std::string_view key, std::string_view prose = {},
             log_fields fields = {}) noexcept {
    send(log_level::error, &context, key, prose, fields);
  }

  /// The same for lines that are put together at run time.
  void log(log_level level, std::string_view key, std::string_view prose,
           const std::vector<log_field>& fields) noexcept {
    if (enabled(level)) write({{}, level, nullptr, key, prose, fields.data(), fields.size()});
  }

  /// Whether lines of this level go anywhere; ask before building costly fields.
  virtual bool enabled(log_level level) const noexcept = 0;
  /// Takes effect at once, for all threads.
  virtual void set_level(log_level least) noexcept = 0;
  /// Lines lost because the writer could not keep up.
  virtual std::uint64_t dropped() const noexcept = 0;

protected:
  /// `record.at` is not set yet. Must not throw.
  virtual void write(log_record record) noexcept = 0;

private:
  void send(log_level level, const call_context* context, std::string_view key, std::string_view prose,
            log_fields fields) noexcept {
    if (enabled(level)) write({{}, level, context, key, prose, fields.begin(), fields.size()});
  }
};

/// A file that is rotated: `tobit.log`, `tobit.1.log` (the newest of the old ones), …
struct rotation {
  std::size_t bytes_max = 10u << 20; ///< 0: never rotated
  std::size_t files = 5;             ///< old ones that are kept
};

struct log_options {
  log_level level = log_level::info;
  bool json = false;
  bool console = true; ///< standard error; coloured by level on a terminal
  std::string file;    ///< empty: none; its folder is made
  rotation rotate;
  std::size_t waiting_max = 8u << 20; ///< bytes that wait for a slow disk or terminal; beyond it lines are dropped
};

/// Opens the log. `now` outlives it. On destruction everything that waits is written.
/// Errors: configuration_error (the file cannot be written, with the reason).
result<std::unique_ptr<logger>> open_log(const log_options& options, const clock& now);

/// A log that keeps its lines (as text, without the time), for tests.
class memory_log final : public logger {
public:
  explicit memory_log(log_level least = log_level::debug);
  ~memory_log() override;
  bool enabled(log_level level) const noexcept override;
  void set_level(log_level least) noexcept override;
  std::uint64_t dropped() const noexcept override { return 0; }
  std::vector<std::string> lines() const;

private:
  void write(log_record record) noexcept override;
  struct state;
  std::unique_ptr<state> state_;
};

} // namespace tobit::telemetry
