"""Jobs whose master and workers are processes. Of one each worker has whole parts: one worker is killed, another stopped for
longer than its heartbeat; each number is in the files once. Of the other, which counts and sums by key, two workers have
a part each, and one is killed. Usage: cluster.py"""
import collections
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PROGRAM = os.environ['FLOTT_BUILD'] + '/tests/numbers_job'
COUNT = 60000
KEYS = 100
FOLDER = tempfile.mkdtemp()
OUT = f'{FOLDER}/out'
OPTIONS = {'parallelism.default': 4, 'execution.checkpointing.interval': '100 ms',
           'execution.checkpointing.dir': f'{FOLDER}/checkpoints', 'restart-strategy.type': 'fixed-delay',
           'restart-strategy.fixed-delay.delay': '0 ms', 'restart-strategy.fixed-delay.attempts': 20,
           'heartbeat.interval': '300 ms', 'heartbeat.timeout': '1500 ms'}
running = []


def check(holds, *what):
    if holds:
        return
    print('FAILED:', *what)
    for path in sorted(glob.glob(f'{FOLDER}/*.log')):
        print(f'--- {os.path.basename(path)}', open(path).read()[-3000:], sep='\n')
    sys.exit(1)


class Process:
    def __init__(self, role, name, **options):
        settings = {**OPTIONS, **options.pop('settings', {})}
        arguments = [f'-D{key}={value}' for key, value in settings.items()]
        for key, value in options.items():
            arguments += [f'--{key}', str(value)]
        self.log = f'{FOLDER}/{name}.log'
        self.process = subprocess.Popen([PROGRAM, '--role', role, '--name', name, '--count', str(COUNT), '--rate', '10000',
                                         '--out', OUT, *arguments], stdout=subprocess.PIPE, text=True,
                                        stderr=open(self.log, 'w'))
        running.append(self.process)

    def wait(self, timeout=60):
        """What it printed, and whether it says that all is well."""
        try:
            printed, _ = self.process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            check(False, self.log, 'does not end')
        return printed, self.process.returncode == 0

    def logs(self, text, times=1, timeout=30):
        until = time.monotonic() + timeout
        while len(re.findall(text, open(self.log).read())) < times:
            check(time.monotonic() < until, os.path.basename(self.log), 'does not say:', text)
            check(self.process.poll() is None, os.path.basename(self.log), 'ends without saying:', text)
            time.sleep(0.02)


def checkpoints(more):
    """Until there are some that are newer than those there are."""
    def newest():
        found = glob.glob(f'{FOLDER}/checkpoints/*/chk-*/_metadata')
        return max((int(re.search(r'chk-(\d+)', path)[1]) for path in found), default=0)
    wanted = newest() + more
    until = time.monotonic() + 30
    while newest() < wanted:
        check(time.monotonic() < until, 'no new checkpoints')
        time.sleep(0.02)


def lines_written():
    """All lines in files, and how many hidden files were left."""
    files = [path for path in glob.glob(f'{OUT}/**', recursive=True, include_hidden=True) if os.path.isfile(path)]
    hidden = [path for path in files if os.path.basename(path).startswith('.')]
    return [line for path in files if path not in hidden for line in open(path)], len(hidden)


def run():
    master = Process('master', 'master')
    port = int(master.process.stdout.readline())

    def worker(name, **options):
        return Process('worker', name, port=port, slots=2, **options)

    printed, well = worker('other', settings={'parallelism.default': 3}).wait()
    check(not well and 'of parallelism 4' in printed, 'a worker with another graph is not refused:', printed)
    workers = [worker(name) for name in ('w1', 'w2')]
    checkpoints(2)
    workers.append(worker('w3'))
    master.logs("worker 'w3' .* offers 2 slots")
    workers[0].process.kill()
    master.logs("worker 'w1' is lost: .*")
    checkpoints(2)
    workers.append(worker('w4'))
    master.logs("worker 'w4' .* offers 2 slots")
    workers[1].process.send_signal(signal.SIGSTOP)
    master.logs("worker 'w2' is lost: it has said nothing for 1500 ms")
    checkpoints(2)
    workers[1].process.send_signal(signal.SIGCONT)
    printed, well = workers[1].wait()
    check(not well and 'has lost its master' in printed, 'a worker that was stopped does not give up:', printed)
    printed, well = master.wait()
    ended = re.match(r'FINISHED after (\d+) restarts', printed)
    check(well and ended and int(ended[1]) >= 2, 'the master says:', printed)
    for one in workers[2:]:
        printed, well = one.wait()
        check(well, 'a worker was not dismissed:', printed)

    lines, hidden = lines_written()
    numbers = collections.Counter(int(line) for line in lines)
    twice = [number for number, times in numbers.items() if times > 1]
    check(not twice, 'there twice:', sorted(twice)[:20])
    check(len(numbers) == COUNT, 'there are', len(numbers), 'numbers of', COUNT)
    print(f'each of {COUNT} numbers is there once, after {ended[1]} restarts; hidden files left: {hidden}')


def run_keyed():
    master = Process('master', 'master', keyed='yes')
    port = int(master.process.stdout.readline())

    def worker(name):
        started = Process('worker', name, port=port, slots=2, keyed='yes')
        master.logs(f"worker '{name}' .* offers 2 slots")
        return started

    workers = [worker(name) for name in ('k1', 'k2')]
    checkpoints(3)
    workers.append(worker('k3'))
    workers[1].process.kill()
    master.logs("worker 'k2' is lost: .*")
    checkpoints(3)
    printed, well = master.wait()
    ended = re.match(r'FINISHED after (\d+) restarts', printed)
    check(well and ended and int(ended[1]) >= 1, 'the master says:', printed)
    for one in (workers[0], workers[2]):
        printed, well = one.wait()
        check(well, 'a worker was not dismissed:', printed)

    lines, _ = lines_written()
    seen = collections.defaultdict(list)
    for line in lines:
        key, count, total = map(int, line.split())
        seen[key].append((count, total))
    each = COUNT // KEYS
    for key in range(KEYS):
        counts = sorted(seen[key])
        check([count for count, _ in counts] == list(range(1, each + 1)), 'key', key, 'is not counted exactly:', counts[:20])
        check(counts[-1][1] == sum(range(key, COUNT, KEYS)), 'key', key, 'has the sum', counts[-1][1])
    print(f'{KEYS} keys are counted and summed exactly by two workers, after {ended[1]} restarts')


try:
    run()
    shutil.rmtree(OUT)
    shutil.rmtree(f'{FOLDER}/checkpoints', ignore_errors=True)
    run_keyed()
finally:
    for process in running:
        process.kill()
        process.wait()
    shutil.rmtree(FOLDER)
