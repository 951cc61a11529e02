#!/usr/bin/env bash
# `flott state` on checkpoints of a real job. FLOTT_BUILD is the build folder; run_tests.py sets it.
. tests/shell/commands.sh

# The checkpoints of a job that counts to 10 keys and is then stopped.
"$FLOTT_BUILD/examples/checkpointed_count" --count 1000000 --rate 1000 \
  -D execution.checkpointing.interval=50ms -D execution.checkpointing.dir="$folder/job" \
  -D execution.checkpointing.create-subdir=false -D execution.checkpointing.num-retained=20 \
  -D execution.checkpointing.data-inline-threshold=0 -D parallelism.default=2 \
  -D execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION >"$folder/log" 2>&1 &
job=$!
children=($job)
checkpoints() { ls "$folder"/job/chk-*/_metadata 2>/dev/null | sort -V | xargs -r -n 1 dirname; }
for ((tries = 0; tries < 600; ++tries)); do
  [ "$(checkpoints | wc -l)" -ge 4 ] && break
  kill -0 $job 2>/dev/null || { echo "the job failed:"; cat "$folder/log"; exit 1; }
  read -rt 0.1 <> <(:) || true
done
kill -TERM $job
wait $job || true
children=()
newest=$(checkpoints | tail -n 1)
older=$(checkpoints | tail -n 3 | head -n 1)

run 0 state ls "$newest"
grep -q "^checkpoint [0-9]* of job 'Checkpointed count', 20" "$folder/out" || { cat "$folder/out"; failed=1; }
grep -q "table *10 keys *160 bytes *int64 -> int64" "$folder/out" || { cat "$folder/out"; failed=1; }
run 0 state ls "$newest" --json
python3 - "$folder/out" <<'END' || failed=1
import json, sys
checkpoint = json.load(open(sys.argv[1]))
states = {state['name']: state for op in checkpoint['operators'] for state in op['states']}
assert states['sum']['entries'] == 10, states
assert states[':splits']['type'] == 'struct{id: string, state: string}', states
END
operator=$(python3 -c "
import json, sys
print(next(op['id'] for op in json.load(open(sys.argv[1]))['operators'] for s in op['states'] if s['name'] == 'sum'))
" "$folder/out")

run 0 state cat "$newest" --operator "$operator" --state sum
python3 - "$folder/out" <<'END' || failed=1
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
assert sorted(row['key'] for row in rows) == list(range(10)), rows
assert all(row['state'] == 'sum' and row['value'] > 0 for row in rows), rows
assert len({row['value'] for row in rows}) <= 2, rows
END
run 0 state cat "$newest" --operator "$operator" --state sum --key 7 --format csv
[ "$(head -n 1 "$folder/out")" = key,value ] || { cat "$folder/out"; failed=1; }
[ "$(tail -n 1 "$folder/out" | cut -d, -f1)" = 7 ] && [ "$(wc -l <"$folder/out")" = 2 ] || { cat "$folder/out"; failed=1; }
run 0 state cat "$newest" --operator "$operator" --limit 3 --state=sum
[ "$(wc -l <"$folder/out")" = 3 ] || { cat "$folder/out"; failed=1; }
run 0 state cat "$newest" --operator "$operator" --state sum --format parquet --output "$folder/sum.parquet"
[ "$(head -c 4 "$folder/sum.parquet")" = PAR1 ] || failed=1
cp "$folder/sum.parquet" "$folder/first"
run 0 state cat "$newest" --operator "$operator" --state sum --format parquet
cmp "$folder/out" "$folder/first" || failed=1

# A reader that has seen enough, and is gone before anything is written.
code=0
mkfifo "$folder/pipe"
: <"$folder/pipe" &
exec 3>"$folder/pipe"
wait $!
timeout 60 "$flott" state cat "$newest" --operator "$operator" --state sum >&3 2>"$folder/err" || code=$?
exec 3>&-
[ $code = 141 ] && [ ! -s "$folder/err" ] || { echo "closed pipe: exit code $code"; cat "$folder/err"; failed=1; }

run 0 state diff "$newest" "$newest"
[ ! -s "$folder/out" ] || failed=1
run 1 state diff "$older" "$newest" --summary
grep -q "state 'sum': 0 added, 0 removed, 10 changed" "$folder/out" || { cat "$folder/out"; failed=1; }
run 1 state diff "$older" "$newest" --operator "$operator"
grep -Eq '^    ~ 7: [0-9]+ -> [0-9]+$' "$folder/out" || { cat "$folder/out"; failed=1; }

# What is wrong is said in a line.
said() {
  expect "$1" "$folder/err"
}
run 2 state cat "$newest" --oprator x
said 'unknown option' <<'END'
flott: unknown option '--oprator': did you mean '--operator'?
END
run 2 state lst "$newest"
said 'unknown command' <<'END'
flott: unknown command 'flott state lst': did you mean 'ls'?
END
run 2 stat
said 'unknown group' <<'END'
flott: unknown command 'flott stat': did you mean 'state'?
END
run 2 state ls "$folder"
said 'no checkpoint' <<END
flott: no checkpoint at '$folder': there is no file '$folder/_metadata'. Give the folder of a completed checkpoint or savepoint, one with a _metadata file in it
END
run 2 state cat "$newest" --operator "$operator" --state sun
grep -q "has no state 'sun': did you mean 'sum'?$" "$folder/err" || { cat "$folder/err"; failed=1; }
run 2 state cat "$newest" --operator "$operator" --format cvs
said 'unknown format' <<'END'
flott: unknown format 'cvs': did you mean 'csv'?
END
run 2 state ls
said 'no path' <<'END'
flott: flott state ls takes one PATH and was given 0: see flott state ls --help
END
run 2 state ls s3://bucket/x -D s3.endpont=http://localhost:1
grep -q "s3.endpont" "$folder/err" || { cat "$folder/err"; failed=1; }
cp -r "$newest" "$folder/damaged"
damaged=$(ls "$folder"/damaged/task-* | tail -n 1)
printf 'x' | dd of="$damaged" bs=1 seek=30 conv=notrunc status=none
run 2 state ls "$folder/damaged"
grep -q "$damaged" "$folder/err" || { cat "$folder/err"; failed=1; }

run 2 state rm "$newest"
grep -q "and not a savepoint: the job removes its checkpoints itself" "$folder/err" || { cat "$folder/err"; failed=1; }
[ -f "$newest/_metadata" ] || { echo 'a checkpoint was removed'; failed=1; }

for command in '' state 'state ls' 'state cat' 'state diff' 'state rm'; do
  run 0 $command --help
  grep -q '^Usage: flott' "$folder/out" || { cat "$folder/out"; failed=1; }
done
exit $failed
