# What the tests of the `flott` command share; they source it first. FLOTT_BUILD is the build folder; run_tests.py sets
# it. At the end they say `exit $failed`.
#
#   prefix=(state)
#   run 0 ls "$checkpoint" --json      # the exit code must be 0; what it writes is in $folder/out and $folder/err
#   has out '"id": 7'
set -euo pipefail
export LC_ALL=C

flott="$FLOTT_BUILD/bin/flott"
folder=$(mktemp -d)  # gone at the end
failed=0
prefix=()  # words between `flott` and those that run() gets
children=()  # processes that end with the script

end_all() {
  local child
  for child in "${children[@]}"; do
    kill -9 "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  done
  rm -rf "$folder"
}
trap end_all EXIT

# Says that something is wrong, and goes on.
wrong() {
  echo "$*"
  failed=1
}

# Compares a file with standard input: expect LABEL FILE.
expect() {
  if ! diff -u --label expected --label "$1" - "$2"; then failed=1; fi
}

# Runs `flott` with arguments; its exit code must be the first of these.
run() {
  local wanted=$1 code=0
  shift
  timeout 120 "$flott" "${prefix[@]}" "$@" >"$folder/out" 2>"$folder/err" </dev/null || code=$?
  if [ "$code" != "$wanted" ]; then
    wrong "flott ${prefix[*]} $*: exit code $code instead of $wanted"
    tail -n 20 "$folder/out" "$folder/err"
  fi
}

# A line of $folder/FILE matches: has FILE REGEX.
has() {
  grep -qE -- "$2" "$folder/$1" || { wrong "no line in $1 matches '$2':"; tail -n 20 "$folder/$1"; }
}

# The last line of the error is this text: refused TEXT WORDS… with exit code 2.
refused() {
  run 2 "${@:2}"
  tail -n 1 "$folder/err" >"$folder/last"
  expect "flott ${prefix[*]} ${*:2}" "$folder/last" <<<"flott: $1"
}

# Waits until a command succeeds, for a minute at most.
until_true() {
  local tries
  for ((tries = 0; tries < 1200; ++tries)); do
    if "$@" 2>/dev/null; then return 0; fi
    read -rt 0.05 <> <(:) || true
  done
  wrong "waited in vain for: $*"
  return 1
}

# Starts a program that serves its own jobs at a free port, which goes to `address`; it lives until leave() closes its
# standard input: serve PROGRAM WORDS…
serve() {
  rm -f "$folder/keeps" "$folder/log"
  mkfifo "$folder/keeps"
  "$1" -D flott.web-ui.enabled=true -D rest.port=0 "${@:2}" <"$folder/keeps" >"$folder/printed" 2>"$folder/log" &
  server=$!
  children+=($server)
  exec 9>"$folder/keeps"
  until_true grep -q 'web page about the jobs is at' "$folder/log"
  address=$(sed -nE 's/.*web page about the jobs is at http:\/\/([0-9.:]+).*/\1/p' "$folder/log")
}
leave() {
  exec 9>&-
  wait "$server" || wrong "the program that serves ended with status $?"
}
