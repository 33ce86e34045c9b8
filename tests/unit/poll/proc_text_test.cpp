#define CAF_SUITE proc_text

#include "actors/poll/host/proc_text.hpp"

#include <caf/test/unit_test.hpp>

using namespace tobit::poll::host;

CAF_TEST(the counters of the kernel are summed into what people ask for) {
  const auto stat = parse_stat("cpu  100 20 30 4000 50 6 7 8 9 10\n"
                               "cpu0 50 10 15 2000 25 3 3 4 4 5\n"
                               "cpu1 50 10 15 2000 25 3 4 4 5 5\n"
                               "intr 33 0 1\nctxt 99\nprocesses 1234\nprocs_running 3\nprocs_blocked 0\n");
  CAF_REQUIRE(stat.has_value());
  CAF_CHECK_EQUAL(stat->cpu.user, 120u);
  CAF_CHECK_EQUAL(stat->cpu.system, 43u);
  CAF_CHECK_EQUAL(stat->cpu.idle, 4000u);
  CAF_CHECK_EQUAL(stat->cpu.iowait, 50u);
  CAF_CHECK_EQUAL(stat->cpu.steal, 8u);
  CAF_CHECK_EQUAL(stat->cores, 2u);
  CAF_CHECK_EQUAL(stat->running, 3u);
}

CAF_TEST(memory is in bytes) {
  const auto memory =
      parse_meminfo("MemTotal:       24684092 kB\nMemFree:        16286396 kB\n"
                    "MemAvailable:   22400628 kB\nSwapTotal:       1000 kB\nSwapFree:         250 kB\n");
  CAF_REQUIRE(memory.has_value());
  CAF_CHECK_EQUAL(memory->total, 24684092u * 1024ull);
  CAF_CHECK_EQUAL(memory->available, 22400628u * 1024ull);
  CAF_CHECK_EQUAL(memory->swap_total - memory->swap_free, 750u * 1024);
}

CAF_TEST(load and uptime are read) {
  const auto load = parse_loadavg("10.87 9.99 7.25 7/144 28748\n");
  CAF_REQUIRE(load.has_value());
  CAF_CHECK_EQUAL(load->one, 10.87);
  CAF_CHECK_EQUAL(load->fifteen, 7.25);
  CAF_CHECK_EQUAL(parse_uptime("3821.66 4232.49\n").value_or(0), 3821.66);
}

CAF_TEST(network interfaces are read with and without a blank after the colon) {
  const auto cards = parse_net_dev(
      "Inter-|   Receive                                                |  Transmit\n"
      " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
      "compressed\n"
      "    lo: 695639341 1221546    0    0    0     0          0         0 695639341 1221546    0    0    0     0      "
      " 0   0\n"
      "  eth0:63311213    1726    0    0    0     0          0         0    75811     903    0    0    0     0       0 "
      "  0\n");
  CAF_REQUIRE_EQUAL(cards.size(), 2u);
  CAF_CHECK_EQUAL(cards[1].name, "eth0");
  CAF_CHECK_EQUAL(cards[1].received, 63311213u);
  CAF_CHECK_EQUAL(cards[1].sent, 75811u);
}

CAF_TEST(only file systems on disks of this machine count and each once) {
  const auto mounts = parse_mounts("proc /proc proc rw 0 0\n/dev/vda / ext4 rw 0 0\n/dev/vda /bind ext4 rw 0 0\n"
                                   "/dev/loop3 /snap/core squashfs ro 0 0\nserver:/home /home nfs4 rw 0 0\n"
                                   "tmpfs /run tmpfs rw 0 0\n/dev/sdb1 /mnt/my\\040disk xfs rw 0 0\n"
                                   "tank/data /tank zfs rw 0 0\nbroken\n");
  CAF_REQUIRE_EQUAL(mounts.size(), 3u);
  CAF_CHECK_EQUAL(mounts[0].path, "/");
  CAF_CHECK_EQUAL(mounts[1].path, "/mnt/my disk");
  CAF_CHECK_EQUAL(mounts[2].path, "/tank");
}

CAF_TEST(a process is read even if its name is made to confuse) {
  const auto process = parse_process(
      "28754 (a) R (b c) S 28742 28742 10638 0 -1 4194304 100 0 0 0 11 31 0 0 20 0 1 0 382165 3133440 413 "
      "18446744073709551615 94353323499520 94353323519401 140721221074352 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0\n");
  CAF_REQUIRE(process.has_value());
  CAF_CHECK_EQUAL(process->pid, 28754);
  CAF_CHECK_EQUAL(process->name, "a) R (b c");
  CAF_CHECK_EQUAL(process->state, 'S');
  CAF_CHECK_EQUAL(process->ticks, 42u);
  CAF_CHECK_EQUAL(process->started_at, 382165u);
  CAF_CHECK_EQUAL(process->rss_pages, 413u);
}

CAF_TEST(what cannot be understood gives nothing) {
  for (auto text : {"", "\n", "cpu", "cpu  1 2 3", "hello", "cpu a b c d e f g h"})
    CAF_CHECK(!parse_stat(text).has_value());
  for (auto text : {"", "1 2", "a b c"}) CAF_CHECK(!parse_loadavg(text).has_value());
  for (auto text : {"", "MemTotal: 5 kB\n", "MemAvailable: 1 kB\n"}) CAF_CHECK(!parse_meminfo(text).has_value());
  for (auto text : {"", "1 (x", "1 x) S", "(x) S 1", "x (y) S 1", "1 (x) S", "1 (x) S 1 2 3 4"})
    CAF_CHECK(!parse_process(text).has_value());
  CAF_CHECK(parse_net_dev("garbage\nmore: garbage\n").empty());
  CAF_CHECK(parse_mounts("\n\n\n").empty());
  CAF_CHECK(!parse_uptime("soon").has_value());
}
