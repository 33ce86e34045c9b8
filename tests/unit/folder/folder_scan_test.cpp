#define CAF_SUITE folder_scan

#include "actors/folder/folder_scan.hpp"
#include "actors/folder/folder_watch.hpp"

#include <caf/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace tobit::folder;
namespace fs = std::filesystem;

namespace {

struct fixture {
  fs::path root;
  fixture() {
    char name[] = "/tmp/tobit-scan.XXXXXX";
    root = mkdtemp(name);
  }
  ~fixture() { fs::remove_all(root); }

  void write(const fs::path& path, const std::string& text) {
    fs::create_directories((root / path).parent_path());
    std::ofstream(root / path) << text;
  }
};

} // namespace

CAF_TEST_FIXTURE_SCOPE(folder_scan_tests, fixture)

CAF_TEST(definitions are found in every folder and other files are not ) {
  write("a.yaml", "a");
  write("deep/er/b.yml", "b");
  write("c.json", "c");
  write("notes.txt", "x");
  write(".hidden.yaml", "x");
  write("..2026/a.yaml", "x");
  const auto found = scan_folder(root);
  CAF_CHECK(found.error.empty());
  CAF_REQUIRE_EQUAL(found.files.size(), 3u);
  CAF_CHECK_EQUAL(found.files.at("deep/er/b.yml").text, "b");
  CAF_CHECK_EQUAL(found.folders.size(), 3u);
  CAF_CHECK_NOT_EQUAL(found.files.at("a.yaml").hash, found.files.at("c.json").hash);
}

CAF_TEST(links stay inside) {
  write("real/a.yaml", "a");
  fs::create_symlink("real/a.yaml", root / "link.yaml");
  fs::create_symlink("/etc/hostname", root / "out.yaml");
  fs::create_symlink("nowhere", root / "broken.yaml");
  fs::create_directory_symlink("..", root / "circle");
  fs::create_directory_symlink(".", root / "self");
  const auto found = scan_folder(root);
  CAF_CHECK(found.error.empty());
  CAF_CHECK_EQUAL(found.files.at("link.yaml").text, "a");
  CAF_CHECK(!found.files.at("out.yaml").error.empty());
  CAF_CHECK(!found.files.at("broken.yaml").error.empty());
  CAF_CHECK_EQUAL(found.files.size(), 4u);
}

CAF_TEST(limits are kept) {
  write("a.yaml", std::string(100, 'x'));
  write("b.yaml", "b");
  scan_limits limits;
  limits.file_bytes = 50;
  CAF_CHECK(!scan_folder(root, limits).files.at("a.yaml").error.empty());
  limits = {};
  limits.files = 1;
  CAF_CHECK(!scan_folder(root, limits).error.empty());
  limits = {};
  limits.all_bytes = 50;
  CAF_CHECK(!scan_folder(root, limits).error.empty());
  CAF_CHECK(!scan_folder(root / "missing").error.empty());
  CAF_CHECK(!scan_folder(root / "a.yaml").error.empty());
}

CAF_TEST(a change below a watched folder is noticed) {
  folder_watch watch;
  if (!watch.works()) return;
  write("deep/a.yaml", "a");
  watch.add(scan_folder(root).folders);
  CAF_CHECK(!watch.changed());
  write("deep/a.yaml", "b");
  CAF_CHECK(watch.changed());
  CAF_CHECK(!watch.changed());
  fs::rename(root / "deep" / "a.yaml", root / "deep" / "b.yaml");
  CAF_CHECK(watch.changed());
}

CAF_TEST_FIXTURE_SCOPE_END()
