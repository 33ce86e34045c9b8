#define CAF_SUITE host_document

#include "actors/poll/host/host_document.hpp"
#include "actors/poll/host/host_reader.hpp"

#include <caf/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <stdlib.h>

using namespace tobit;
using namespace tobit::poll::host;
using namespace std::chrono_literals;

namespace {

host_sample sample_at(steady_time t) {
  host_sample s;
  s.taken_at = t;
  s.host = "box";
  s.kernel.cpu = {1'000, 500, 8'000, 100, 0};
  s.kernel.cores = 2;
  s.kernel.running = 3;
  s.load = {1.5, 1, 0.5};
  s.memory = {1'000, 250, 100, 75};
  s.disks = {{"/", 1'000, 600, 200, 100, 90}, {"/data", 500, 50, 450, 0, 0}};
  s.interfaces = {{"lo", 5'000, 5'000}, {"eth0", 1'000, 2'000}};
  s.processes = {{1, "init", 'S', 50, 1, 10}, {7, "tobit", 'R', 400, 9, 100}};
  s.uptime_seconds = 99.5;
  return s;
}

const steady_time start{1h};

} // namespace

CAF_TEST(shares and rates are over the time between two samples) {
  const auto before = sample_at(start);
  auto now = sample_at(start + 2s);
  now.kernel.cpu = {1'100, 550, 8'200, 120, 30}; // 400 ticks: 100 user, 50 system, 200 idle, 20 iowait, 30 stolen
  now.interfaces = {{"lo", 9'000, 9'000}, {"eth0", 3'000, 2'500}, {"new0", 77, 77}};
  now.processes = {{1, "init", 'S', 50, 1, 10}, {7, "tobit", 'R', 500, 9, 100}, {8, "young", 'R', 20, 500, 1}};
  const auto out = host_document(now, &before, {100, 4'096});
  CAF_CHECK_EQUAL(out["cpu"]["percent"].get<double>(), 45.0);
  CAF_CHECK_EQUAL(out["cpu"]["user"].get<double>(), 25.0);
  CAF_CHECK_EQUAL(out["cpu"]["system"].get<double>(), 12.5);
  CAF_CHECK_EQUAL(out["cpu"]["iowait"].get<double>(), 5.0);
  CAF_CHECK_EQUAL(out["cpu"]["steal"].get<double>(), 7.5);
  CAF_CHECK_EQUAL(out["network"]["rx_bytes_per_second"].get<double>(), 1'000.0);
  CAF_CHECK_EQUAL(out["network"]["interfaces"]["eth0"]["tx_bytes_per_second"].get<double>(), 250.0);
  CAF_CHECK(out["network"]["interfaces"]["new0"]["rx_bytes_per_second"].is_null());
  CAF_CHECK_EQUAL(out["processes"]["top_cpu"][0]["name"].get<std::string>(), "tobit");
  CAF_CHECK_EQUAL(out["processes"]["top_cpu"][0]["cpu_percent"].get<double>(), 50.0);
  CAF_CHECK_EQUAL(out["processes"]["top_cpu"][1]["cpu_percent"].get<double>(), 10.0);
}

CAF_TEST(amounts need one sample and what needs two is null) {
  const auto out = host_document(sample_at(start), nullptr, {100, 4'096});
  CAF_CHECK(out["cpu"]["percent"].is_null());
  CAF_CHECK(out["network"]["rx_bytes_per_second"].is_null());
  CAF_CHECK_EQUAL(out["memory"]["used_percent"].get<double>(), 75.0);
  CAF_CHECK_EQUAL(out["memory"]["swap_used_percent"].get<double>(), 25.0);
  CAF_CHECK_EQUAL(out["disk"]["/"]["used_percent"].get<double>(), 75.0);
  CAF_CHECK_EQUAL(out["disk"]["/"]["inodes_used_percent"].get<double>(), 10.0);
  CAF_CHECK_EQUAL(out["disk"]["/data"]["inodes_used_percent"].get<double>(), 0.0);
  CAF_CHECK_EQUAL(out["disk"]["max_used_percent"].get<double>(), 75.0);
  CAF_CHECK_EQUAL(out["load"]["1"].get<double>(), 1.5);
  CAF_CHECK_EQUAL(out["processes"]["count"].get<int>(), 2);
  CAF_CHECK_EQUAL(out["processes"]["running"].get<int>(), 3);
  CAF_CHECK_EQUAL(out["processes"]["top_memory"][0]["rss_bytes"].get<int>(), 409'600);
  CAF_CHECK_EQUAL(out["host"].get<std::string>(), "box");
}

CAF_TEST(counters that begin anew and pids that are used again give no nonsense) {
  const auto before = sample_at(start);
  auto now = sample_at(start + 1s);
  now.interfaces = {{"eth0", 10, 10}};
  now.processes = {{7, "other", 'R', 30, 5'000, 1}};
  now.kernel.cpu = {1'000, 500, 8'000, 100, 0};
  const auto out = host_document(now, &before, {100, 4'096});
  CAF_CHECK_EQUAL(out["network"]["rx_bytes_per_second"].get<double>(), 0.0);
  CAF_CHECK_EQUAL(out["processes"]["top_cpu"][0]["cpu_percent"].get<double>(), 30.0);
  CAF_CHECK(out["cpu"]["percent"].is_null()); // no tick passed
}

CAF_TEST(this machine can be read) {
  const auto first = read_host("/proc", start);
  CAF_REQUIRE(first.has_value());
  const auto second = read_host("/proc", start + 1s).value();
  const auto out = host_document(second, &*first, units_of_this_machine());
  CAF_MESSAGE(to_text(out).substr(0, 400));
  CAF_CHECK(out["memory"]["total_bytes"].get<double>() > 0);
  CAF_CHECK(out["processes"]["count"].get<int>() > 0);
  CAF_CHECK(out["uptime_seconds"].get<double>() > 0);
}

CAF_TEST(a machine without proc is an error and not a crash) {
  std::string folder = "/tmp/tobit-proc.XXXXXX";
  CAF_REQUIRE(::mkdtemp(folder.data()) != nullptr);
  CAF_CHECK(read_host(folder, start).error().code == error_code::external_service_error);
  for (auto name : {"stat", "loadavg", "meminfo", "uptime"}) std::ofstream(folder + "/" + name) << "nonsense\n";
  CAF_CHECK(read_host(folder, start).error().code == error_code::external_service_error);
  std::filesystem::remove_all(folder);
}
