#!/usr/bin/env bash
# The commands about jobs and logs against a cluster. FLOTT_BUILD is the build folder; run_tests.py sets it.
. tests/shell/commands.sh
. tests/shell/cluster.sh

odd="$FLOTT_BUILD/tests/odd_job"
begin_cluster --taskmanagers 1 --slots 2
run 0 list -m "$address"
expect 'no jobs' "$folder/out" <<<"no jobs at http://$address: -a lists those that have ended as well"

# Starts the endless job; its id goes to `id`.
submit() {
  run 0 run -d -m "$address" "$@" "$odd" --deed endless --job Orders \
    -D execution.checkpointing.savepoint-dir="$folder/usual" -D execution.checkpointing.dir="$folder/checkpoints"
  id=$(sed -nE 's/^Job has been submitted with JobID ([0-9a-f]{32})$/\1/p' "$folder/out")
  until_true is_running
}
is_running() { "$flott" list -r -m "$address" | grep -qE "^$id  RUNNING .* 1/1 +Orders$"; }

submit
run 0 checkpoint -m "$address" Orders
has out "^checkpoint [0-9]+ of job $id is complete$"
run 0 savepoint -m "$address" "${id:0:8}" "$folder/here"
path=$(sed -nE "s/^savepoint of job $id is complete: //p" "$folder/out")
run 0 state ls "$path"
run 0 savepoint -m "$address" -d "$path"
[ ! -e "$path" ] || wrong 'the savepoint is still there'
run 1 savepoint -m "$address" -d "$path"

# Logs: of the cluster's processes, and of those of the job.
run 0 logs -m "$address" --list
has out '^jobmanager$'
has out "^  job-$id-master.out +[0-9]+ "
has out '^taskmanager tm-1$'
has out "^  job-$id-worker-[0-9]+.out +[0-9]+ "
run 0 logs -m "$address" Orders
has out "^==> jobmanager: job-$id-master.out <==$"
has out "^==> taskmanager tm-1: job-$id-worker-[0-9]+.out <==$"
run 0 logs -m "$address" -n 1
[ "$(wc -l <"$folder/out")" = 1 ] || { wrong 'not one line:'; cat "$folder/out"; }
run 0 logs -m "$address" --taskmanager tm
[ -s "$folder/out" ] || wrong 'the log of the TaskManager is empty'
timeout 60 "$flott" logs -m "$address" -f Orders >"$folder/followed" 2>"$folder/err" </dev/null &
follower=$!

# Stop; on from the savepoint; cancel.
run 0 stop -m "$address" Orders
path=$(sed -nE "s/^job $id has stopped with savepoint //p" "$folder/out")
[[ $path == "$folder/usual/savepoint-"* ]] || wrong "no savepoint: '$path'"
wait $follower || wrong "following ended with $?"
for words in 'the program says something' 'the job has ended'; do
  grep -q "$words" "$folder/followed" || { wrong "main has not said that $words"; tail "$folder/followed"; }
done
run 1 stop -m "$address" "$id"
run 1 cancel -m "$address" "$id"
stopped=$id
submit -s "$path"
run 0 cancel -m "$address" --wait Orders
expect 'cancelled' "$folder/out" <<<"job $id is CANCELED"
run 0 cancel -m "$address" "$id"
run 0 list -a -m "$address"
has out "^$stopped  FINISHED "
has out "^$id  CANCELED "
run 1 cancel -m "$address" 00000000000000000000000000000000
exit $failed
