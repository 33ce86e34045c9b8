#define CAF_SUITE metrics

#include "runtime/telemetry/metrics.hpp"

#include <caf/test/unit_test.hpp>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>
#include <thread>

using namespace tobit::telemetry;

namespace {

bool contains(const std::string& text, std::string_view line) { return text.find(line) != std::string::npos; }

} // namespace

CAF_TEST(the names and labels of the metrics are those that dashboards rely on) {
  std::string now;
  for (const auto& m : metric_table())
    now += std::string(m.name) + ' ' + std::string(m.type) + ' ' + std::string(m.labels) + '\n';
  if (std::getenv("TOBIT_TEST_UPDATE")) std::ofstream{TOBIT_METRIC_NAMES} << now;
  std::stringstream golden;
  golden << std::ifstream{TOBIT_METRIC_NAMES}.rdbuf();
  if (golden.str() != now)
    std::cerr << "metrics.def differs from " TOBIT_METRIC_NAMES "; if that is intended, run this test once with "
                 "TOBIT_TEST_UPDATE=1 and review the difference\n";
  CAF_CHECK_EQUAL(golden.str(), now);
}

CAF_TEST(every name is unique and follows the conventions of Prometheus) {
  std::set<std::string_view> names;
  for (const auto& m : metric_table()) {
    CAF_CHECK(names.insert(m.name).second);
    CAF_CHECK(m.name.starts_with("tobit_"));
    CAF_CHECK_EQUAL(m.type == "counter", m.name.ends_with("_total"));
    CAF_CHECK_EQUAL(m.type == "histogram", m.name.ends_with("_seconds"));
    CAF_CHECK(m.help.ends_with("."));
  }
}

CAF_TEST(what was counted and measured is on the page) {
  metrics figures;
  figures.count(metric::http_requests, {"GET", "/x", "200"});
  figures.count(metric::http_requests, {"GET", "/x", "200"}, 2);
  figures.count(metric::http_requests, {"GET", "/x", "500"});
  figures.set(metric::http_connections, 7);
  figures.count(metric::http_connections, {}, -2);
  figures.observe(metric::http_duration, 0.003, {"/x"});
  const auto page = figures.expose();
  CAF_CHECK(contains(page, "tobit_http_requests_total{method=\"GET\",route=\"/x\",status=\"200\"} 3"));
  CAF_CHECK(contains(page, "tobit_http_connections 5"));
  CAF_CHECK(contains(page, "tobit_http_request_duration_seconds_bucket{route=\"/x\",le=\"0.0025\"} 0"));
  CAF_CHECK(contains(page, "tobit_http_request_duration_seconds_bucket{route=\"/x\",le=\"0.005\"} 1"));
  CAF_CHECK(contains(page, "# HELP tobit_storage_units_total Units of work committed."));
  CAF_CHECK(contains(page, "tobit_storage_units_total 0"));
  CAF_CHECK_EQUAL(figures.total(metric::http_requests), 4.0);
}

CAF_TEST(a call that does not fit the metric changes nothing) {
  metrics figures;
  figures.observe(metric::http_connections, 1);
  figures.set(metric::events_ingested, 5, {"accepted"});
  figures.count(metric::events_ingested, {"accepted"}, -5);
  figures.count(metric::tick_delay);
  CAF_CHECK_EQUAL(figures.total(metric::http_connections), 0.0);
  CAF_CHECK_EQUAL(figures.total(metric::events_ingested), 0.0);
}

CAF_TEST(too few and too many label values are taken as empty and ignored) {
  metrics figures;
  figures.count(metric::outbox_effects, {"webhook"});
  figures.count(metric::outbox_effects, {"webhook", ""});
  figures.count(metric::outbox_effects, {"webhook", "", "surplus"});
  CAF_CHECK(contains(figures.expose(), "tobit_outbox_effects_total{effect=\"webhook\",outcome=\"\"} 3"));
}

CAF_TEST(label values without bound end up under other) {
  metrics figures;
  const std::string hostile = "a\"\\\n";
  figures.count(metric::polls, {hostile});
  for (std::size_t i = 0; i < series_max + 500; ++i) figures.count(metric::polls, {std::to_string(i)});
  CAF_CHECK(contains(figures.expose(), "tobit_polls_total{outcome=\"other\"} 501"));
  CAF_CHECK(contains(figures.expose(), R"(tobit_polls_total{outcome="a\"\\\n"} 1)"));
  CAF_CHECK_EQUAL(figures.total(metric::polls), static_cast<double>(series_max) + 501);
}

CAF_TEST(threads that count at the same time lose nothing) {
  metrics figures;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&] {
      for (int i = 0; i < 10'000; ++i) figures.count(metric::ticks, {i % 2 ? "fired" : "skipped"});
    });
  for (auto& thread : threads) thread.join();
  CAF_CHECK_EQUAL(figures.total(metric::ticks), 40'000.0);
}

CAF_TEST(the reference lists every metric and is up to date) {
  const auto page = metrics_reference();
  if (std::getenv("TOBIT_TEST_UPDATE")) std::ofstream{TOBIT_METRIC_REFERENCE} << page;
  std::stringstream kept;
  kept << std::ifstream{TOBIT_METRIC_REFERENCE}.rdbuf();
  if (kept.str() != page) CAF_MESSAGE("run this test with TOBIT_TEST_UPDATE=1 and commit docs/reference/metrics.md");
  CAF_CHECK(kept.str() == page);
  for (const auto& m : metric_table()) CAF_CHECK(contains(page, "| `" + std::string(m.name) + "` |"));
}
