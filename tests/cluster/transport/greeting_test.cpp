#define CAF_SUITE greeting

#include "cluster/transport/greeting.hpp"
#include "cluster/transport/refusal_notes.hpp"
#include "cluster/transport/socket_address.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit;
using namespace tobit::cluster;
using namespace std::chrono_literals;

namespace {

hello of(const std::string& node, incarnation_no incarnation) {
  return {"c-1", node, incarnation, 1, 2, "build", 3, 4};
}

std::string judged(const hello& self, const hello& other, const certified* proof = nullptr) {
  const auto refusal = judge_hello(self, other, proof);
  return refusal ? refusal->reason : "";
}

} // namespace

CAF_TEST(every greeting is read as it was written) {
  const auto framed = encode_greeting(said_hello{of("a", 7), {9, "key"}});
  const std::array<unsigned char, 4> head{static_cast<unsigned char>(framed[0]), static_cast<unsigned char>(framed[1]),
                                          static_cast<unsigned char>(framed[2]), static_cast<unsigned char>(framed[3])};
  CAF_CHECK_EQUAL(greeting_size(head).value(), framed.size() - 4);
  const auto read = decode_greeting(std::string_view(framed).substr(4));
  CAF_REQUIRE(read.has_value());
  const auto& said = std::get<said_hello>(*read);
  CAF_CHECK_EQUAL(said.who.node, "a");
  CAF_CHECK_EQUAL(said.who.incarnation, 7);
  CAF_CHECK_EQUAL(said.who.version, 4);
  CAF_CHECK_EQUAL(said.link.to, 9);
  CAF_CHECK_EQUAL(said.link.key, "key");
  const auto refusal = decode_greeting(encode_greeting(refuse_peer{"wrong_cluster", "why"}).substr(4));
  CAF_CHECK_EQUAL(std::get<refuse_peer>(*refusal).sentence, "why");
  CAF_CHECK(std::holds_alternative<link_ready>(*decode_greeting(encode_greeting(link_ready{}).substr(4))));
}

CAF_TEST(what is no greeting is refused) {
  for (const std::string text : {"", "x", "[]", "1", "{}", R"({"message":"tobit.cluster.other.v1"})",
                                 R"({"message":7})", R"({"message":"tobit.cluster.hello.v1","body":[]})",
                                 R"({"message":"tobit.cluster.hello.v1","body":{"node":1}})",
                                 R"({"message":"tobit.cluster.hello.v1","body":{},"link":3})"})
    CAF_CHECK(!decode_greeting(text).has_value());
  CAF_CHECK(!greeting_size({0, 0, 0, 0}).has_value());
  CAF_CHECK(!greeting_size({0xff, 0xff, 0xff, 0xf0}).has_value());
  CAF_CHECK(!greeting_size({'G', 'E', 'T', ' '}).has_value());
  const auto tls = greeting_size({0x16, 0x03, 0x01, 0x02});
  CAF_CHECK(tls.error().message.find("TLS") != std::string::npos);
}

CAF_TEST(fields of a later release are ignored) {
  const auto read = decode_greeting(
      R"({"message":"tobit.cluster.hello.v1","body":{"node":"a","later":[1]},"link":{"to":1,"new":2},"more":{}})");
  CAF_REQUIRE(read.has_value());
  CAF_CHECK_EQUAL(std::get<said_hello>(*read).who.node, "a");
}

CAF_TEST(each mistake gets its own reason) {
  const auto self = of("a", 1);
  auto other = of("b", 2);
  CAF_CHECK_EQUAL(judged(self, other), "");
  const certified good{"c-1", "b", {}}, elsewhere{"c-2", "b", {}}, somebody{"c-1", "x", {}};
  CAF_CHECK_EQUAL(judged(self, other, &good), "");
  CAF_CHECK_EQUAL(judged(self, other, &elsewhere), "wrong_certificate");
  CAF_CHECK_EQUAL(judged(self, other, &somebody), "wrong_node");
  other.cluster_id = "c-2";
  CAF_CHECK_EQUAL(judged(self, other), "wrong_cluster");
  CAF_CHECK_EQUAL(judged(self, of("a", 2)), "wrong_node");
  CAF_CHECK_EQUAL(judged(self, of("", 2)), "wrong_node");
  other = of("b", 2);
  other.protocol_min = 3;
  other.protocol_max = 4;
  CAF_CHECK_EQUAL(judged(self, other), "protocol_incompatible");
  other.protocol_min = 2;
  CAF_CHECK_EQUAL(judged(self, other), "");
  other.protocol_min = 5; // upside down
  CAF_CHECK_EQUAL(judged(self, other), "protocol_incompatible");
}

CAF_TEST(what another node says is tamed for the log) {
  CAF_CHECK_EQUAL(tamed("a\nb\x1b[31m"), "a?b?[31m");
  CAF_CHECK(tamed(std::string(10'000, 'x')).size() < 500);
}

CAF_TEST(the same refusal is told once in a while and then with a count) {
  refusal_notes notes;
  const link_refusal refusal{"10.0.0.7:1", "b", "garbage", "Look."};
  steady_time now{1'000s};
  CAF_CHECK(notes.take(refusal, "10.0.0.7", now).has_value());
  for (int i = 0; i < 57; ++i) CAF_CHECK(!notes.take(refusal, "10.0.0.7", now + 1s).has_value());
  CAF_CHECK(notes.take({"10.0.0.7:2", "b", "too_slow", "Look."}, "10.0.0.7", now + 1s).has_value());
  const auto told = notes.take(refusal, "10.0.0.7", now + refusal_notes::pause);
  CAF_REQUIRE(told.has_value());
  CAF_CHECK(told->sentence.find("57") != std::string::npos);
}

CAF_TEST(thousands of hosts do not fill memory or the log) {
  refusal_notes notes;
  steady_time now{1'000s};
  std::size_t told = 0;
  for (int i = 0; i < 5'000; ++i)
    told += notes.take({"x", "", "garbage", "Look."}, std::to_string(i), now).has_value() ? 1 : 0;
  CAF_CHECK(told <= refusal_notes::remembered_max + 1);
}

CAF_TEST(addresses are numeric and have a port) {
  for (const std::string good : {"127.0.0.1:0", "10.1.2.3:65535", "[::1]:4370", "0.0.0.0:1"}) {
    const auto address = socket_address::parse(good);
    CAF_REQUIRE(address.has_value());
    CAF_CHECK_EQUAL(address->text(), good);
  }
  for (const std::string bad : {"", ":", "localhost:1", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:-1",
                                "::1:4370", "[::1]", "1.2.3.4:99999999999999999999", "1.2.3.4:x"})
    CAF_CHECK(!socket_address::parse(bad).has_value());
  CAF_CHECK(socket_address::parse("127.9.9.9:1")->loopback());
  CAF_CHECK(socket_address::parse("[::1]:1")->loopback());
  CAF_CHECK(!socket_address::parse("0.0.0.0:1")->loopback());
  CAF_CHECK(!socket_address::parse("10.0.0.1:1")->loopback());
}
