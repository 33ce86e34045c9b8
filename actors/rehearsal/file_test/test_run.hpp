#pragma once

#include "actors/rehearsal/file_test/test_document.hpp"
#include "runtime/entity/kind_registry.hpp"

#include <chrono>
#include <string>
#include <vector>

namespace tobit::rehearsal {

/// An expectation that was not met.
struct test_failure {
  std::string where;                 ///< of the expectation
  std::string at;                    ///< simulated time since the start, e.g. "10s"
  std::string expected, happened;    ///< sentences
  std::vector<std::string> timeline; ///< what happened around it, one line each, oldest first
};

/// How one test went.
struct test_outcome {
  std::string name, where;
  std::vector<test_failure> failures; ///< empty: passed. At most `failures_max`
  std::size_t expectations = 0, steps = 0;
  std::chrono::microseconds simulated{0};
  bool passed() const noexcept { return failures.empty(); }
};

inline constexpr std::size_t failures_max = 20;

/// Runs one test of the document in a fresh world. The flaw: a definition that its kind refuses, an event or a rule
/// name that is none; with its place in the file.
file_result<test_outcome> run_test(const test_document& document, const test_case& test,
                                   const entity::kind_registry& kinds);

} // namespace tobit::rehearsal
