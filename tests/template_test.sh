#!/usr/bin/env bash
# The flott command runs where it is installed; examples/template builds outside of the tree against an installed Flott,
# and counts right. FLOTT_BUILD is the build folder to install from; run_tests.py sets it.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cmake --install "$FLOTT_BUILD" --prefix "$folder/installed" >/dev/null
"$folder/installed/bin/flott" state --help | grep -q '^Usage: flott state' || { echo "the flott command does not run"; exit 1; }
cp -r examples/template "$folder/template"
cmake -S "$folder/template" -B "$folder/template/build" -G Ninja -DCMAKE_PREFIX_PATH="$folder/installed" >/dev/null
time cmake --build "$folder/template/build"

"$folder/template/build/wordcount" >"$folder/output"
cat "$folder/output"
# What print() wraps a record in is up to print(): all this asks for is each word with its last count.
for expected in to:2 be:2 or:1 not:1 that:1 is:1 the:1 question:1; do
  grep "\b${expected%:*}\b" "$folder/output" | tail -n 1 | grep -q "\b${expected#*:}\b" ||
    { echo "the last count of '${expected%:*}' is not ${expected#*:}"; exit 1; }
done
[ "$(wc -l <"$folder/output")" -eq 10 ] || { echo "expected 10 lines, one for each word read"; exit 1; }
