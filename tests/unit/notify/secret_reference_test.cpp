#define CAF_SUITE secret_reference

#include "actors/notify/secret_reference.hpp"

#include <caf/test/dsl.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <unistd.h>

using namespace tobit;
using namespace tobit::notify;

namespace {

struct fixture {
  fixture() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tobit-secrets.XXXXXX").string();
    CAF_REQUIRE(mkdtemp(pattern.data()) != nullptr);
    top = pattern;
    std::filesystem::create_directories(top / "secrets");
    std::filesystem::create_directories(top / "secrets-old");
    allowed = {{"TOBIT_SECRET_"}, {(top / "secrets").string() + "/"}};
  }
  ~fixture() { std::filesystem::remove_all(top); }

  std::string write(const std::string& name, const std::string& text) {
    const auto path = top / name;
    std::ofstream(path, std::ios::binary) << text;
    return "file:" + path.string();
  }
  std::string why_not(const std::string& reference) {
    const auto read = resolve_secret(reference, allowed);
    return read ? "" : read.error().message;
  }

  std::filesystem::path top;
  secret_access allowed;
};

bool tells(const std::string& text, const char* part) { return text.find(part) != text.npos; }

} // namespace

CAF_TEST_FIXTURE_SCOPE(secret_reference, fixture)

CAF_TEST(a variable with the right prefix is read when it is needed) {
  CAF_CHECK(check_secret_reference("env:TOBIT_SECRET_T1", allowed).has_value());
  CAF_CHECK(tells(why_not("env:TOBIT_SECRET_T1"), "not set"));
  setenv("TOBIT_SECRET_T1", "xoxb-1\n", 1);
  const auto secret = resolve_secret("env:TOBIT_SECRET_T1", allowed);
  CAF_REQUIRE(secret.has_value());
  CAF_CHECK_EQUAL(*secret, "xoxb-1");
  unsetenv("TOBIT_SECRET_T1");
}

CAF_TEST(other variables of the program stay out of reach) {
  setenv("TOBIT_DATABASE_URL_T", "postgresql://u:p@h/d", 1);
  CAF_CHECK(tells(why_not("env:TOBIT_DATABASE_URL_T"), "secrets.env_prefixes"));
  CAF_CHECK(!tells(why_not("env:TOBIT_DATABASE_URL_T"), "postgresql"));
  CAF_CHECK(tells(why_not("env:"), "name"));
  CAF_CHECK(tells(why_not("env:TOBIT_SECRET_A B"), "name"));
  unsetenv("TOBIT_DATABASE_URL_T");
  CAF_CHECK(!check_secret_reference("env:ANY", {{""}, {}}).has_value());
}

CAF_TEST(a literal secret is refused without being repeated) {
  const auto refused = check_secret_reference("hunter2-very-secret", allowed);
  CAF_REQUIRE(!refused.has_value());
  CAF_CHECK(refused.error().code == error_code::validation_error);
  CAF_CHECK(!tells(refused.error().message, "hunter2"));
  CAF_CHECK(tells(refused.error().message, "env:NAME"));
}

CAF_TEST(a file below the folder is read without its last line break) {
  const auto secret = resolve_secret(write("secrets/mail", "pass word\r\n"), allowed);
  CAF_REQUIRE(secret.has_value());
  CAF_CHECK_EQUAL(*secret, "pass word");
}

CAF_TEST(files elsewhere are refused however the way is written) {
  const auto beside = write("secrets-old/mail", "x");
  CAF_CHECK(tells(why_not(beside), "secrets.folders"));
  CAF_CHECK(tells(why_not("file:" + (top / "secrets/../secrets-old/mail").string()), "without '..'"));
  CAF_CHECK(tells(why_not("file:secrets/mail"), "whole path"));
  std::filesystem::create_symlink(top / "secrets-old/mail", top / "secrets/link");
  CAF_CHECK(tells(why_not("file:" + (top / "secrets/link").string()), "leads out"));
}

CAF_TEST(a link inside the folder is followed as orchestrators make them) {
  std::filesystem::create_directories(top / "secrets/..data");
  write("secrets/..data/token", "t");
  std::filesystem::create_symlink("..data/token", top / "secrets/token");
  CAF_CHECK(resolve_secret("file:" + (top / "secrets/token").string(), allowed).value_or("") == "t");
}

CAF_TEST(what is no usable secret is refused with a reason) {
  CAF_CHECK(tells(why_not(write("secrets/empty", "\n")), "empty"));
  CAF_CHECK(tells(why_not(write("secrets/large", std::string(secret_bytes_max + 1, 'x'))), "64 KiB"));
  CAF_CHECK(tells(why_not(write("secrets/zero", std::string("a\0b", 3))), "zero byte"));
  CAF_CHECK(tells(why_not("file:" + (top / "secrets/none").string()), "no such file"));
  CAF_REQUIRE(mkfifo((top / "secrets/pipe").c_str(), 0600) == 0);
  CAF_CHECK(tells(why_not("file:" + (top / "secrets/pipe").string()), "plain file"));
  std::filesystem::create_directories(top / "secrets/folder");
  CAF_CHECK(tells(why_not("file:" + (top / "secrets/folder").string()), "plain file"));
}

CAF_TEST_FIXTURE_SCOPE_END()
