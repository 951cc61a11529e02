#!/usr/bin/env bash
# `flott info` on real programs. FLOTT_BUILD is the build folder; run_tests.py sets it.
. tests/shell/commands.sh

prefix=(info)
odd="$FLOTT_BUILD/tests/odd_job"

run 0 "$odd" --deed plain --job 'a name' -D parallelism.default=1
"$odd" --deed plain --job 'a name' --explain 2>/dev/null | sed -n '/squares/{/"/!p}' >"$folder/explained"
sed -n '/squares/p' "$folder/out" | expect "the tree" "$folder/explained"
grep -q squares "$folder/out" || { cat "$folder/out"; failed=1; }
expect "what the program prints, twice" "$folder/err" <<'END'
the program says something
the program says something
END

# Options of the command stand before the program; what is behind it is the program's, also what looks like one of its own.
run 0 -p 3 --json "$odd" --deed plain --job --json
python3 - "$folder/out" <<'END' || failed=1
import json, sys
plan = json.load(open(sys.argv[1]))
squares = [node for node in plan['nodes'] if 'squares' in node['type'] or 'squares' in node['contents']]
assert squares and squares[0]['parallelism'] == 3, plan
END
run 0 -p 3 --json "$odd" --deed plain --job name -D parallelism.default=2
python3 -c "
import json, sys
assert {node['parallelism'] for node in json.load(open(sys.argv[1]))['nodes']} == {2}" "$folder/out" || failed=1

refused "program '$odd' exited with status 1 before it started a job: what it wrote is above" "$odd" --deed throws
grep -q "no such database" "$folder/err" || { cat "$folder/err"; failed=1; }
refused "program '$odd' was killed by signal 11 (segmentation fault) before it started a job: what it wrote is above" \
  "$odd" --deed crashes
refused "program '$odd' ended without starting a job: a program for Flott builds one and calls execute() of its \
StreamExecutionEnvironment" "$odd" --deed nothing
refused "program '/bin/true' ended without starting a job: a program for Flott builds one and calls execute() of its \
StreamExecutionEnvironment" /bin/true
refused "program '$folder/none' cannot be run: no such file or directory" "$folder/none"
refused "flott info takes a PROGRAM: see flott info --help"
run 2 "$odd" --deed varies
tail -n 1 "$folder/err" | grep -q "^flott: the job of program '.*odd_job' is not the same in two runs: the second has \
\".*run [0-9].*\" where \".*run [0-9].*\" is expected. What it is built from must not be time, chance" ||
  { cat "$folder/err"; failed=1; }
run 2 -D parallelism.defualt=2 "$odd" --deed plain
grep -q "did you mean 'parallelism.default'" "$folder/err" || { cat "$folder/err"; failed=1; }
run 0 --help
grep -q "^Usage: flott info" "$folder/out" || failed=1

# By a user the same program runs its job.
"$odd" --deed plain | grep -q "the job has ended" || failed=1

exit $failed
