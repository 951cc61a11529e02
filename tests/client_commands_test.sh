#!/usr/bin/env bash
# What the commands about jobs make of answers that a real cluster gives seldom: failures, silence, logs that grow.
# FLOTT_BUILD is the build folder; run_tests.py sets it.
. tests/shell/commands.sh

id=5f2c01a89e3e704f94d61b22c7d0a6e3
other=5f2c77a89e3e704f94d61b22c7d0a6e3

# Answers from standard input; the server's address goes to `address`.
answers() {
  cat >"$folder/answers"
  python3 tests/shell/fake_cluster.py "$folder/answers" >"$folder/port" 2>"$folder/errors" &
  children+=($!)
  until_true test -s "$folder/port"
  address=127.0.0.1:$(cat "$folder/port")
  rm "$folder/port"
}
job() {
  echo "{\"jid\": \"$1\", \"name\": \"$2\", \"state\": \"$3\", \"start-time\": $4, \"end-time\": -1, \"duration\": $5,
         \"tasks\": {\"total\": 4, \"running\": 2}}"
}
overview="\"GET /v1/jobs/overview\": [[200, {\"jobs\": [$(job $id Orders RUNNING 1000 3723000),
  $(job $other "two\\nlines" CREATED -1 -1), $(job 00aa$id Orders FAILED 500 999)]}]]"

# --- lists ---
answers <<<"{$overview}"
run 0 list -m "$address"
expect 'the table' "$folder/out" <<END
JOB                               STATUS   STARTED (UTC)        DURATION   TASKS  NAME
$id  RUNNING  1970-01-01 00:00:01  1 h 2 min  2/4    Orders
$other  CREATED  -                    -          2/4    two?lines
END
run 0 list -s -q -m "$address"
expect 'scheduled' "$folder/out" <<<"$other"
run 0 list -a -q -m "$address"
expect 'all' "$folder/out" <<<"$id
00aa$id
$other"
run 1 cancel -m "$address" 5f2c
expect 'several' "$folder/err" <<<"flott: '5f2c' may be several jobs: $id, $other. Give the id of one"
run 1 cancel -m "$address" 5f2
has err "^flott: there is no job '5f2' at http://$address"

answers <<<'{"GET /v1/jobs/overview": [[-1, ""]]}'
run 2 list -m "$address" -D client.timeout=100ms
has err "^flott: no answer at http://$address: it has been silent for 100 ms"

