#!/usr/bin/env bash
# Runs the benchmarks against the release build. Called by `./dev bench`, which has built it.
set -euo pipefail
cd "$(dirname "$0")/../.."
exec python3 tests/bench/run.py "$@"
