#define CAF_SUITE cluster_messages

#include "schemas/cluster/cluster_protocol.hpp"
#include "schemas/cluster/node_protocol.hpp"
#include "tests/support/wire_contract.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::cluster;

namespace {

/// One sample of each message, with a value in every field.
std::vector<message> samples() {
  return {message::of(hello{"c-1", "node-1", 7, 1, 2, "0.1.0", 3, 40}),
          message::of(refuse_peer{"wrong_cluster", "check cluster.id"}),
          message::of(shard_map_changed{41, {{5, "node-1", 7, 3, 8, 41}}}),
          message::of(leader_announced{4, "node-1", 7}),
          message::of(members_changed{42}),
          message::of(drain_node{"node-1", "new kernel"}),
          message::of(interest_news{"event", "rule", "default", "k-1", 3, true, {{"types", {"t"}}}}),
          message::of(stream_news{"default", "cep.events", "new_event", {{"id", 1}}}),
          message::of(append_events{"{}\n"}),
          message::of(events_appended{2, 1}),
          message::of(inspect_polling{}),
          message::of(inspect_node{}),
          message::of(list_residents{{{"rule", "default", "k-1"}}}),
          message::of(read_metric{{{"source", "http"}}}),
          message::of(document{{{"a", 1}}})};
}

} // namespace

CAF_TEST(the messages of the cluster look on the wire as they always did) {
  testing::check_golden(samples(), TOBIT_GOLDEN "/cluster_messages.json");
}

CAF_TEST(every message of the cluster survives the way over the wire) {
  register_cluster_messages();
  testing::check_way_over_the_wire(samples(), "tobit.cluster.");
}

CAF_TEST(a message of the next release is read as far as it is understood) {
  register_cluster_messages();
  auto newer = message::of(hello{"c-1", "node-1", 7, 1, 2, "0.2.0", 3, 40}).encode();
  newer["zone"] = "eu-1";
  const auto read = decode_message("tobit.cluster.hello.v1", newer);
  CAF_REQUIRE(read.has_value());
  CAF_CHECK_EQUAL(read->as<hello>()->protocol_max, 2);
  CAF_CHECK(decode_message("tobit.cluster.hello.v2", newer).error().code == error_code::not_implemented);
}
