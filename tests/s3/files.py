"""A job that writes files to S3 is killed again and again: objects that readers see have each number once, in between and
in the end. Exit code 0 when all is so.
"""
import glob
import os
import re
import signal
import subprocess
import sys
import tempfile
import time

from store import Store

PROGRAM = os.environ['FLOTT_BUILD'] + '/examples/exactly_once_files'
COUNT = 30000


def check(holds, *what):
    if not holds:
        print('FAILED:', *what)
        sys.exit(1)


def newest():
    complete = glob.glob(f'{folder}/checkpoints/chk-*/_metadata')
    return max((int(re.search(r'chk-(\d+)', path)[1]) for path in complete), default=0)


def start(parallelism):
    options = {'s3.endpoint': store.endpoint, 's3.access-key': 'key', 's3.secret-key': 'the/secret+',
               'parallelism.default': parallelism, 'execution.checkpointing.interval': '100 ms',
               'execution.checkpointing.dir': f'{folder}/checkpoints', 'execution.checkpointing.create-subdir': 'false'}
    if newest() > 0:
        options['execution.state-recovery.path'] = f'{folder}/checkpoints/chk-{newest()}'
        options['execution.state-recovery.claim-mode'] = 'CLAIM'
    line = [PROGRAM, '--count', str(COUNT), '--rate', '10000', '--out', 's3://bucket/out']
    return subprocess.Popen(line + [word for name, value in options.items() for word in ('-D', f'{name}={value}')],
                            stdout=log, stderr=log)


def objects(hidden):
    names = [name for name in store.names('out') if not name.endswith('/')]
    return [name for name in names if os.path.basename(name).startswith('.') == hidden]


def numbers():
    found = []
    for name in objects(hidden=False):
        found += store.client.get_object(Bucket='bucket', Key=name)['Body'].read().decode().splitlines()
    return sorted(map(int, found))


def killed_and_restored():
    hidden = 0
    for parallelism in (2, 3, 1, 2):
        job = start(parallelism)
        wanted = newest() + 3
        give_up = time.monotonic() + 60
        while (newest() < wanted or not objects(hidden=False)) and job.poll() is None:
            check(time.monotonic() < give_up, 'no checkpoint came, or nothing was published', text())
        job.kill()
        job.wait()
        check(job.returncode == -signal.SIGKILL, 'the job ended by itself', job.returncode, text())
        there = numbers()
        check(len(there) == len(set(there)), 'numbers are there twice', text())
        hidden += len(objects(hidden=True))
    check(hidden > 0, 'no kill left a hidden object')
    job = start(2)
    check(job.wait(timeout=100) == 0, 'the last run failed', text())
    there = numbers()
    check(there == list(range(COUNT)), 'there are', len(there), 'numbers,', len(set(there)), 'of them different', text())
    check(objects(hidden=True) == [], 'hidden objects are left:', objects(hidden=True), text())
    print(f'each of {COUNT} numbers is once in {len(objects(hidden=False))} objects')


def text():
    log.seek(0)
    return log.read()[-5000:]


store = Store()
try:
    with tempfile.TemporaryDirectory() as folder, open(f'{folder}/log', 'w+') as log:
        killed_and_restored()
finally:
    store.server.stop()
