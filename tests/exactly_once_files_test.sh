#!/usr/bin/env bash
# A file sink whose process is killed again and again has each record once. FLOTT_BUILD is the build folder;
# run_tests.py sets it.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
job=
trap 'kill -9 $job 2>/dev/null || true; rm -rf "$folder"' EXIT
program="$FLOTT_BUILD/examples/exactly_once_files"
count=40000

# The newest complete checkpoint; nothing when there is none.
newest() {
  find "$folder/checkpoints" -name _metadata 2>/dev/null | sed 's|/_metadata$||; s|.*/chk-|& |' |
    sort -k2 -n | tail -1 | tr -d ' '
}

start() {
  local from=()
  if [ -n "$(newest)" ]; then
    from=(-D "execution.state-recovery.path=$(newest)" -D execution.state-recovery.claim-mode=CLAIM)
  fi
  "$program" --count $count --rate 20000 --out "$folder/out" -D parallelism.default=$1 \
    -D execution.checkpointing.interval=50ms -D "execution.checkpointing.dir=$folder/checkpoints" \
    -D execution.checkpointing.create-subdir=false "${from[@]}" >"$folder/log" 2>&1 &
  job=$!
}

# Killed some checkpoints later each time.
for parallelism in 2 3 1 2; do
  start $parallelism
  for _ in $(seq $((2 + parallelism))); do
    before=$(newest)
    for _ in $(seq 200); do
      [ "$(newest)" != "$before" ] && break
      sleep 0.02
    done
  done
  kill -9 $job
  wait $job 2>/dev/null || true
done
start 2
if ! timeout 60 tail --pid=$job -f /dev/null || ! wait $job; then
  echo "the last run failed:"
  cat "$folder/log"
  exit 1
fi

if [ -n "$(find "$folder/out" -name '.*' -type f)" ]; then
  echo "hidden files are left:"
  find "$folder/out" -name '.*' -type f
  exit 1
fi
cat "$folder"/out/* | sort -n | cmp - <(seq 0 $((count - 1))) && echo "each of $count records is there once"
