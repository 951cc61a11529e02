#!/usr/bin/env bash
# A job that is killed, goes on, is stopped, upgraded with a new field, put on another backend, rescaled from 2 to 5
# to 3, and killed again: in the end every order is counted once. `make demo-recovery`; as a test with small numbers:
#
#   demo_recovery.sh BUILD [COUNT RATE SECONDS]     orders in all, a second, and seconds of each run
set -euo pipefail
export LC_ALL=C

build=$1
count=${2:-400000}
rate=${3:-20000}
seconds=${4:-4}

folder=$(mktemp -d)
running=
trap 'kill -9 $running 2>/dev/null || true; rm -rf "$folder"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

# orders VERSION PARALLELISM FROM [ARGUMENT…]; FROM is a checkpoint or savepoint, or empty.
orders() {
  local version=$1 parallelism=$2 from=$3
  shift 3
  exec "$build/examples/orders_v$version" --out "$folder/out" --count "$count" --rate "$rate" \
    -D parallelism.default="$parallelism" \
    -D execution.checkpointing.interval=500ms \
    -D execution.checkpointing.dir="$folder/checkpoints" \
    -D execution.checkpointing.savepoint-dir="$folder/savepoints" \
    ${from:+-D "execution.state-recovery.path=$from"} "$@"
}

# The newest complete checkpoint of all runs.
newest() { find "$folder/checkpoints" -name _metadata -printf '%T@ %h\n' | sort -n | tail -1 | cut -d' ' -f2; }

# Starts a run, waits until a checkpoint that it made is complete, and kills it `seconds` after its start.
run_and_kill() {
  local before
  before=$(mkdir -p "$folder/checkpoints" && newest)
  orders "$@" &
  running=$!
  local until=$((SECONDS + seconds))
  while [ "$SECONDS" -lt "$until" ] || [ "$(newest)" = "$before" ]; do
    if ! kill -0 $running 2>/dev/null; then echo "the job ended before it was killed: give it more orders"; exit 1; fi
    sleep 0.1
  done
  kill -9 $running
  wait $running 2>/dev/null || true
  running=
}

# Runs until it stops with a savepoint, whose path goes to $savepoint.
run_and_stop() {
  (orders "$@" --stop-after "${seconds}s") | tee "$folder/log"
  savepoint=$(sed -n 's/^savepoint: //p' "$folder/log")
  [ -n "$savepoint" ] || { echo "the job ended before it was stopped: give it more orders"; exit 1; }
}

say "Version 1 on two subtasks, then kill -9"
run_and_kill 1 2 ""
say "Version 1 goes on from its last checkpoint, and is stopped with a savepoint"
run_and_stop 1 2 "$(newest)"
say "Version 2, with a new field in its state, on five subtasks and the rocksdb backend, from the savepoint"
run_and_stop 2 5 "$savepoint" -D state.backend.type=rocksdb
say "Version 2 on three subtasks and the memory backend, then kill -9"
run_and_kill 2 3 "$savepoint"
say "Version 2 goes on from its last checkpoint, to the end"
(orders 2 3 "$(newest)")

say "Check: each order counted once, and all of them"
find "$folder/out" -type f -name 'totals-*.csv' -exec cat {} + | awk -F, -v count="$count" '
  BEGIN {
    for (n = 0; n < count; ++n) { customer = (n * 37) % 100; ++orders[customer]; cents[customer] += 100 + (n * 7919) % 9000 }
  }
  seen[$1 "," $2]++ { print "twice: " $0; wrong = 1 }
  $2 == orders[$1] && $3 != cents[$1] { print "wrong total: " $0 ", not " cents[$1]; wrong = 1 }
  $2 > orders[$1] { print "too many: " $0; wrong = 1 }
  END {
    if (NR != count) { print NR " lines, not " count; wrong = 1 }
    if (!wrong) print "  " NR " orders of " length(orders) " customers, each counted once, all totals right"
    exit wrong
  }'
