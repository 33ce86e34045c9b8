#define CAF_SUITE line_writer

#include "runtime/telemetry/line_writer.hpp"

#include <caf/test/unit_test.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace tobit;
using namespace tobit::telemetry;

namespace {

struct folder {
  std::filesystem::path path;
  folder() {
    std::string name = (std::filesystem::temp_directory_path() / "tobit-lines-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~folder() { std::filesystem::remove_all(path); }
  std::string file(const char* name) const { return (path / name).string(); }
};

std::string content(const std::string& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

} // namespace

CAF_TEST(lines come out whole and in order whatever their level) {
  const folder place;
  {
    auto writer = line_writer::open({false, place.file("a.log"), {}, 1u << 20, {}});
    CAF_REQUIRE(writer.has_value());
    CAF_CHECK((*writer)->add(log_level::info, "one"));
    CAF_CHECK((*writer)->add(log_level::error, "two"));
    CAF_CHECK((*writer)->add(log_level::error, ""));
    CAF_CHECK((*writer)->add(log_level::info, "three"));
  }
  CAF_CHECK_EQUAL(content(place.file("a.log")), "one\ntwo\n\nthree\n");
}

CAF_TEST(a full file is rotated and only the wanted number of old ones stays) {
  const folder place;
  for (int round = 0; round < 6; ++round) {
    auto writer = line_writer::open({false, place.file("a.log"), {1'000, 2}, 1u << 20, {}});
    CAF_REQUIRE(writer.has_value());
    (*writer)->add(log_level::info, std::string(900, static_cast<char>('a' + round)));
  }
  CAF_CHECK_EQUAL(content(place.file("a.log")).substr(0, 1), "f");
  CAF_CHECK_EQUAL(content(place.file("a.1.log")).substr(0, 1), "e");
  CAF_CHECK_EQUAL(content(place.file("a.2.log")).substr(0, 1), "d");
  CAF_CHECK(!std::filesystem::exists(place.file("a.3.log")));
}

CAF_TEST(beyond the bound lines are refused and counted) {
  const folder place;
  auto writer = line_writer::open({false, place.file("a.log"), {}, 10, {}});
  CAF_REQUIRE(writer.has_value());
  CAF_CHECK(!(*writer)->add(log_level::info, "longer than ten bytes"));
  CAF_CHECK_EQUAL((*writer)->dropped(), 1u);
}

CAF_TEST(a file that cannot be written is refused with its name) {
  const folder place;
  const auto blocked = place.file("a.log") + "/b.log"; // a file stands where a folder is needed
  std::ofstream(place.file("a.log")) << "x";
  const auto writer = line_writer::open({false, blocked, {}, 10, {}});
  CAF_REQUIRE(!writer.has_value());
  CAF_CHECK(writer.error().code == error_code::configuration_error);
  CAF_CHECK_NOT_EQUAL(writer.error().message.find(blocked), std::string::npos);
}
