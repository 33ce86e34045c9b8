#pragma once

#include "schemas/json.hpp"
#include "schemas/message.hpp"

#include <cstdint>
#include <string>
#include <string_view>

/// What the programs on the nodes of a cluster ask and tell each other, beside requests to entities. Released messages
/// are frozen.
namespace tobit::cluster {

/// Cast: an entity wants other things than before, as `interest_listener` says.
struct interest_news {
  static constexpr std::string_view wire_name = "tobit.cluster.interest.v1";
  std::string source; ///< schedule, poll, event
  std::string kind, tenant, key;
  std::int64_t version = 0;
  bool wanted = false;
  json spec;
};

/// Cast: an item of a live stream, for whoever watches at another node.
struct stream_news {
  static constexpr std::string_view wire_name = "tobit.cluster.stream_item.v1";
  std::string tenant, topic, event;
  json body;
};

/// To the leader: append these events to the log, for the tenant of the context. They have ids, so that repeating it
/// does no harm.
struct append_events {
  static constexpr std::string_view wire_name = "tobit.cluster.append_events.v1";
  std::string lines; ///< CloudEvents in JSON, one a line
};
struct events_appended {
  static constexpr std::string_view wire_name = "tobit.cluster.events_appended.v1";
  std::uint64_t accepted = 0, duplicate = 0;
};

/// To the leader: how polling goes. Answered by a `document`.
struct inspect_polling {
  static constexpr std::string_view wire_name = "tobit.cluster.inspect_polling.v1";
  bool unused = false;
};
/// To a node: what it tells of itself. Answered by a `document`.
struct inspect_node {
  static constexpr std::string_view wire_name = "tobit.cluster.inspect_node.v1";
  bool unused = false;
};
/// To a node: which of these entities ([kind, tenant, key]) are in its memory. Answered by a `document` of
/// [kind, tenant, key, status, unanswered, handled, failed, time_total_us, time_longest_us].
struct list_residents {
  static constexpr std::string_view wire_name = "tobit.cluster.list_residents.v1";
  json only; ///< null: all, at most 100,000
};
/// To a node, from the leader: read a metric (`poll_interest`). Answered by a `document`.
struct read_metric {
  static constexpr std::string_view wire_name = "tobit.cluster.read_metric.v1";
  json what;
};
struct document {
  static constexpr std::string_view wire_name = "tobit.cluster.document.v1";
  json body;
};

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(interest_news, source, kind, tenant, key, version, wanted, spec)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(stream_news, tenant, topic, event, body)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(append_events, lines)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(events_appended, accepted, duplicate)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(inspect_polling, unused)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(inspect_node, unused)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(list_residents, only)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(read_metric, what)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE_WITH_DEFAULT(document, body)

} // namespace tobit::cluster
