#include "runtime/telemetry/log.hpp"

#include "runtime/telemetry/json_line.hpp"
#include "runtime/telemetry/library_log.hpp"
#include "runtime/telemetry/line_writer.hpp"
#include "schemas/redaction.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>

namespace tobit::telemetry {

namespace {

constexpr std::array<std::string_view, 4> level_names{"debug", "info", "warning", "error"};

/// Bare words need no quotes in the text form.
bool plain(std::string_view text) noexcept {
  return !text.empty() && text.size() <= log_value_max && std::all_of(text.begin(), text.end(), [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u > 0x20 && u < 0x7F && c != '"' && c != '=' && c != '\\';
  });
}

void append_value(std::string& out, std::string_view text) {
  if (plain(text)) {
    out += text;
    return;
  }
  out.push_back('"');
  append_escaped(out, text, log_value_max);
  out.push_back('"');
}

/// Names come from our code, but some are keys of user data.
void append_pair(std::string& out, std::string_view name, std::string_view value) {
  out.push_back(' ');
  for (char c : name.substr(0, 100)) out.push_back(plain({&c, 1}) ? c : '_');
  out.push_back('=');
  append_value(out, value);
}

std::string shown(const log_field& field) {
  if (is_secret_name(field.name)) return std::string(redacted);
  return field.quoted ? redact_secrets(field.text) : field.text;
}

/// Calls `take(name, value)` for what the context says.
template <class Take>
void each_of_context(const log_record& record, Take take) {
  if (!record.context) return;
  take("trace_id", to_string(record.context->trace));
  if (!record.context->who) return;
  take("tenant", record.context->who->tenant.value);
  if (!record.context->who->request_id.empty()) take("request_id", record.context->who->request_id);
}

std::string text_after_time(const log_record& record) {
  std::string out(to_string(record.level));
  out.push_back(' ');
  out += record.key;
  if (!record.prose.empty()) {
    out += " \"";
    append_escaped(out, redact_secrets(record.prose), log_value_max);
    out.push_back('"');
  }
  each_of_context(record, [&](auto name, const auto& value) { append_pair(out, name, value); });
  for (std::size_t i = 0; i < record.field_count; ++i) append_pair(out, record.fields[i].name, shown(record.fields[i]));
  return out;
}

/// The logger of a node.
class written_log final : public logger {
public:
  written_log(const log_options& options, const clock& now, std::unique_ptr<line_writer> writer)
      : json_(options.json), least_(options.level), clock_(now), writer_(std::move(writer)) {}

  ~written_log() override { release_library_log(*this); }
  bool enabled(log_level level) const noexcept override { return level >= least_.load(std::memory_order_relaxed); }
  void set_level(log_level least) noexcept override { least_.store(least, std::memory_order_relaxed); }
  std::uint64_t dropped() const noexcept override { return writer_->dropped(); }

private:
  void write(log_record record) noexcept override {
    try {
      record.at = clock_.now();
      say_dropped(record.at);
      writer_->add(record.level, json_ ? format_json(record) : format_text(record));
    } catch (const std::exception&) {
      // Out of memory: a lost line is the lesser evil.
    }
  }

  /// A gap in the log is said in the log, once there is room again.
  void say_dropped(utc_time at) {
    const auto count = writer_->dropped();
    auto said = said_dropped_.load(std::memory_order_relaxed);
    if (count == said || !said_dropped_.compare_exchange_strong(said, count)) return;
    const log_field field{"lines", count - said};
    const log_record gap{
        at, log_level::warning, nullptr, "log.dropped", "Lines were lost: the log's target is too slow.", &field, 1};
    writer_->add(gap.level, json_ ? format_json(gap) : format_text(gap));
  }

  const bool json_;
  std::atomic<log_level> least_;
  const clock& clock_;
  std::unique_ptr<line_writer> writer_;
  std::atomic<std::uint64_t> said_dropped_{0};
};

} // namespace

std::string_view to_string(log_level level) noexcept { return level_names[static_cast<std::size_t>(level)]; }

std::optional<log_level> parse_log_level(std::string_view text) noexcept {
  const auto at = std::find(level_names.begin(), level_names.end(), text);
  if (at == level_names.end()) return std::nullopt;
  return static_cast<log_level>(at - level_names.begin());
}

log_field::log_field(std::string_view n, const tobit::error& value)
    : name(n), text(std::string(describe(value.code).name) + ": " + std::string(value.text())) {}
log_field::log_field(std::string_view n, const entity_ref& value) : name(n), text(to_string(value)) {}

std::string format_text(const log_record& record) { return to_rfc3339(record.at) + " " + text_after_time(record); }

std::string format_json(const log_record& record) {
  json_line line(256);
  line.text("time", to_rfc3339(record.at), 40).text("level", to_string(record.level), 10).text("key", record.key, 100);
  if (!record.prose.empty()) line.text("message", redact_secrets(record.prose), log_value_max);
  each_of_context(record, [&](auto name, const auto& value) { line.text(name, value, log_value_max); });
  for (std::size_t i = 0; i < record.field_count; ++i) {
    const auto& field = record.fields[i];
    if (field.quoted || is_secret_name(field.name))
      line.text(field.name, shown(field), log_value_max);
    else
      line.bare(field.name, field.text);
  }
  return std::move(line).finish();
}

result<std::unique_ptr<logger>> open_log(const log_options& options, const clock& now) {
  auto writer = line_writer::open({options.console, options.file, options.rotate, options.waiting_max, {}});
  if (!writer) return fail(std::move(writer.error()));
  return std::unique_ptr<logger>(std::make_unique<written_log>(options, now, std::move(*writer)));
}

struct memory_log::state {
  mutable std::mutex guard;
  std::vector<std::string> lines;
  std::atomic<log_level> least{log_level::debug};
};

memory_log::memory_log(log_level least) : state_(std::make_unique<state>()) { state_->least = least; }
memory_log::~memory_log() = default;
bool memory_log::enabled(log_level level) const noexcept { return level >= state_->least.load(); }
void memory_log::set_level(log_level least) noexcept { state_->least = least; }

std::vector<std::string> memory_log::lines() const {
  std::lock_guard lock(state_->guard);
  return state_->lines;
}

void memory_log::write(log_record record) noexcept {
  std::lock_guard lock(state_->guard);
  state_->lines.push_back(text_after_time(record));
}

} // namespace tobit::telemetry
