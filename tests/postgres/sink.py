"""What the PostgreSQL sink writes is there once, however often the job is killed, fails or changes its parallelism; what
is wrong with the server or the table is said clearly; nothing prepared is left. Usage: sink.py ROUNDS"""
import glob
import os
import random
import re
import signal
import subprocess
import sys
import tempfile

from server import Server, missing, program

PROGRAM = os.environ['FLOTT_BUILD'] + '/tests/postgres_job'
ROUNDS = int(sys.argv[1])
ORDERS = ('id bigint{key}, item text NOT NULL, price numeric(20, 4), discount smallint, paid boolean, '
          'ordered_at timestamptz, code bytea')
# Of an order, as tests/postgres/postgres_job.cc makes it.
WRONG = r"""item <> E'it\'s "no" ' || id || E', \\ {é}\n\t' OR price <> id / 8.0
    OR discount IS DISTINCT FROM CASE WHEN id % 3 = 0 THEN id % 100 END OR paid <> (id % 2 = 0)
    OR ordered_at <> '2023-11-14 22:13:20+00'::timestamptz + id * interval '1 ms'
    OR code <> decode(lpad(to_hex(id % 256), 2, '0') || '00ff', 'hex')"""


def check(holds, *what):
    if not holds:
        print('FAILED:', *what)
        sys.exit(1)


def command(mode, table, count, *options, connection=None, **given):
    line = [PROGRAM, '--connection', connection or server.connection, '--mode', mode, '--table', table, '--count',
            str(count)]
    for name, value in given.items():
        line += ['--' + name.replace('_', '-'), str(value)]
    for option in ('restart-strategy.type=fixed-delay', 'restart-strategy.fixed-delay.delay=0 ms',
                   'restart-strategy.fixed-delay.attempts=100', *options):
        line += ['-D', option]
    return line


def run(*arguments, **given):
    return subprocess.run(command(*arguments, **given), capture_output=True, text=True, timeout=250)


def checkpoints(folder, interval='50 ms'):
    return [f'execution.checkpointing.dir={folder}', f'execution.checkpointing.interval={interval}',
            'execution.checkpointing.create-subdir=false',
            'execution.checkpointing.tolerable-failed-checkpoints=1000',
            'execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION']


def from_newest(folder):
    complete = glob.glob(f'{folder}/chk-*/_metadata')
    if not complete:
        return []
    newest = max(complete, key=lambda path: int(re.search(r'chk-(\d+)', path)[1]))
    return [f'execution.state-recovery.path={os.path.dirname(newest)}', 'execution.state-recovery.claim-mode=CLAIM']


def check_orders(table, count, *log):
    rows, ids, lowest, highest = server.query(
        f'SELECT count(*), count(DISTINCT id), min(id), max(id) FROM {table}')[0]
    check([rows, ids, lowest, highest] == [str(count), str(count), '0', str(count - 1)], 'orders', rows, ids, lowest,
          highest, 'of', count, *log)
    check(server.query(f'SELECT * FROM {table} WHERE {WRONG} LIMIT 1') == [], 'a wrong order', *log)


def check_totals(table, count, *log):
    want = [[str(key), str(len(range(key, count, 10))), str(sum(range(key, count, 10)))] for key in range(10)]
    got = server.query(f'SELECT key, orders, sum FROM {table} ORDER BY key')
    check(got == want, 'totals', got, want, *log)


def nothing_left(*log):
    left = server.query('SELECT gid FROM pg_prepared_xacts')
    check(left == [], 'prepared transactions are left:', left, *log)


def progress(mode, table):
    """Grows with what is in the table; an upsert's last value, else the rows."""
    return int(server.value(f'SELECT coalesce({"sum(orders)" if mode == "upsert" else "count(*)"}, 0) FROM {table}'))


def prepare_in_vain(job, folder):
    """Until it has prepared more than one checkpoint takes: no checkpoint can be complete meanwhile."""
    os.rename(folder, folder + '-away')
    open(folder, 'w').close()
    while job.poll() is None and prepared() <= 3:
        pass


def prepared():
    return int(server.value('SELECT count(*) FROM pg_prepared_xacts'))


