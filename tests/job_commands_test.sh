#!/usr/bin/env bash
# `flott list`, `cancel`, `stop`, `savepoint` and `checkpoint` against a program that serves its own job. FLOTT_BUILD is
# the build folder; run_tests.py sets it.
. tests/shell/commands.sh

odd="$FLOTT_BUILD/tests/odd_job"
endless=("$odd" --deed endless --job Orders --linger yes -D execution.checkpointing.savepoint-dir="$folder/usual")

# What a line of a table says of the only job: its id, status and name.
job_is() {
  run 0 list -a -m "$address"
  has out "^[0-9a-f]{32}  $1 +[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9:]{8}  .* Orders$"
}

# --- list, cancel ---
serve "${endless[@]}"
until_true grep -q '^1$' "$folder/printed"
job_is RUNNING
run 0 list -m "http://$address/" --quiet
id=$(cat "$folder/out")
[[ $id =~ ^[0-9a-f]{32}$ ]] || wrong "no id: '$id'"
run 0 list -r -m "$address"
has out "^$id  RUNNING .* 1/1 +Orders$"
run 0 list -s -m "$address"
has out "^no jobs at http://$address: -a lists those that have ended as well$"
run 0 list --json -m "$address"
python3 - "$folder/out" "$id" <<'END' || failed=1
import json, sys
jobs = json.load(open(sys.argv[1]))['jobs']
assert [(job['jid'], job['name'], job['state'], job['tasks']['running']) for job in jobs] == [
    (sys.argv[2], 'Orders', 'RUNNING', 1)], jobs
END
FLOTT_OPTION_REST_PORT=${address#*:} run 0 list -q
expect 'by a variable' "$folder/out" <<<"$id"

run 1 cancel -m "$address" Order
has err "^flott: there is no job 'Order' at http://$address: did you mean 'Orders'\?$"
run 1 cancel -m "$address" 00000000000000000000000000000000
has err "there is no job '0+' at .*: \`flott list -a\` shows those there are$"
run 2 cancel -m "$address"
has err '^flott: flott cancel takes a JOB: `flott list` shows them$'
run 2 cancel -m "$address" Orders again
has err "does not take 'again' beside Orders"
run 0 cancel -m "$address" --wait "${id:0:6}"
expect 'cancelled' "$folder/out" <<<"job $id is CANCELED"
job_is CANCELED
run 0 list -m "$address"
has out '^no jobs at '
run 0 cancel -m "$address" Orders
expect 'once more' "$folder/out" <<<"job $id is being cancelled"
leave

# --- savepoint, checkpoint ---
serve "${endless[@]}" -D execution.checkpointing.dir="$folder/checkpoints"
until_true grep -q '^1$' "$folder/printed"
id=$("$flott" list -q -m "$address")
run 0 savepoint -m "$address" Orders "$folder/here"
path=$(sed -nE "s/^savepoint of job $id is complete: //p" "$folder/out")
[ -f "${path#file://}/_metadata" ] || wrong "no savepoint at '$path'"
[[ ${path#file://} == "$folder/here/"* ]] || wrong "the savepoint is elsewhere: $path"
run 0 state ls "$path"
run 0 savepoint -m "$address" --json Orders
path=$(python3 -c "import json, sys; print(json.load(sys.stdin)['savepoint'])" <"$folder/out")
[[ ${path#file://} == "$folder/usual/"* ]] || wrong "the savepoint is elsewhere: $path"
run 0 savepoint -m "$address" -d "$path"
expect 'disposed of' "$folder/out" <<<"removed savepoint $path"
[ ! -e "${path#file://}" ] || wrong 'the savepoint is still there'
run 1 savepoint -m "$address" -d "$path"
has err 'no checkpoint at'
echo >"$folder/file"
run 1 savepoint -m "$address" Orders "$folder/file/below"
has err "^flott: .*$folder/file"
run 0 savepoint -m "$address" --detached Orders "$folder/here"
has out '^request [0-9a-f]+$'
run 0 checkpoint -m "$address" Orders
has out "^checkpoint [0-9]+ of job $id is complete$"
run 0 checkpoint -m "$address" --full --json Orders
has out "^\{\"job\":\"$id\",\"checkpoint\":[0-9]+\}$"

# --- stop, and on from there ---
run 0 stop -m "$address" -p "$folder/stopped" Orders
path=$(sed -nE "s/^job $id has stopped with savepoint //p" "$folder/out")
[ -f "${path#file://}/_metadata" ] || wrong "no savepoint at '$path'"
job_is FINISHED
run 1 cancel -m "$address" Orders
has err '^flott: the job cannot be cancelled: it is FINISHED$'
run 1 savepoint -m "$address" Orders
last=$(grep -E '^[0-9]+$' "$folder/printed" | tail -n 1)
leave
grep -q 'the job has ended' "$folder/printed" || wrong 'main has not gone on'

serve "${endless[@]}" --from-savepoint "$path"
until_true grep -qE '^[0-9]+$' "$folder/printed"
run 0 stop -m "$address" --drain --savepointPath "$folder/stopped" Orders
next=$(grep -E '^[0-9]+$' "$folder/printed" | head -n 1)
[ "$next" -gt "$last" ] || wrong "it has not gone on from the savepoint: $next after $last"
leave

# A program that ends with its job still says where the savepoint is.
serve "$odd" --deed endless --job Orders
until_true grep -q '^1$' "$folder/printed"
run 0 stop -m "$address" -p "$folder/stopped" Orders
has out "^job [0-9a-f]{32} has stopped with savepoint $folder/stopped/savepoint-"
leave

# --- nobody, or somebody else, answers ---
run 2 list -m 127.0.0.1:1
has err '^flott: no answer at http://127.0.0.1:1: .*\. Start a cluster with `flott cluster start`, or '
run 2 list -m nowhere:x
expect 'no port' "$folder/err" <<<"flott: 'nowhere:x' is no address of a cluster: write HOST:PORT, as localhost:8081"
run 2 list -D rest.port=0
has err 'give -m HOST:PORT$'
mkdir -p "$folder/site/v1/jobs" && echo '<html>' >"$folder/site/v1/jobs/overview"
python3 -u -m http.server --bind 127.0.0.1 --directory "$folder/site" 0 >"$folder/site.log" 2>&1 &
children+=($!)
until_true grep -q ' port ' "$folder/site.log"
run 2 list -m "127.0.0.1:$(sed -nE 's/.* port ([0-9]+).*/\1/p' "$folder/site.log")"
has err '^flott: what answers at http://127.0.0.1:[0-9]+ is no cluster, or one of another kind: '

mv "$folder/site/v1" "$folder/site/v2"
run 2 list -m "127.0.0.1:$(sed -nE 's/.* port ([0-9]+).*/\1/p' "$folder/site.log")"
has err '^flott: what answers at http://127.0.0.1:[0-9]+ is no cluster, or one of another kind: it has status 404 for /jobs/'

for command in list cancel stop savepoint checkpoint; do
  run 0 $command --help
  has out "^Usage: flott $command"
  has out '^  -m, --jobmanager HOST:PORT  '
done
run 2 savepoint --tipe native Orders
has err "did you mean '--type'\?$"
run 2 savepoint --type natural Orders
expect 'type' "$folder/err" <<<"flott: 'natural' is no type of a savepoint: there are canonical and native"
exit $failed
