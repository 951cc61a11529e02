#!/usr/bin/env bash
# The examples run and print what they promise. FLOTT_BUILD is the build folder; run_tests.py sets it.
set -euo pipefail
export LC_ALL=C

folder=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$folder"' EXIT
failed=0

# Compares a file with standard input.
expect() {
  if ! diff -u --label expected --label "$1" - "$2"; then failed=1; fi
}

# Runs an example; its standard output goes to the file `output`.
run() {
  local name=$1
  shift
  if ! timeout 60 "$FLOTT_BUILD/examples/$name" "$@" >"$folder/output" 2>"$folder/log"; then
    echo "$name failed:"
    cat "$folder/log"
    failed=1
  fi
}

run dedup
expect dedup "$folder/output" <<'END'
{user: 7, page: "/"}
{user: 8, page: "/"}
{user: 9, page: "/help"}
END

run tumbling_window
sort "$folder/output" >"$folder/sorted"
expect tumbling_window "$folder/sorted" <<'END'
late records: 1
{sensor: "hall", celsius: 19, at: 12500}
{sensor: "hall", celsius: 21.5, at: 8000}
{sensor: "roof", celsius: 11, at: 9000}
{sensor: "roof", celsius: 12.5, at: 17000}
END

run session_windows
sort "$folder/output" >"$folder/sorted"
expect session_windows "$folder/sorted" <<'END'
so far> {user: "ann", cents: 25, at: 200000}
so far> {user: "ann", cents: 25, at: 200000}
so far> {user: "ann", cents: 300, at: 1000}
so far> {user: "ann", cents: 300, at: 1000}
so far> {user: "bob", cents: 50, at: 5000}
so far> {user: "bob", cents: 50, at: 5000}
so far> {user: "bob", cents: 70, at: 70000}
so far> {user: "bob", cents: 70, at: 70000}
too late> {user: "bob", cents: 9, at: 6000}
visit> {user: "ann", cents: 25, at: 200000}
visit> {user: "ann", cents: 300, at: 1000}
visit> {user: "ann", cents: 700, at: 1000}
visit> {user: "bob", cents: 50, at: 5000}
visit> {user: "bob", cents: 70, at: 70000}
END

run silence_alert
expect silence_alert "$folder/output" <<'END'
roof has been silent since 1970-01-01T00:01:00.000Z
roof is back at 1970-01-01T00:20:00.000Z
hall has been silent since 1970-01-01T00:16:00.000Z
END

run side_output
sort "$folder/output" >"$folder/sorted"
expect side_output "$folder/sorted" <<'END'
number> -7
number> 12
rejected> {text: "99999999999999999999", reason: "does not fit into 64 bits"}
rejected> {text: "twelve", reason: "is not a number"}
END

run broadcast_rules
sort "$folder/output" >"$folder/sorted"
expect broadcast_rules "$folder/sorted" <<'END'
{account: "ben", amount: 20000, limit: 10000}
{account: "ben", amount: 5000000, limit: 1000000}
END

run csv_to_files --output "$folder/orders"
expect "csv_to_files: orders.csv" "$folder/orders/orders.csv" <<'END'
id,city,price,at
1,Bonn,12.5,2026-01-31T08:00:00.000Z
3,"Berlin, Mitte",7.25,2026-01-31T08:00:02.000Z
5,Bonn,100,2026-01-31T08:00:04.000Z
END
expect "csv_to_files: rejected.txt" "$folder/orders/rejected.txt" <<'END'
examples/data/orders.csv, line 5, column 3 ('price'): 'cheap' is not a number
END

run custom_source
sort -n "$folder/output" >"$folder/sorted"
expect custom_source "$folder/sorted" <<'END'
0
1
4
100
121
144
10000
10201
10404
END

run metrics
expect metrics "$folder/output" <<'END'
bytes: 14
empty lines: 1
END
grep -q 'measure 1/1  lengths = n=4 min=0' "$folder/log" || { echo "metrics: the log does not list them"; failed=1; }

# A server that sends two lines to its first client and hangs up.
mkfifo "$folder/port"
python3 - "$folder/port" <<'END' &
import socket, sys
with socket.create_server(('127.0.0.1', 0)) as server:
    with open(sys.argv[1], 'w') as port:
        port.write(f'{server.getsockname()[1]}\n')
    connection, _ = server.accept()
    connection.sendall(b'to be or\n  not to be\r\n')
    connection.close()
END
server=$!
read -r port <"$folder/port"
run socket_wordcount --host 127.0.0.1 --port "$port" --seconds 3600
sort "$folder/output" >"$folder/sorted"
expect socket_wordcount "$folder/sorted" <<'END'
{word: "be", count: 2}
{word: "not", count: 1}
{word: "or", count: 1}
{word: "to", count: 2}
END

printf 'to be or\n not to be\n' >"$folder/words.txt"
run wordcount --input "$folder/words.txt" --top 2 --colour 7
sed 's/, in .*//' "$folder/output" >"$folder/counts"
expect wordcount "$folder/counts" <<'END'
         2  be
         2  to
2 lines in, 6 words out, 4 different
END
grep -o -- '--.* was given.*' "$folder/log" >"$folder/warnings" || true
expect "wordcount: warnings" "$folder/warnings" <<'END'
--colour was given, but the program does not read it
END
grep -q "of job 'Word count':" "$folder/log" || { echo "wordcount: the log lists no metrics"; failed=1; }

# --explain: whichever way a program starts its job, it prints the plan and does nothing else.
for program in wordcount metrics; do
  run "$program" --explain
  grep -q '^Job ' "$folder/output" || { echo "$program --explain: there is no plan"; failed=1; }
  grep -q '"nodes"' "$folder/output" || { echo "$program --explain: there is no JSON"; failed=1; }
  if grep -q 'words out\|bytes:' "$folder/output"; then echo "$program --explain: the job was run"; failed=1; fi
done

run wordcount --help
for argument in '-D key=value' '--config FILE' '--explain' '--help'; do
  grep -q -- "^  $argument " "$folder/output" || { echo "--help does not tell of $argument"; failed=1; }
done

# One line on standard error, and exit status 1.
refuses() {
  local status=0
  timeout 60 "$FLOTT_BUILD/examples/wordcount" "$@" >"$folder/output" 2>"$folder/log" || status=$?
  [ "$status" -eq 1 ] || { echo "wordcount $*: exit status $status instead of 1"; failed=1; }
  [ ! -s "$folder/output" ] || { echo "wordcount $*: prints to standard output"; failed=1; }
  expect "wordcount $*" "$folder/log"
}
refuses -D parallelism.defautl=2 <<'END'
unknown configuration key 'parallelism.defautl' (-D): did you mean 'parallelism.default'?
END
refuses -D parallelism.default=many <<'END'
configuration parallelism.default = 'many' (-D): 'many' is not a whole number
END
refuses -D <<'END'
argument '-D' is the last one: write -D key=value
END

# The log: its level, its form, and a file for it.
run metrics -D env.log.level=WARN
[ ! -s "$folder/log" ] || { echo "metrics: env.log.level=WARN leaves more than warnings in the log"; failed=1; }
run metrics -D flott.log.format=json -D "flott.log.file=$folder/log.json"
python3 - "$folder/log" "$folder/log.json" <<'END' || { echo "metrics: the log is not the JSON it should be"; failed=1; }
import json, sys
shown, kept = ([json.loads(line) for line in open(name)] for name in sys.argv[1:])
assert shown == kept, (shown, kept)
assert any(line['component'] == 'metrics' and 'lengths = n=4' in line['text'] for line in kept), kept
END

exit "$failed"
