#!/usr/bin/env bash
# Ctrl-C and SIGTERM cancel the job of a real program in order, and a second one ends it at once. FLOTT_BUILD is the
# build folder; run_tests.py sets it.
set -euo pipefail
exec python3 - <<'SCRIPT'
import os
import signal
import subprocess

signal.alarm(100)  # seconds; the programs end with the pipes to here
PROGRAM = os.path.join(os.environ['FLOTT_BUILD'], 'examples', 'checkpointed_count')
failed = False


def check(what, condition, *shown):
    global failed
    if not condition:
        failed = True
        print(f'{what}:', *shown)


def start(*arguments, stdout=subprocess.PIPE):
    # A shell ignores Ctrl-C for what it starts in the background; a program honours that.
    return subprocess.Popen([PROGRAM, '--count', '1000000000', *arguments], stdout=stdout, stderr=subprocess.PIPE,
                            text=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))


def ended(program):
    """Standard error up to the end, and the exit status."""
    text = program.communicate(timeout=60)[1]
    return text, program.returncode


def wait_for(program, words):
    """Reads standard error up to a line with these words."""
    for line in program.stderr:
        if words in line:
            return
    check('standard error', False, f'ended without a line with "{words}"')


for number, word in ((signal.SIGINT, 'Interrupted'), (signal.SIGTERM, 'Terminated')):
    program = start()
    check(word, program.stdout.readline().startswith('{key: '), 'there is no first result')
    program.send_signal(number)
    text, status = ended(program)
    said = f"\n{word}: cancelling job 'Checkpointed count'; once more ends the program at once.\n"
    check(word, said in text, text)
    check(word, "of job 'Checkpointed count':" in text and 'numRecordsOut' in text, 'the log lists no metrics', text)
    check(word, status == 0, f'main goes on and ends with status 0, this was {status}', text)

# Nobody reads the results, so the job blocks in the middle of printing and cannot be cancelled.
reader, writer = os.pipe()
os.set_blocking(writer, False)
try:
    while True:
        os.write(writer, b'.' * 4096)
except BlockingIOError:
    os.set_blocking(writer, True)
program = start('-D', 'flott.task.blocked-warning=50ms', stdout=writer)
wait_for(program, 'has not returned for')
program.send_signal(signal.SIGINT)
wait_for(program, 'Interrupted: cancelling')
program.send_signal(signal.SIGINT)
text, status = ended(program)
check('twice', status == 130, f'ends with status 130, this was {status}', text)
raise SystemExit(failed)
SCRIPT
