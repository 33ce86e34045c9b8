#include "node/cli/rule_test.hpp"

#include "actors/rehearsal/kinds.hpp"
#include "node/cli/text_table.hpp"

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <ostream>

namespace tobit::cli {

namespace {

using rehearsal::file_flaw;
using rehearsal::test_failure;
using rehearsal::test_outcome;

struct tally {
  std::size_t passed = 0, failed = 0, flaws = 0;
  int code() const noexcept { return flaws > 0 ? usage : failed > 0 ? refused : ok; }
};

tally count(const std::vector<tested_file>& files) {
  tally out;
  for (const auto& file : files) {
    out.flaws += file.flaws.size();
    for (const auto& test : file.tests) ++(test.passed() ? out.passed : out.failed);
  }
  return out;
}

tested_file test_one(const std::string& path, const std::string& only, const entity::kind_registry& kinds) {
  tested_file out{path, {}, {}, 0};
  const auto begun = std::chrono::steady_clock::now();
  const auto document = rehearsal::read_test_file(path);
  if (!document) {
    out.flaws.push_back(document.error());
    return out;
  }
  for (const auto& test : document->tests) {
    if (test.name.find(only) == std::string::npos) continue;
    auto outcome = rehearsal::run_test(*document, test, kinds);
    if (outcome)
      out.tests.push_back(std::move(*outcome));
    else
      out.flaws.push_back(outcome.error());
  }
  out.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  return out;
}

void print_failure(std::ostream& to, const test_failure& failure) {
  to << "    " << printable(failure.where) << " at " << failure.at << '\n'
     << "      expected: " << printable(failure.expected) << '\n'
     << "      happened: " << printable(failure.happened) << '\n';
  if (failure.timeline.empty()) return;
  to << "      timeline:\n";
  for (const auto& one : failure.timeline) to << "        " << printable(one) << '\n';
}

void print(std::ostream& to, const std::vector<tested_file>& files) {
  for (const auto& file : files) {
    to << printable(file.file) << '\n';
    for (const auto& test : file.tests) {
      to << (test.passed() ? "  ok    " : "  FAIL  ") << printable(test.name) << '\n';
      for (const auto& failure : test.failures) print_failure(to, failure);
    }
    for (const auto& flaw : file.flaws)
      to << "  ERROR " << printable(flaw.where) << ": " << printable(flaw.message) << '\n';
  }
  const auto all = count(files);
  to << all.passed << " passed, " << all.failed << " failed";
  if (all.flaws > 0) to << ", " << all.flaws << " could not be run";
  to << '\n';
}

std::string xml(std::string_view text) {
  std::string out;
  for (const char c : text) switch (c) {
    case '&':
      out += "&amp;";
      break;
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '"':
      out += "&quot;";
      break;
    case '\n':
      out += "&#10;";
      break;
    default:
      out += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    }
  return out;
}

std::string in_words(const test_failure& failure) {
  std::string out = failure.where + " at " + failure.at + "\nexpected: " + failure.expected +
                    "\nhappened: " + failure.happened + "\ntimeline:";
  for (const auto& one : failure.timeline) out += "\n  " + one;
  return out;
}

std::string seconds(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.3f", value);
  return text.data();
}

bool write_file(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  return static_cast<bool>(out.flush());
}

} // namespace

json to_json(const std::vector<tested_file>& files) {
  auto list = json::array();
  for (const auto& file : files) {
    auto tests = json::array(), errors = json::array();
    for (const auto& test : file.tests) {
      auto failures = json::array();
      for (const auto& f : test.failures)
        failures.push_back({{"where", f.where},
                            {"at", f.at},
                            {"expected", f.expected},
                            {"happened", f.happened},
                            {"timeline", f.timeline}});
      tests.push_back({{"name", test.name},
                       {"where", test.where},
                       {"passed", test.passed()},
                       {"expectations", test.expectations},
                       {"failures", std::move(failures)}});
    }
    for (const auto& flaw : file.flaws) errors.push_back({{"where", flaw.where}, {"message", flaw.message}});
    list.push_back({{"file", file.file}, {"tests", std::move(tests)}, {"errors", std::move(errors)}});
  }
  const auto all = count(files);
  return {{"files", std::move(list)}, {"passed", all.passed}, {"failed", all.failed}, {"errors", all.flaws}};
}

std::string to_junit(const std::vector<tested_file>& files) {
  const auto all = count(files);
  std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tobit rule test\" tests=\"" +
                    std::to_string(all.passed + all.failed + all.flaws) + "\" failures=\"" +
                    std::to_string(all.failed) + "\" errors=\"" + std::to_string(all.flaws) + "\">\n";
  for (const auto& file : files) {
    const auto own = count({file});
    out += "  <testsuite name=\"" + xml(file.file) + "\" tests=\"" +
           std::to_string(own.passed + own.failed + own.flaws) + "\" failures=\"" + std::to_string(own.failed) +
           "\" errors=\"" + std::to_string(own.flaws) + "\" time=\"" + seconds(file.seconds) + "\">\n";
    for (const auto& test : file.tests) {
      out += "    <testcase classname=\"" + xml(file.file) + "\" name=\"" + xml(test.name) + "\"";
      if (test.passed()) {
        out += "/>\n";
        continue;
      }
      out += ">\n";
      for (const auto& failure : test.failures)
        out += "      <failure message=\"" + xml("expected " + failure.expected + ", but " + failure.happened) + "\">" +
               xml(in_words(failure)) + "</failure>\n";
      out += "    </testcase>\n";
    }
    for (const auto& flaw : file.flaws)
      out += "    <testcase classname=\"" + xml(file.file) + "\" name=\"" + xml(flaw.where) +
             "\">\n      <error message=\"" + xml(flaw.message) + "\"/>\n    </testcase>\n";
    out += "  </testsuite>\n";
  }
  return out + "</testsuites>\n";
}

int test_rules(const command_line& line, const rule_test_options& options) {
  const rehearsal::rehearsal_kinds kinds;
  std::vector<tested_file> files;
  std::size_t tests = 0;
  for (const auto& path : options.files) {
    files.push_back(test_one(path, options.only, kinds.table()));
    tests += files.back().tests.size() + files.back().flaws.size();
  }
  if (tests == 0) return complain(line, "No test's name holds '" + options.only + "'.");
  if (line.node->json)
    *line.around.out << to_text(to_json(files)) << '\n';
  else
    print(*line.around.out, files);
  if (!options.junit.empty() && !write_file(options.junit, to_junit(files)))
    return complain(line, options.junit + " cannot be written: " + std::strerror(errno) + ".");
  return count(files).code();
}

} // namespace tobit::cli
