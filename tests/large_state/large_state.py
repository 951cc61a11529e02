"""A job with keyed state on disk that is larger than the memory it may allocate: killed in the middle, it goes on from its
last checkpoint and ends with all of its state. Usage: large_state.py STATE_MB LIMIT_MB"""
import glob
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ['FLOTT_BUILD'] + '/tests/large_state_job'
STATE, LIMIT = int(sys.argv[1]) << 20, int(sys.argv[2]) << 20
BYTES = 2000
KEYS = STATE // BYTES


def check(holds, *what):
    if not holds:
        print('FAILED:', *what)
        sys.exit(1)


def complete():
    return sorted(glob.glob(f'{FOLDER}/checkpoints/chk-*/_metadata'),
                  key=lambda path: int(re.search(r'chk-(\d+)', path)[1]))


def bytes_below(folder):
    return sum(os.path.getsize(os.path.join(path, file)) for path, _, files in os.walk(folder) for file in files)


def limit_memory():
    resource.setrlimit(resource.RLIMIT_STACK, (1 << 20, 1 << 20))  # of each thread, and all of it counts
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))


def start(log):
    options = ['state.backend.type=rocksdb', f'state.backend.rocksdb.localdir={FOLDER}/local',
               f'taskmanager.memory.managed.size={LIMIT // 8} b', f'flott.state.rocksdb.cache-size={LIMIT // 16} b',
               f'state.backend.rocksdb.writebuffer.size={LIMIT // 32} b',
               'execution.checkpointing.interval=1 s', f'execution.checkpointing.dir={FOLDER}/checkpoints',
               'execution.checkpointing.create-subdir=false', 'execution.checkpointing.incremental=true',
               'restart-strategy.type=none', 'parallelism.default=1']
    if complete():
        options += [f'execution.state-recovery.path={os.path.dirname(complete()[-1])}',
                    'execution.state-recovery.claim-mode=CLAIM']
    return subprocess.Popen(
        [PROGRAM, '--keys', str(KEYS), '--bytes', str(BYTES), *(word for option in options for word in ('-D', option))],
        stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=limit_memory)


def wait(job, seconds, done):
    deadline = time.monotonic() + seconds
    while not done() and job.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)


with tempfile.TemporaryDirectory() as FOLDER:
    patience = 100 + STATE // (2 << 20)
    with open(FOLDER + '/log', 'w+') as log:
        job = start(log)
        # Once its state is larger than its memory.
        wait(job, patience, lambda: complete() and bytes_below(FOLDER + '/checkpoints') > 2 * LIMIT)
        killed = job.poll() is None
        if killed:
            job.send_signal(signal.SIGKILL)
        job.wait()
        log.seek(0)
        check(killed, f'the job ended with {job.returncode} before it could be killed:', log.read())
        check(bytes_below(FOLDER + '/checkpoints') > 2 * LIMIT, 'the state did not become larger than the memory')
        resumed = complete()[-1]
        job = start(log)
        wait(job, patience, lambda: False)
        log.seek(0)
        text = log.read()
        check(job.poll() == 0, f'exit code {job.poll()} from {resumed}:', text)
        check(f'all {KEYS} keys have their text' in text, 'nothing came out:', text)
        check('starts from checkpoint' in text, 'it did not begin from a checkpoint:', text)
