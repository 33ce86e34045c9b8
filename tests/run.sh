#!/usr/bin/env bash
# Builds and runs the tests. Called by `./dev test`, which has installed what is needed.
set -euo pipefail
cd "$(dirname "$0")/.."
preset=dev dir=build/dev ctest_args=()
while [ $# -gt 0 ]; do
  case $1 in
    --ci) preset=ci ;;
    --asan) preset=asan dir=build/asan ;;
    --layer) ctest_args+=(-L "$2"); shift ;;
    -R) ctest_args+=(-R "$2"); shift ;;
    *) echo "test: unknown option '$1' (known: --ci --asan --layer NAME -R REGEX)" >&2; exit 2 ;;
  esac
  shift
done
jobs="${TOBIT_JOBS:-$(nproc)}"
cmake --preset "$preset" >/dev/null || cmake --preset "$preset"
cmake --build "$dir" -j "$jobs"
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0}" UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export LSAN_OPTIONS="${LSAN_OPTIONS:-suppressions=$PWD/tests/lsan.supp:print_suppressions=0}"
exec tests/postgres.sh ctest --test-dir "$dir" -j "$jobs" --output-on-failure --no-tests=error "${ctest_args[@]}"
