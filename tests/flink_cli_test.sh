#!/usr/bin/env bash
# The command line of Apache Flink 2.3 against Flott: it lists, cancels and stops a job, takes checkpoints and
# savepoints of it, and removes one. Skipped, and says so, where `tools/install-deps.sh --flink` has not fetched Flink.
. tests/shell/commands.sh
. tests/shell/flink.sh

if ! flink_is_there; then
  echo 'skipped: Apache Flink is not in build/deps/flink; tools/install-deps.sh --flink fetches it (329 MB)'
  exit 77
fi

odd="$FLOTT_BUILD/tests/odd_job"
endless=("$odd" --deed endless --job Orders --linger yes -D execution.checkpointing.savepoint-dir="$folder/usual"
  -D execution.checkpointing.dir="$folder/checkpoints")

serve "${endless[@]}"
until_true grep -q '^1$' "$folder/printed"
id=$("$flott" list -q -m "$address")

run_flink 0 list -m "$address"
has out "^[0-9.]+ [0-9:]+ : $id : Orders \(RUNNING\)$"
run_flink 0 list -r -m "$address"
has out " : $id : Orders \(RUNNING\)$"
run_flink 0 list -s -m "$address"
has out '^No scheduled jobs\.$'

run_flink 0 savepoint -m "$address" "$id" "$folder/here"
path=$(sed -nE 's/^Savepoint completed\. Path: //p' "$folder/out")
[ -f "${path#file:*/}/_metadata" ] || [ -f "/${path#file:/}/_metadata" ] || wrong "no savepoint at '$path'"
[[ $path == *"$folder/here/"* ]] || wrong "the savepoint is elsewhere: $path"
run_flink 0 savepoint -m "$address" -d "$path"
has out '^Savepoint .* disposed\.$'
[ ! -e "/${path#file:/}" ] || wrong 'the savepoint is still there'
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
leave

serve "${endless[@]}" --from-savepoint "$path"
until_true test -s "$folder/printed"
id=$("$flott" list -q -m "$address")
run_flink 1 cancel -m "$address" 00000000000000000000000000000000
has out 'there is no job 00000000000000000000000000000000'
run_flink 0 stop -m "$address" -d "$id"
has out "^Savepoint completed\. Path: .*$folder/usual/"
leave

serve "${endless[@]}"
until_true grep -q '^1$' "$folder/printed"
id=$("$flott" list -q -m "$address")
run_flink 0 cancel -m "$address" "$id"
has out "^Cancelled job $id\.$"
run 0 list -a -m "$address"
has out "^$id  CANCELED "
leave
exit $failed
