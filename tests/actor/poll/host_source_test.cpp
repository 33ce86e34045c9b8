#define CAF_SUITE host_source

#include "actors/poll/host_source.hpp"

#include <caf/all.hpp>
#include <caf/test/unit_test.hpp>

#include <future>

using namespace tobit;
using namespace tobit::poll;
using namespace std::chrono_literals;

namespace {

struct fixture {
  manual_clock time; // outlives the actors that read it
  caf::actor_system_config config;
  caf::actor_system actors{config};

  result<metric_document> read(metric_source& source) {
    auto answer = std::make_shared<std::promise<result<metric_document>>>();
    auto arrived = answer->get_future();
    source.read({}, [answer](result<metric_document> document) { answer->set_value(std::move(document)); });
    CAF_REQUIRE(arrived.wait_for(30s) == std::future_status::ready);
    return arrived.get();
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(host_source_tests, fixture)

CAF_TEST(the figures of this machine are read at most once a second and shared) {
  const auto source = make_host_source(actors, time);
  const auto first = read(*source).value();
  CAF_CHECK((*first)["memory"]["total_bytes"].get<double>() > 0);
  CAF_CHECK(read(*source).value() == first);
  time.advance(999ms);
  CAF_CHECK(read(*source).value() == first);
  time.advance(1ms);
  const auto second = read(*source).value();
  CAF_CHECK(second != first);
  CAF_CHECK((*second)["network"]["rx_bytes_per_second"].is_number());
}

CAF_TEST(a machine without proc gives an error) {
  host_source_options nowhere;
  nowhere.proc = "/nonexistent";
  const auto source = make_host_source(actors, time, nowhere);
  CAF_CHECK(read(*source).error().code == error_code::external_service_error);
}

CAF_TEST_FIXTURE_SCOPE_END()
