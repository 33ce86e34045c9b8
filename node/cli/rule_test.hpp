#pragma once

#include "actors/rehearsal/file_test/test_run.hpp"
#include "node/cli/commands.hpp"

#include <string>
#include <vector>

namespace tobit::cli {

struct rule_test_options {
  std::vector<std::string> files;
  std::string junit; ///< file for JUnit XML; empty: none
  std::string only;  ///< run tests whose name holds this text
};

/// One file and how its tests went.
struct tested_file {
  std::string file;
  std::vector<rehearsal::test_outcome> tests;
  std::vector<rehearsal::file_flaw> flaws; ///< the file, or a test of it, could not be run
  double seconds = 0;
};

/// Runs test files in this process, without a node. Exit codes: ok, refused (an expectation was not met), usage (a file
/// cannot be read, or holds no test that was asked for).
int test_rules(const command_line& line, const rule_test_options& options);

/// The same results for machines: {files, passed, failed}, and the XML that CI systems read
/// (https://github.com/testmoapp/junitxml).
json to_json(const std::vector<tested_file>& files);
std::string to_junit(const std::vector<tested_file>& files);

} // namespace tobit::cli
