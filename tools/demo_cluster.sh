#!/usr/bin/env bash
# Two TaskManagers count orders; one of them is killed in the midst of it, then the JobManager. Both times the job goes
# on, and in the end every order is counted once. `make demo-cluster`; as a test with small numbers:
#
#   demo_cluster.sh BUILD [COUNT RATE]     orders in all, and a second
set -euo pipefail
export LC_ALL=C

build=$1
count=${2:-300000}
rate=${3:-20000}

folder=$(mktemp -d)
mkdir "$folder/checkpoints"
flott="$build/bin/flott"
free_ports=$(python3 -c '
import socket
sockets = [socket.socket() for _ in range(2)]
for one in sockets: one.bind(("127.0.0.1", 0))
print(*[one.getsockname()[1] for one in sockets])')
read -r rest rpc <<<"$free_ports"
options=(-D rest.port="$rest" -D jobmanager.rpc.port="$rpc" -D process.jobmanager.working-dir="$folder/cluster"
  -D heartbeat.interval=500ms -D heartbeat.timeout=2s)
trap '"$flott" cluster stop "${options[@]}" >/dev/null 2>&1 || true; rm -rf "$folder"' EXIT

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
# Processes whose command line has both words.
processes_with() {
  local file line
  for file in /proc/[0-9]*/cmdline; do
    line=$({ tr '\0' ' ' <"$file"; } 2>/dev/null) || continue
    case $line in *"$1"*"$2"*) basename "$(dirname "$file")" ;; esac
  done
}

newest() { find "$folder/checkpoints" -name _metadata -printf '%T@ %h\n' | sort -n | tail -1 | cut -d' ' -f2; }
# Until a checkpoint is complete that was not there before.
another_checkpoint() {
  local before until=$((SECONDS + 60))
  before=$(newest)
  while [ "$(newest)" = "$before" ]; do
    [ $SECONDS -lt $until ] || { echo "no checkpoint in 60 s"; "$flott" list -a -m "127.0.0.1:$rest"; exit 1; }
    sleep 0.1
  done
}
milliseconds() { date +%s%3N; }

say "A cluster: a JobManager and two TaskManagers with two slots each"
"$flott" cluster start --taskmanagers 2 --slots 2 "${options[@]}"

say "A job over both of them: $count orders, $rate a second, a checkpoint every half second"
job=$("$flott" run -d -m "127.0.0.1:$rest" -p 4 -D cluster.evenly-spread-out-slots=true \
  -D execution.checkpointing.interval=500ms -D execution.checkpointing.dir="$folder/checkpoints" \
  -D restart-strategy.type=fixed-delay -D restart-strategy.fixed-delay.delay=0ms \
  -D restart-strategy.fixed-delay.attempts=1000 \
  "$build/examples/orders_v1" --out "$folder/out" --count "$count" --rate "$rate" | grep -oE '[0-9a-f]{32}')
another_checkpoint
"$flott" list -m "127.0.0.1:$rest"

say "TaskManager tm-2 is killed, and another one started"
began=$(milliseconds)
kill -9 $(processes_with "flott taskmanager " "taskmanager.resource-id=tm-2 ")
"$flott" taskmanager "${options[@]}" -D taskmanager.resource-id=tm-3 -D taskmanager.numberOfTaskSlots=2 \
  -D process.taskmanager.working-dir="$folder/cluster/taskmanagers/tm-3" >/dev/null 2>&1 </dev/null &
disown
another_checkpoint
echo "the next checkpoint is complete $(($(milliseconds) - began)) ms later"
"$flott" list -m "127.0.0.1:$rest"

say "The JobManager is killed, and started again"
began=$(milliseconds)
kill -9 $(processes_with "flott jobmanager " "process.jobmanager.working-dir=$folder/cluster ")
"$flott" jobmanager "${options[@]}" >/dev/null 2>&1 </dev/null &
disown
another_checkpoint
echo "the next checkpoint is complete $(($(milliseconds) - began)) ms later"
"$flott" list -m "127.0.0.1:$rest"

say "Until all orders are counted"
until=$((SECONDS + 300))
until "$flott" list -a -m "127.0.0.1:$rest" | grep -qE "^$job  (FINISHED|FAILED|CANCELED)"; do
  [ $SECONDS -lt $until ] || { echo "the job does not end"; exit 1; }
  sleep 0.2
done
"$flott" list -a -m "127.0.0.1:$rest"

find "$folder/out" -type f ! -name '.*' -exec cat {} + >"$folder/lines"
awk -F, -v count="$count" '
  { if (++seen[$1 "," $2] > 1) twice++; if ($2 > orders[$1]) { orders[$1] = $2; cents[$1] = $3 } }
  END {
    for (n = 0; n < count; n++) { customer = n * 37 % 100; wanted[customer]++; sum[customer] += 100 + n * 7919 % 9000 }
    for (customer in wanted)
      if (orders[customer] != wanted[customer] || cents[customer] != sum[customer]) wrong++
    printf "%d lines, %d twice, %d of %d customers wrong\n", NR, twice, wrong, length(wanted)
    exit twice > 0 || wrong > 0 || NR != count
  }' "$folder/lines"
say "Every order is counted once"
