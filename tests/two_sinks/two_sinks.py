"""A job that writes CSV files, Parquet files and rows of PostgreSQL is killed again and again: each has every entry once,
also in between what is there is there once. Usage: two_sinks.py KILLS"""
import collections
import csv
import glob
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'postgres'))
from server import Server, missing  # noqa: E402

PROGRAM = os.environ['FLOTT_BUILD'] + '/tests/two_sinks_job'
KILLS = int(sys.argv[1])
RATE = 4000
COUNT = RATE * (2 + KILLS) // 2


def check(holds, *what):
    if not holds:
        print('FAILED:', *what)
        sys.exit(1)


def from_newest(folder):
    complete = glob.glob(f'{folder}/chk-*/_metadata')
    if not complete:
        return []
    newest = max(complete, key=lambda path: int(re.search(r'chk-(\d+)', path)[1]))
    return [f'execution.state-recovery.path={os.path.dirname(newest)}', 'execution.state-recovery.claim-mode=CLAIM']


def files(kind, hidden=False):
    """What a reader sees, or what it must not."""
    found = [path for path in glob.glob(f'{OUT}/{kind}/**', recursive=True, include_hidden=True) if os.path.isfile(path)]
    return [path for path in found if os.path.basename(path).startswith('.') == hidden]


def csv_ids():
    ids = []
    for path in files('csv'):
        with open(path, newline='') as lines:
            for entry in csv.DictReader(lines):
                check(entry['text'] == f'entry {entry["id"]}' and entry['account'] == str(int(entry['id']) % 10) and
                      f'account-{int(entry["account"]) % 2}' in path, 'a wrong entry', entry, path)
                ids.append(int(entry['id']))
    return ids


def parquet_ids():
    if not files('parquet'):
        return []
    done = subprocess.run([PROGRAM, '--read', f'{OUT}/parquet'], capture_output=True, text=True, timeout=100)
    check(done.returncode == 0, 'Parquet files cannot be read', done.stderr)
    return [int(line) for line in done.stdout.splitlines()]


def table_ids():
    return [int(row[0]) for row in server.query('SELECT id FROM entries')]


def check_once(where, ids, whole, *log):
    twice = [number for number, times in collections.Counter(ids).items() if times > 1]
    check(not twice, where, 'has twice:', sorted(twice)[:20], *log)
    check(all(0 <= number < COUNT for number in ids), where, 'has entries that nobody wrote', *log)
    if whole:
        lost = sorted(set(range(COUNT)) - set(ids))
        check(not lost, where, 'has lost', len(lost), 'entries:', lost[:20], *log)


def start(number):
    options = ['execution.checkpointing.interval=50 ms', f'execution.checkpointing.dir={FOLDER}',
               'execution.checkpointing.create-subdir=false', f'parallelism.default={(2, 3, 1)[number % 3]}',
               'restart-strategy.type=fixed-delay', 'restart-strategy.fixed-delay.delay=0 ms',
               'restart-strategy.fixed-delay.attempts=10', *from_newest(FOLDER)]
    line = [PROGRAM, '--out', OUT, '--connection', server.connection, '--count', str(COUNT), '--rate', str(RATE)]
    if number % 4 == 3:
        line += ['--fail-every', '500']
    return subprocess.Popen(line + [word for option in options for word in ('-D', option)], stdout=LOG, stderr=LOG)


def killed():
    kills = 0
    hidden = 0
    for number in range(20 * KILLS):
        rows = int(server.value('SELECT count(*) FROM entries')) + chance.choice([0, 1, 100, 400, 1000])
        job = start(number)
        # From its first checkpoint on it knows itself after a kill.
        while job.poll() is None and (kills == KILLS or not from_newest(FOLDER) or
                                      int(server.value('SELECT count(*) FROM entries')) < rows):
            pass
        if job.poll() is None:
            time.sleep(chance.random() / 10)
            job.kill()
            kills += 1
        if job.wait() == 0:
            break
        LOG.seek(0)
        check(job.returncode == -signal.SIGKILL, 'the job ended by itself:', job.returncode, LOG.read()[-5000:])
        hidden += bool(files('csv', hidden=True)) + bool(files('parquet', hidden=True))
        check_once('CSV', csv_ids(), False)
        check_once('Parquet', parquet_ids(), False)
        check_once('the table', table_ids(), False)
    LOG.seek(0)
    log = LOG.read()[-5000:]
    check(job.returncode == 0 and kills >= KILLS * 3 // 4, 'it was killed', kills, 'times', log)
    check(hidden > kills // 2, 'kills left hidden files', hidden, 'times only', log)
    for where, ids in (('CSV', csv_ids()), ('Parquet', parquet_ids()), ('the table', table_ids())):
        check_once(where, ids, True, log)
    for kind in ('csv', 'parquet'):
        check(files(kind, hidden=True) == [], 'hidden files are left:', files(kind, hidden=True), log)
    left = server.query('SELECT gid FROM pg_prepared_xacts')
    check(left == [], 'prepared transactions are left:', left, log)
    print(f'killed {kills} times: each of {COUNT} entries is once in {len(files("csv"))} CSV files, '
          f'{len(files("parquet"))} Parquet files and the table')


if missing():
    sys.exit(f'{", ".join(missing())} of PostgreSQL is missing: tools/install-deps.sh --tests')
chance = random.Random(KILLS)
server = Server(max_prepared_transactions=40)
try:
    server.query('CREATE TABLE entries (id bigint, account bigint, text text)')
    with tempfile.TemporaryDirectory() as parent:
        FOLDER, OUT, LOG = f'{parent}/checkpoints', f'{parent}/out', open(f'{parent}/log', 'w+')
        killed()
finally:
    server.remove()
