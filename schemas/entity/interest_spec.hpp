#pragma once

#include "schemas/json.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

/// What stands in the column `spec` of the table `interest`, by `source`. A kind's compile step writes these after it
/// has checked every value, so that whoever serves a source may rely on them.
namespace tobit::entity {

/// Source "schedule": wake me at these times. Exactly one of `cron` and `interval_seconds` is set.
struct schedule_interest {
  std::string cron;                  ///< 5 fields (minute first) or 6 (second first); empty: an interval
  std::int64_t interval_seconds = 0; ///< 1 to 31'536'000; 0: a cron expression
  std::string timezone = "UTC";      ///< IANA name; only for cron
  std::string missed = "once";       ///< skip | once | all: ticks that were due while nobody could run them
  std::int64_t missed_max = 100;     ///< for `all`: at most so many, the latest ones; 1 to 1'000
  std::string overlap = "skip";      ///< skip | queue | allow: a tick is due while the one before is not settled
  std::int64_t jitter_seconds = 0; ///< each tick is delayed by 0 to this many seconds, derived from entity and due time
};

/// Source "poll": read something every `poll_interval_seconds` and send me the answer.
struct poll_interest {
  /// "http", "probe" (whether and how fast it answers), "prometheus" (a server's query API), or "host" (the machine
  /// that the node runs on; no further field is used).
  std::string source = "http";
  std::string endpoint; ///< absolute http(s) URL, already checked against the outbound guard, or /path on this node
  std::string method = "GET";    ///< GET or POST
  json params = json::object();  ///< strings, numbers, booleans: query parameters (GET) or the JSON body (POST)
  json headers = json::object(); ///< strings; may hold secrets
  std::int64_t poll_interval_seconds = 30; ///< 1 to 86'400
  std::int64_t timeout_ms = 5'000;         ///< 100 to 30'000
  std::string query;                       ///< "prometheus": the instant query (PromQL), at most 4'000 bytes
  std::string selector;                    ///< "http": not empty: the answer is a page of Prometheus's text format,
                                           ///< and these series of it are wanted
  std::string reduce;                      ///< of several series: one | first | max | min | sum | avg | each
};

/// Source "event": send me events from the log that fit. Both lists hold globs (`*` any characters, `?` one); an empty
/// list lets everything through. Sending more than what fits is harmless: the entity checks again.
///
/// With a `field`, only events are wanted whose data hold one of `values` at this path; those that hold nothing there
/// may be sent all the same. All values are whole numbers (up to 2^53), or all are texts that nobody would read as a
/// number.
struct event_interest {
  std::vector<std::string> types = {};
  std::vector<std::string> sources = {};
  std::string field = {};
  std::vector<json> values = {};
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(schedule_interest, cron, interval_seconds, timezone, missed, missed_max,
                                                overlap, jitter_seconds)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(poll_interest, source, endpoint, method, params, headers,
                                                poll_interval_seconds, timeout_ms, query, selector, reduce)
void to_json(json& out, const event_interest& wanted); ///< without `field` if there is none
void from_json(const json& in, event_interest& wanted);

/// True if `text` fits the glob: `*` stands for any number of characters, `?` for one. Time linear in practice and
/// never worse than the product of both lengths; no allocation.
bool glob_matches(std::string_view glob, std::string_view text) noexcept;

} // namespace tobit::entity
