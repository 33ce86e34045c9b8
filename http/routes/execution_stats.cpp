#include "http/routes/execution_stats.hpp"

#include "http/codec/percentile.hpp"

#include <algorithm>
#include <cctype>
#include <initializer_list>

namespace tobit::http {

json shown_health(execution_sample sample) {
  std::sort(sample.durations_ms.begin(), sample.durations_ms.end());
  const auto count = static_cast<std::int64_t>(sample.durations_ms.size());
  const auto ratio = count == 0 ? 1.0 : static_cast<double>(count - sample.errors) / static_cast<double>(count);
  return {{"sample_count", count},
          {"success_ratio", ratio},
          {"healthy", ratio >= healthy_ratio},
          {"p50_ms", nearest_rank(sample.durations_ms, 50)},
          {"p95_ms", nearest_rank(sample.durations_ms, 95)},
          {"p99_ms", nearest_rank(sample.durations_ms, 99)}};
}

std::string_view error_class(std::string_view message) {
  std::string text(message);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const auto any = [&](std::initializer_list<const char*> words) {
    return std::any_of(words.begin(), words.end(), [&](const char* w) { return text.find(w) != std::string::npos; });
  };
  if (text.empty()) return "unknown";
  if (any({"timeout", "timed out", "deadline", "in time"})) return "timeout";
  if (any({"unauthori", "forbidden", "authenticat", "credential", "status 401", "status 403"})) return "authentication";
  if (any({"connect", "refused", "unreachable", "resolve", "network", "dns"})) return "connection";
  if (any({"not a number", "leads nowhere", "invalid", "validation", "malformed", "not json", "with json"}))
    return "validation";
  return "other";
}

const std::vector<std::string_view>& error_classes() {
  static const std::vector<std::string_view> all{"timeout",        "connection", "validation",
                                                 "authentication", "other",      "unknown"};
  return all;
}

} // namespace tobit::http
