#!/usr/bin/env bash
# The command line of Apache Flink 2.3 against Flott: it lists, cancels and stops a job, takes checkpoints and
# savepoints of it, and removes one. Skipped, and says so, where `tools/install-deps.sh --flink` has not fetched Flink.
. tests/shell/commands.sh
. tests/shell/flink.sh

if ! flink_is_there; then
  echo 'skipped: Apache Flink is not in build/deps/flink; tools/install-deps.sh --flink fetches it (329 MB)'
  exit 77
fi

. tests/shell/cluster.sh

odd="$FLOTT_BUILD/tests/odd_job"
options=(-D execution.checkpointing.savepoint-dir="$folder/usual" -D execution.checkpointing.dir="$folder/checkpoints")

# The job's master is a program that serves it itself, or a cluster: begin OPTION… starts it, end leaves it.
begin_served() {
  serve "$odd" --deed endless --job Orders --linger yes "${options[@]}" "$@"
  until_true grep -qE '^[0-9]+$' "$folder/printed"
}
begin_submitted() {
  run 0 run -d -m "$address" "$odd" --deed endless --job Orders "${options[@]}" "$@"
  until_true is_running
}
is_running() { "$flott" list -r -m "$address" | grep -qE 'RUNNING .* 1/1 +Orders$'; }

# $1: begin_served or begin_submitted; $2: what ends it.
talk() {
  local begin=$1 leave=$2 id path
  $begin
  id=$("$flott" list -q -m "$address")
  run_flink 0 list -m "$address"
  has out "^[0-9.]+ [0-9:]+ : $id : Orders \(RUNNING\)$"
  run_flink 0 list -s -m "$address"
  has out '^No scheduled jobs\.$'

  run_flink 0 savepoint -m "$address" "$id" "$folder/here"
  path=$(sed -nE 's/^Savepoint completed\. Path: //p' "$folder/out")
  [ -f "${path#file:}/_metadata" ] || wrong "no savepoint at '$path'"
  [[ $path == *"$folder/here/"* ]] || wrong "the savepoint is elsewhere: $path"
  run_flink 0 savepoint -m "$address" -d "$path"
  has out '^Savepoint .* disposed\.$'
  [ ! -e "${path#file:}" ] || wrong 'the savepoint is still there'
  run_flink 0 savepoint -m "$address" -detached "$id" "$folder/here"
  has out "^Successfully trigger manual savepoint, triggerId: [0-9a-f]+"
  echo >"$folder/file"
  run_flink 1 savepoint -m "$address" "$id" "$folder/file/below"
  has out "$folder/file"

  run_flink 0 checkpoint -m "$address" "$id"
  has out "^Checkpoint [0-9]+ for job $id completed\.$"
  run_flink 0 checkpoint -m "$address" -full "$id"
  has out "^Checkpoint\(FULL\) [0-9]+ for job $id completed\.$"

  run_flink 0 stop -m "$address" -p "$folder/stopped" "$id"
  path=$(sed -nE 's/^Savepoint completed\. Path: //p' "$folder/out")
  [ -n "$path" ] || wrong 'no savepoint of the stop'
  run_flink 0 list -a -m "$address"
  has out " : $id : Orders \(FINISHED\)$"
  run_flink 1 cancel -m "$address" "$id"
  $leave

  $begin --from-savepoint "$path"
  id=$("$flott" list -q -m "$address")
  run_flink 1 cancel -m "$address" 00000000000000000000000000000000
  has out 'there is no job .?00000000000000000000000000000000'
  run_flink 0 stop -m "$address" -d "$id"
  has out "^Savepoint completed\. Path: .*$folder/usual/"
  $leave

  $begin
  id=$("$flott" list -q -m "$address")
  run_flink 0 cancel -m "$address" -s "$folder/cancelled" "$id"
  has out "^Cancelled job $id\. Savepoint stored in .*$folder/cancelled/savepoint-"
  run 0 cancel --wait -m "$address" "$id"
  has out "^job $id is CANCELED$"
  $leave

  $begin
  id=$("$flott" list -q -m "$address")
  run_flink 0 cancel -m "$address" "$id"
  has out "^Cancelled job $id\.$"
  run 0 cancel --wait -m "$address" "$id"
  has out "^job $id is CANCELED$"
  $leave
}

talk begin_served leave
begin_cluster --taskmanagers 1 --slots 2
talk begin_submitted true
exit $failed
