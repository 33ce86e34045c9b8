#include "runtime/telemetry/access_log.hpp"

#include "runtime/telemetry/json_line.hpp"
#include "runtime/telemetry/line_writer.hpp"

#include <utility>

namespace tobit::telemetry {

namespace {

constexpr std::size_t text_max = 500;

class file_access_log final : public access_log {
public:
  explicit file_access_log(std::unique_ptr<line_writer> writer) : writer_(std::move(writer)) {}

  void write(const access_record& record) noexcept override {
    try {
      writer_->add(log_level::info, format_access(record));
    } catch (const std::exception&) {
      // Out of memory: a lost line is the lesser evil.
    }
  }
  std::uint64_t dropped() const noexcept override { return writer_->dropped(); }

private:
  std::unique_ptr<line_writer> writer_;
};

class silent_access_log final : public access_log {
public:
  void write(const access_record&) noexcept override {}
};

/// Milliseconds with three digits, without a float.
std::string milliseconds(std::chrono::microseconds took) {
  const auto count = took.count() < 0 ? 0 : took.count();
  auto fraction = std::to_string(count % 1'000);
  return std::to_string(count / 1'000) + "." + std::string(3 - fraction.size(), '0') + fraction;
}

} // namespace

std::string format_access(const access_record& record) {
  json_line line(400);
  line.text("time", to_rfc3339(record.at), 40)
      .text("method", record.method, 20)
      .text("path", record.path, text_max)
      .text("route", record.route, text_max)
      .bare("status", std::to_string(record.status))
      .bare("bytes_in", std::to_string(record.bytes_in))
      .bare("bytes_out", std::to_string(record.bytes_out))
      .bare("duration_ms", milliseconds(record.duration))
      .text("remote_address", record.remote_address, 64);
  const auto known = [&line](std::string_view name, const std::string& value) {
    if (!value.empty()) line.text(name, value, text_max);
  };
  known("user_agent", record.user_agent);
  known("tenant", record.tenant);
  known("principal", record.principal);
  known("request_id", record.request_id);
  known("trace_id", record.trace_id);
  known("parent_trace_id", record.parent_trace_id);
  return std::move(line).finish();
}

result<std::unique_ptr<access_log>> open_access_log(const std::string& file, const rotation& rotate) {
  auto writer = line_writer::open({false, file, rotate, 8u << 20, std::chrono::milliseconds{200}});
  if (!writer) return fail(std::move(writer.error()));
  return std::unique_ptr<access_log>(std::make_unique<file_access_log>(std::move(*writer)));
}

std::unique_ptr<access_log> no_access_log() { return std::make_unique<silent_access_log>(); }

} // namespace tobit::telemetry
