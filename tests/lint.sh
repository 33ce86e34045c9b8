#!/usr/bin/env bash
# What a reviewer should not have to look for. Prints every finding; exit code 1 if there is one.
set -uo pipefail
cd "$(dirname "$0")/.."
findings=$(mktemp)
trap 'rm -f "$findings"' EXIT
report() { # title; findings on stdin
  local rows; rows=$(cat)
  [ -z "$rows" ] && return
  printf '\n%s\n%s\n' "$1" "$rows" | tee -a "$findings"
}
sources() { git ls-files -co --exclude-standard "$@" | grep -v '^build/'; }
includes() { # folder pattern...: lines of the folder that include a forbidden header
  local folder=$1; shift
  grep -rnE "^[[:space:]]*#[[:space:]]*include[[:space:]]*[\"<]($1)" "$folder" --include='*.hpp' --include='*.cpp' 2>/dev/null
}

sources '*.hpp' '*.cpp' | xargs -r clang-format-14 --dry-run 2>&1 | grep 'warning: code should be clang-formatted' |
  sed 's/: warning.*//' | cut -d: -f1 | sort | uniq -c | report "Not formatted (run ./dev format):"

# The floors: schemas -> config, runtime -> cluster, actors, http -> node.
{ includes schemas '(config|runtime|cluster|actors|http|node)/'
  includes config '(runtime|cluster|actors|http|node)/'
  includes runtime '(config|cluster|actors|http|node)/'
  includes cluster '(config|actors|http|node)/'
  includes actors '(cluster|http|node)/'
  includes http '(cluster|actors|node)/'; } | report "Includes against the floors of docs/architecture.md:"

{ for room in config http; do includes $room 'caf/'; done
  for room in schemas config cluster actors http node; do includes $room 'pqxx|sqlite3'; done
  for room in schemas config runtime cluster actors node; do includes $room 'httplib'; done
  for room in schemas config cluster actors http node; do includes $room 'curl/'; done; } |
  report "Libraries outside the room that wraps them:"

sources '*.hpp' '*.cpp' | xargs -r grep -nE '\b(TODO|FIXME|XXX|HACK)\b' | grep -v 'XXH' | report "Unfinished business in the code:"
sources '*.hpp' '*.cpp' | grep -E '(^|[/_])(manager|helper|helpers|util|utils|common|misc|base|impl)\.(hpp|cpp)$' | report "File names that say nothing:"
sources 'actors/*.hpp' 'actors/*.cpp' 'http/routes/*.cpp' | xargs -r grep -nE 'sleep_for|sleep_until|usleep\(|std::mutex|std::thread' |
  report "Locks, threads or sleeps where only actors and handlers belong:"
sources '*.hpp' | grep -v '^tests/' | while read -r file; do grep -q '#pragma once' "$file" || echo "$file"; done | report "Headers without #pragma once:"
for folder in actors runtime http schemas config cluster tests node console cmake docs; do
  [ -d $folder ] || continue
  [ -f $folder/README.md ] || { echo "$folder/README.md is missing"; continue; }
  lines=$(wc -l < $folder/README.md); [ "$lines" -le 40 ] || echo "$folder/README.md has $lines lines (at most 40)"
done | report "Folder READMEs:"
sources '*.hpp' '*.cpp' | grep -v '^tests/' | xargs -r wc -l | awk '$2 != "total" && $1 > 600 { print $1, $2 }' | report "Files longer than 600 lines hide a second idea:"
sources '*.sh' 'dev' | xargs -r -n1 bash -n 2>&1 | report "Shell syntax:"

if [ "${1:-}" = --tidy ] && [ -f build/dev/compile_commands.json ]; then
  sources '*.cpp' | grep -v '^tests/' | xargs -r -P "$(nproc)" -n4 clang-tidy-14 -p build/dev --quiet 2>/dev/null |
    grep -E 'warning:|error:' | sort -u | report "clang-tidy:"
fi

[ -s "$findings" ] && exit 1
echo "lint: clean"