# --- savepoints: what is asked, that it is waited for, and what has become of it ---
answers <<END
{$overview,
 "POST /v1/jobs/$id/savepoints": [[202, {"request-id": "7"}]],
 "GET /v1/jobs/$id/savepoints/7": [
   [200, {"status": {"id": "IN_PROGRESS"}}],
   [503, {"errors": ["the job does not answer"]}],
   [0, ""],
   [200, {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s/1"}}],
   [200, {"status": {"id": "COMPLETED"}, "operation": {"failure-cause": {"class": "X", "stack-trace":
     "X: disk full\n\tat y(Z.java:1)\nCaused by: Y: no space\n\t... 3 more\n", "serialized-throwable": ""}}}],
   [200, {"status": {"id": "IN_PROGRESS"}}]],
 "POST /v1/jobs/$id/stop": [[202, {"request-id": "8"}], [409, {"errors": ["there is a savepoint already"]}]],
 "GET /v1/jobs/$id/savepoints/8": [[200, {"status": {"id": "COMPLETED"}, "operation": {"location": "file:/s/2"}}]],
 "POST /v1/jobs/$id/checkpoints": [[202, {"request-id": "9"}]],
 "GET /v1/jobs/$id/checkpoints/9": [
   [200, {"status": {"id": "COMPLETED"}, "operation": {"checkpointId": 12, "failureCause": null}}],
   [200, {"status": {"id": "COMPLETED"}, "operation": {"failureCause": {"class": "X", "stack-trace": "too many"}}}],
   [500, {"errors": ["something broke"]}]],
 "POST /v1/savepoint-disposal": [[200, {"request-id": "10"}]],
 "GET /v1/savepoint-disposal/10": [[200, {"status": {"id": "COMPLETED"}, "operation": {}}]]}
END
# By its name: the one of this name that has not ended.
run 0 savepoint -m "$address" Orders /s --type native
expect 'after a while' "$folder/out" <<<"savepoint of job $id is complete: file:/s/1"
run 1 savepoint -m "$address" "$id"
expect 'the reason' "$folder/err" <<'END'
flott: X: disk full
Caused by: Y: no space
END
run 2 savepoint -m "$address" "$id" -D client.timeout=200ms
expect 'too slow' "$folder/err" <<END
flott: the savepoint of job $id is not done after 200 ms; it goes on. -D client.timeout=10min waits longer
END
run 0 stop -m "$address" "$id" --savepointPath=/s --drain --json
expect 'stopped' "$folder/out" <<<"{\"job\":\"$id\",\"savepoint\":\"file:/s/2\"}"
run 1 stop -m "$address" "$id"
expect 'refused' "$folder/err" <<<'flott: there is a savepoint already'
run 0 checkpoint -m "$address" "$id" -full
run 1 checkpoint -m "$address" "$id"
expect 'failed' "$folder/err" <<<'flott: too many'
run 1 checkpoint -m "$address" "$id"
expect 'broken' "$folder/err" <<<'flott: something broke'
run 0 savepoint -m "$address" --dispose 's3://b/a "quoted" path'
sed -n 's/^POST //p' "$folder/answers.seen" >"$folder/asked"
expect 'what is asked' "$folder/asked" <<END
/v1/jobs/$id/savepoints {"cancel-job":false,"formatType":"NATIVE","target-directory":"/s"}
/v1/jobs/$id/savepoints {"cancel-job":false}
/v1/jobs/$id/savepoints {"cancel-job":false}
/v1/jobs/$id/stop {"drain":true,"targetDirectory":"/s"}
/v1/jobs/$id/stop {"drain":false}
/v1/jobs/$id/checkpoints {"checkpointType":"FULL"}
/v1/jobs/$id/checkpoints {"checkpointType":"CONFIGURED"}
/v1/jobs/$id/checkpoints {"checkpointType":"CONFIGURED"}
/v1/savepoint-disposal {"savepoint-path":"s3://b/a \"quoted\" path"}
END

# --- logs ---
echo '{"status": {"id": "IN_PROGRESS"}}' >"$folder/result"
seq 1 100000 >"$folder/long"
echo 'the worker says' >"$folder/worker"
printf 'no end' >"$folder/endless"
answers <<END
{$overview,
 "GET /v1/jobmanager/log": "$folder/long",
 "GET /v1/jobmanager/logs": [[200, {"logs": [
   {"name": "flott.log", "size": $(stat -c %s "$folder/long"), "mtime": 1000},
   {"name": "job-$id-master.out", "size": 6, "mtime": 2000}]}]],
 "GET /v1/jobmanager/logs/job-$id-master.out": "$folder/endless",
 "GET /v1/taskmanagers": [[200, {"taskmanagers": [{"id": "tm-1"}, {"id": "tm-2"}]}]],
 "GET /v1/taskmanagers/tm-1/log": "$folder/endless",
 "GET /v1/taskmanagers/tm-1/logs": [[200, {"logs": []}]],
 "GET /v1/taskmanagers/tm-2/logs": [[200, {"logs": [{"name": "job-$id-w 1.out", "size": 16, "mtime": 3000}]}]],
 "GET /v1/taskmanagers/tm-2/logs/job-$id-w%201.out": "$folder/worker",
 "GET /v1/jobs/$id/execution-result": "$folder/result"}
END
run 0 logs -m "$address"
cmp "$folder/out" "$folder/long" || wrong 'the log is not as it was'
run 0 logs -m "$address" -n 3
expect 'the last lines' "$folder/out" <<<$'99998\n99999\n100000'
run 0 logs -m "$address" -n 20000
tail -n 20000 "$folder/long" | cmp - "$folder/out" || wrong 'not the last 20000 lines'
run 0 logs -m "$address" --lines 0
[ ! -s "$folder/out" ] || wrong 'no lines are some lines'
run 0 logs -m "$address" --taskmanager tm-1
[ "$(cat "$folder/out")" = 'no end' ] || wrong 'not the log of the TaskManager'
run 1 logs -m "$address" --taskmanager tm
expect 'which' "$folder/err" <<<"flott: 'tm' may be several TaskManagers: did you mean 'tm-1'?"
run 0 logs -m "$address" Orders
expect 'of a job' "$folder/out" <<END
==> jobmanager: job-$id-master.out <==
no end
==> taskmanager tm-2: job-$id-w 1.out <==
the worker says
END
run 0 logs -m "$address" --list
expect 'the list' "$folder/out" <<END
jobmanager
  flott.log                                              588895  1970-01-01T00:00:01.000Z
  job-$id-master.out             6  1970-01-01T00:00:02.000Z
taskmanager tm-2
  job-$id-w 1.out               16  1970-01-01T00:00:03.000Z
END
run 0 logs -m "$address" --list --json Orders
python3 - "$folder/out" <<'END' || failed=1
import json, sys
assert [(file['process'], file['size']) for file in json.load(open(sys.argv[1]))] == [
    ('jobmanager', 6), ('taskmanager tm-2', 16)]
END
run 1 logs -m "$address" --file no.log
has err "^flott: there is no log 'no.log': \`flott logs --list\` shows those there are$"
: >"$folder/followed"
timeout 60 "$flott" logs -m "$address" -f Orders >"$folder/followed" 2>"$folder/err" </dev/null &
follower=$!
until_true grep -q 'the worker says' "$folder/followed"
echo 'and more' >>"$folder/worker"
echo '{"status": {"id": "COMPLETED"}}' >"$folder/ended" && mv "$folder/ended" "$folder/result"
wait $follower || wrong "following ended with $?"
grep -q 'and more' "$folder/followed" || { wrong 'what came later is missing'; cat "$folder/followed"; }
[ "$(grep -c 'the worker says' "$folder/followed")" = 1 ] || wrong 'something came twice'
# A log that is full is put aside, and a new one begins.
"$flott" logs -m "$address" -n 1 -f >"$folder/followed" 2>"$folder/err" </dev/null &
follower=$!
children+=($follower)
until_true grep -q '^100000$' "$folder/followed"
echo 'a new log' >"$folder/next" && mv "$folder/next" "$folder/long"
until_true grep -q '^a new log$' "$folder/followed"
kill $follower
wait $follower || true
expect 'followed' "$folder/followed" <<<$'100000\na new log'
exit $failed