def killed(mode, rounds, rescale=(2, 3, 1)):
    """Killed at moments that differ, each time at another parallelism, failing by itself in between."""
    rate = 4000
    count = rate * (1 + rounds)
    table = mode.replace('-', '_')
    server.query(f'CREATE TABLE {table} ({ORDERS.format(key="")})' if mode != 'upsert' else
                 f'CREATE TABLE {table} (key bigint PRIMARY KEY, orders bigint, sum bigint)')
    kills = 0
    left_over = 0
    with tempfile.TemporaryDirectory() as parent:
        folder = f'{parent}/checkpoints'
        log = open(f'{parent}/log', 'w+')
        for number in range(10 * rounds):
            options = checkpoints(folder) + from_newest(folder)
            options += [f'parallelism.default={rescale[number % len(rescale)]}']
            if kills < rounds:
                chance.shuffle(waits)
                target = progress(mode, table) + waits[0]
            else:
                target = 100 * count  # never
            job = subprocess.Popen(command(mode, table, count, *options, rate=rate, fail_every=1500, failures=2),
                                   stdout=log, stderr=log)
            # From here on it knows itself after a kill.
            while job.poll() is None and (not from_newest(folder) or progress(mode, table) < target):
                pass
            in_vain = mode == 'exactly-once' and number % 2 == 0 and job.poll() is None
            if in_vain:
                prepare_in_vain(job, folder)
            if job.poll() is None:
                job.kill()
                kills += 1
            code = job.wait()
            if in_vain:
                os.remove(folder)
                os.rename(folder + '-away', folder)
            left_over = max(left_over, prepared())
            if code == 0:
                break
            log.seek(0)
            check(job.returncode == -signal.SIGKILL, mode, 'ended by itself:', job.returncode, log.read())
        log.seek(0)
        text = log.read()
    check(job.returncode == 0 and kills >= rounds * 3 // 4, mode, 'was killed', kills, 'times', text[-3000:])
    check(text.count('injected') > 0, 'no failure was injected', text[-3000:])
    if mode == 'upsert':
        check_totals(table, count, text[-3000:])
    elif mode == 'exactly-once':
        check(left_over > 3, 'no kill left a prepared transaction')
        check_orders(table, count, text[-3000:])
    else:
        ids = int(server.value(f'SELECT count(DISTINCT id) FROM {table}'))
        check(ids == count and progress(mode, table) >= count, 'at least once:', ids, 'of', count, text[-3000:])
    nothing_left(text[-3000:])
    print(f'{mode}: killed {kills} times, up to {left_over} prepared transactions left')


def server_comes_back():
    """A server that stops and starts again, politely and in a crash: the job goes on."""
    for mode, how in (('upsert', signal.SIGINT), ('upsert', signal.SIGQUIT), ('exactly-once', signal.SIGINT),
                      ('exactly-once', signal.SIGQUIT)):
        table = 'back_' + mode.replace('-', '_') + str(how.value)
        count = 20000
        server.query(f'CREATE TABLE {table} ({ORDERS.format(key="")})' if mode != 'upsert' else
                     f'CREATE TABLE {table} (key bigint PRIMARY KEY, orders bigint, sum bigint)')
        with tempfile.TemporaryDirectory() as folder, open(f'{folder}/log', 'w+') as log:
            job = subprocess.Popen(command(mode, table, count, *checkpoints(folder), 'parallelism.default=2',
                                           rate=10000), stdout=log, stderr=log)
            while job.poll() is None and progress(mode, table) < count // 4:
                pass
            server.stop(how)
            server.start()
            job.wait(timeout=100)
            log.seek(0)
            text = log.read()
        check(job.returncode == 0, mode, how, text)
        if mode == 'upsert':
            check_totals(table, count, text)
        else:
            check_orders(table, count, text)
        nothing_left(text)


def fails(what, expected, *arguments, **given):
    given.setdefault('options', ())
    options = given.pop('options')
    done = run(*arguments, 'restart-strategy.type=none', *options, **given)
    check(done.returncode != 0, what, 'did not fail', done.stderr)
    for text in [expected] if isinstance(expected, str) else expected:
        check(text in done.stderr, f'{what}: expected: {text}\n', done.stderr)


def says_what_is_wrong():
    where = f'(127.0.0.1:{server.port}/postgres)'
    fails('no table', f"there is no table 'nowhere' in PostgreSQL {where}: create it", 'at-least-once', 'nowhere', 10)
    server.query('CREATE TABLE half (id bigint, item text, cost float8)')
    fails('no column', f"table 'half' in PostgreSQL {where} has no column 'price'; it has id, item, cost",
          'at-least-once', 'half', 10)
    server.query(f'CREATE TABLE keyed ({ORDERS.format(key=" PRIMARY KEY")})')
    server.query('INSERT INTO keyed (id, item) VALUES (7, \'mine\')')
    fails('a row that is there', [f"table 'keyed' in PostgreSQL {where} refuses the row id=\"7\", item=\"it's",
                                  'duplicate key value violates unique constraint "keyed_pkey"',
                                  'Key (id)=(7) already exists.', 'SQLSTATE 23505'], 'at-least-once', 'keyed', 10)
    fails('the same in a transaction', 'refuses the row id="7"', 'exactly-once', 'keyed', 10)
    check(server.value('SELECT count(*) FROM keyed') == '1', 'rows of a batch that failed')
    server.query(f'CREATE TABLE small ({ORDERS.format(key="")}, CHECK (price < 1))')
    fails('a check', ['refuses the row id="8"', 'violates check constraint "small_price_check"'], 'at-least-once',
          'small', 10)
    server.query('CREATE TABLE keyless (key bigint, orders bigint, sum bigint)')
    fails('no key', ['cannot be written to: there is no unique or exclusion constraint matching',
                     "Give the table a primary key or unique constraint on just the sink's keys"], 'upsert', 'keyless', 9)
    server.query('CREATE TABLE numbers (key numeric PRIMARY KEY, orders bigint, sum bigint)')
    check(run('upsert', 'numbers', 10).returncode == 0, 'upsert into a numeric key')
    server.query('CREATE ROLE reader LOGIN')
    fails('no permission', 'cannot be written to: permission denied for table numbers', 'upsert', 'numbers', 10,
          connection=server.connection.replace('user=flott', 'user=reader'))
    fails('no database', 'database "none" does not exist', 'upsert', 'numbers', 10,
          connection=server.connection.replace('dbname=postgres', 'dbname=none'))
    fails('no connection string', 'the connection string for PostgreSQL cannot be read: invalid connection option '
                                  '"hots". Write it as', 'upsert', 'numbers', 10, connection='hots=here password=secret')


def needs_prepared_transactions():
    other = Server(max_prepared_transactions=0)
    try:
        other.query(f'CREATE TABLE orders ({ORDERS.format(key="")})')
        fails('no prepared transactions',
              'exactly once takes prepared transactions, and the server\'s setting max_prepared_transactions is 0, with '
              '2 subtasks that prepare one for each checkpoint. Set it to 6 or more in postgresql.conf', 'exactly-once',
              'orders', 10, connection=other.connection, options=['parallelism.default=2'])
        check(other.value('SELECT count(*) FROM orders') == '0', 'rows in the table')
    finally:
        other.remove()


def cancelled_while_it_waits():
    """A statement that waits for a lock does not hold up the end of the job."""
    server.query(f'CREATE TABLE locked ({ORDERS.format(key="")})')
    holder = subprocess.Popen([program('psql'), server.connection, '-Xq'], stdin=subprocess.PIPE, text=True)
    holder.stdin.write('BEGIN; LOCK TABLE locked IN EXCLUSIVE MODE;\n')
    holder.stdin.flush()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'locked'::regclass"
    job = subprocess.Popen(command('at-least-once', 'locked', 10**9, rate=1000), stdout=subprocess.DEVNULL,
                           stderr=subprocess.PIPE, text=True)
    while job.poll() is None and int(server.value(waiting)) == 0:
        pass
    job.terminate()
    _, log = job.communicate(timeout=60)
    check(int(server.value(waiting)) == 0, 'the statement still waits', log)
    holder.communicate('ROLLBACK;\n')


if missing():
    sys.exit(f'{", ".join(missing())} of PostgreSQL is missing: tools/install-deps.sh --tests')
chance = random.Random(ROUNDS)
waits = [1, 50, 400, 900, 1500]
server = Server(max_prepared_transactions=40)
try:
    says_what_is_wrong()
    needs_prepared_transactions()
    cancelled_while_it_waits()
    for mode in ('exactly-once', 'upsert', 'at-least-once'):
        killed(mode, ROUNDS)
    server_comes_back()
finally:
    server.remove()
