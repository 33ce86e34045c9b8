#define CAF_SUITE envelope

#include "cluster/service/envelope.hpp"
#include "schemas/cluster/node_protocol.hpp"

#include <caf/test/unit_test.hpp>

#include <random>

using namespace tobit;
using namespace tobit::cluster;
using namespace std::chrono_literals;

namespace {

const steady_time now{1h};

envelope request() {
  envelope e;
  e.kind = envelope_kind::request;
  e.token = 7;
  e.attempt = 2;
  e.ref = {"rule", tenant_id{"default"}, "k-1"};
  e.shard = 17;
  e.epoch = 5;
  e.context = new_call(std::make_shared<const identity>(
                           identity{tenant_id{"default"}, principal_id{"u-1"}, role::manager, "req-1", "parent-1"}),
                       now + 2s);
  e.body = message::of(append_events{"{}"});
  return e;
}

} // namespace

CAF_TEST(a request arrives with its trace its identity and the time that is left) {
  register_cluster_messages();
  const auto sent = request();
  const steady_time there{50h};
  const auto got = decode_envelope(encode_envelope(sent, now), there);
  CAF_REQUIRE(got.has_value());
  CAF_CHECK(got->kind == envelope_kind::request);
  CAF_CHECK_EQUAL(got->token, 7u);
  CAF_CHECK_EQUAL(got->attempt, 2u);
  CAF_CHECK(got->ref == sent.ref);
  CAF_CHECK_EQUAL(got->shard, 17);
  CAF_CHECK_EQUAL(got->epoch, 5);
  CAF_REQUIRE(got->context.has_value());
  CAF_CHECK(got->context->trace == sent.context->trace);
  CAF_CHECK(got->context->span == sent.context->span);
  CAF_CHECK(got->context->who->principal == sent.context->who->principal);
  CAF_CHECK(got->context->who->rank == role::manager);
  CAF_CHECK_EQUAL(got->context->who->request_id, "req-1");
  CAF_CHECK_EQUAL(got->context->who->parent_trace, "parent-1");
  CAF_CHECK(got->context->deadline == there + 2s);
  CAF_REQUIRE(got->body.as<append_events>());
  CAF_CHECK_EQUAL(got->body.as<append_events>()->lines, "{}");
}

CAF_TEST(a reply carries its error and a deadline that has passed leaves no time) {
  envelope e;
  e.kind = envelope_kind::reply;
  e.token = 9;
  e.problem = error{error_code::conflict, "No.", "/version"};
  e.context = request().context->with_deadline(now - 1s);
  const auto got = decode_envelope(encode_envelope(e, now), now);
  CAF_REQUIRE(got.has_value());
  CAF_REQUIRE(got->problem.has_value());
  CAF_CHECK(*got->problem == *e.problem);
  CAF_CHECK(got->context->deadline == now);
}

CAF_TEST(a message of a newer release is refused but its request can be answered) {
  auto text = encode_envelope(request(), now);
  const std::string name{append_events::wire_name};
  const auto at = text.find(name);
  CAF_REQUIRE(at != std::string::npos);
  text[at + name.size() - 1] = '2';
  envelope partial;
  const auto got = decode_envelope(text, now, &partial);
  CAF_REQUIRE(!got.has_value());
  CAF_CHECK(got.error().code == error_code::not_implemented);
  CAF_CHECK(partial.kind == envelope_kind::request);
  CAF_CHECK_EQUAL(partial.token, 7u);
}

CAF_TEST(fields that are not known are ignored) {
  const auto bytes = encode_envelope(request(), now);
  auto map = json::from_cbor(bytes);
  map["zz"] = "later";
  map["v"] = 2;
  std::string more;
  json::to_cbor(map, more);
  CAF_CHECK(decode_envelope(more, now).has_value());
}

CAF_TEST(garbage and damaged envelopes are refused) {
  const auto whole = encode_envelope(request(), now);
  for (std::size_t n = 0; n < whole.size(); ++n) CAF_CHECK(!decode_envelope(whole.substr(0, n), now).has_value());
  const auto seed = std::random_device{}();
  CAF_MESSAGE("seed " << seed);
  std::mt19937 chance{seed};
  for (int round = 0; round < 2'000; ++round) {
    auto damaged = whole;
    for (int i = 0; i < 3; ++i) damaged[chance() % damaged.size()] = static_cast<char>(chance());
    (void)decode_envelope(damaged, now); // neither throws nor crashes
  }
  CAF_CHECK(!decode_envelope(std::string(4'000'000, '\x81'), now).has_value());
  for (const auto* bad : {"", "x", "\xa0", "\xbf", "\x9f\xff"}) CAF_CHECK(!decode_envelope(bad, now).has_value());
}
