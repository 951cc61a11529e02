#!/usr/bin/env bash
# `flott run` on real programs. FLOTT_BUILD is the build folder; run_tests.py sets it.
. tests/shell/commands.sh

prefix=(run)
odd="$folder/odd_job"  # whose processes are of this test
ln -s "$FLOTT_BUILD/tests/odd_job" "$odd"

# All processes of the program have gone.
none_left() {
  local file
  for file in /proc/[0-9]*/cmdline; do
    if tr '\0' ' ' <"$file" 2>/dev/null | grep -q "^$odd "; then
      echo "a process is left: $(tr '\0' ' ' <"$file")"
      failed=1
    fi
  done
}

# The tasks run elsewhere; main goes on in the master only.
run 0 --local "$odd" --deed plain
[ "$(grep -oE '^([0-9]+> )?[0-9]+$' "$folder/out" | sed 's/.*> //' | sort -n | tr '\n' ' ')" = "1 4 9 16 25 36 49 64 81 100 " ] ||
  { cat "$folder/out"; failed=1; }
[ "$(grep -c 'the job has ended' "$folder/out")" = 1 ] || { cat "$folder/out"; failed=1; }

# Workers share tasks that exchange records: the greatest running sum of a key is that of all its numbers.
run 0 --local --workers 2 -p 4 "$odd" --deed sums
sed -nE 's/^([0-9]+> )?\(([0-9]+), ([0-9]+)\)$/\2 \3/p' "$folder/out" | sort -k1n -k2n |
  awk '{ most[$1] = $2 } END { for (key = 0; key < 7; ++key) print key, most[key] }' >"$folder/sums"
for key in 0 1 2 3 4 5 6; do
  seq 1 1000 | awk -v key=$key '$1 % 7 == key { sum += $1 } END { print key, sum }'
done | cmp - "$folder/sums" || { echo "the sums are not right"; cat "$folder/sums"; tail "$folder/out" "$folder/err"; failed=1; }

# A worker that crashes is replaced; each number is published once.
run 0 --local --workers 2 -p 4 -D execution.checkpointing.interval=50ms -D restart-strategy.type=fixed-delay \
  -D restart-strategy.fixed-delay.attempts=20 \
  -D restart-strategy.fixed-delay.delay=10ms -D execution.checkpointing.dir="$folder/checkpoints" \
  "$odd" --deed crashes-once --crashed "$folder/crashed" --out "$folder/numbers"
has err "^flott: worker 'w[12]' was killed by signal 11 \(segmentation fault\); another one takes its place$"
has err "^in thread 'lane-[0-9]+' of process [0-9]+, worker 'w[12]' of job 'Odd'$"
has err "^while it was at operator 'Map', subtask [1-4]/4$"
has err "odd_job\+0x[0-9a-f]+ _Z.*main"
[ -e "$folder/crashed" ] || { echo "nothing has crashed"; failed=1; }
find "$folder/numbers" -type f ! -name '.*' -exec cat {} + | sort -n >"$folder/seen"
seq 0 1999 | cmp - "$folder/seen" || { echo "the numbers are not those, each once"; failed=1; }
none_left

# Each process has a log file of its own, and says there which job it is about.
run 0 --local -D env.log.dir="$folder/logs" -D flott.log.format=json -D flott.log.stderr=false "$odd" --deed plain
for part in master w1; do
  grep -qE '"component":"(job|cluster)","job":"[0-9a-f]{32}","text":".*"}$' "$folder"/logs/flott-$part-*.log ||
    { echo "no log of $part with its job"; ls "$folder/logs"; cat "$folder/logs/"*; failed=1; }
done
[ ! -s "$folder/err" ] || { echo "the log is on standard error, too"; cat "$folder/err"; failed=1; }
run 0 --local -D flott.log.file="$folder/odd.log" "$odd" --deed plain
[ -s "$folder/odd-master.log" ] && [ -s "$folder/odd-w1.log" ] || { echo "no logs"; ls "$folder"; failed=1; }

# What fails is told by the program, as when a user runs it.
run 1 --local "$odd" --deed fails
has err "^job 'Odd': operator '.*', subtask 1/1: .*ten is too much"
run 2 --local "$odd" --deed throws
has err "no such database"
run 1 --local -D restart-strategy.type=none "$odd" --deed aborts
has err "^an exception that nobody catches: no way out$"
has err "^signal 6 \(abort\)$"
has err "^while it was at operator 'squares', subtask 1/1$"
run 2 --local "$odd" --deed crashes
has err "^flott: program '.*odd_job' was killed by signal 11 \(segmentation fault\) before it started a job: what it wrote is above$"
run 2 --local "$odd" --deed nothing
has err "^flott: program '.*odd_job' ended without starting a job: "
run 0 --local "$odd" --deed starts
has out "^FINISHED, 10 in$"
run 2 --local "$odd" --deed collects
has err "collect brings records into the process of the program, and flott run has the tasks in others"
run 2 --local --workers 0 "$odd" --deed plain
has err "^flott: --workers is from 1 to 1024, not 0$"
run 2 --paralelism 2 "$odd"
has err "did you mean '--parallelism'"
run 2
has err "^flott: flott run takes a PROGRAM"
run 0 --help
has out "^Usage: flott run"

# Asked to end, it cancels the job, and all processes go.
"$flott" run --local --workers 2 "$odd" --deed endless >"$folder/out" 2>"$folder/err" </dev/null &
runner=$!
until_true grep -q '^1$\|> 1$' "$folder/out"
kill -TERM $runner
code=0
wait $runner || code=$?
[ $code = 0 ] || { echo "cancelled: exit code $code"; tail "$folder/out" "$folder/err"; failed=1; }
has out "the job has ended"
none_left

exit $failed
