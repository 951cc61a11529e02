"""A cluster of real processes for tests of its bad days: a JobManager and TaskManagers on free ports, in a folder of its own, of
which all processes are found by that folder's name in their command lines, and killed at the end.

    with Cluster(taskmanagers=2, slots=2) as cluster:
        job = cluster.run_detached(PACED, '--count', '1000', '--out', cluster.folder + '/out')
        cluster.wait_for_checkpoints(job, 2)
        kill(cluster.workers('tm-1')[0])
        cluster.wait_for(job, 'FINISHED')
"""
import collections
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

BUILD = os.path.abspath(os.environ.get('FLOTT_BUILD', 'build/release'))
FLOTT = BUILD + '/bin/flott'
PACED = BUILD + '/tests/paced_job'
ODD = BUILD + '/tests/odd_job'


class Failed(Exception):
    pass


def check(holds, *what):
    if not holds:
        raise Failed(' '.join(map(str, what)))


def until(condition, what, seconds=30, pause=0.02):
    """Polls until the condition is something true, which is returned."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        check(time.monotonic() < end, 'not within', seconds, 's:', what() if callable(what) else what)
        time.sleep(pause)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(('127.0.0.1', 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def read(path, otherwise=''):
    try:
        with open(path, errors='replace') as file:
            return file.read()
    except OSError:
        return otherwise


def processes():
    """Process id -> (parent, words of its command line), of those that have not ended."""
    found = {}
    for name in os.listdir('/proc'):
        if not name.isdigit():
            continue
        try:
            with open(f'/proc/{name}/cmdline', 'rb') as file:
                words = file.read().decode(errors='replace').split('\0')
            with open(f'/proc/{name}/stat') as file:
                fields = file.read().rpartition(')')[2].split()
        except OSError:
            continue
        if fields[0] not in 'ZX':
            found[int(name)] = (int(fields[1]), words)
    return found


def kill(pid, number=signal.SIGKILL):
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def alive(pid):
    return pid in processes()


def stat_of(pid, key):
    """A number of /proc/PID/status, in kB where it is memory."""
    found = re.search(rf'^{key}:\s+(\d+)', read(f'/proc/{pid}/status'), re.MULTILINE)
    return int(found[1]) if found else 0


def cpu_seconds(pid):
    fields = read(f'/proc/{pid}/stat').rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK') if fields else 0.0


def open_files(pid):
    try:
        return len(os.listdir(f'/proc/{pid}/fd'))
    except OSError:
        return 0


class Cluster:
    DEFAULTS = {'heartbeat.interval': '300 ms', 'heartbeat.timeout': '1500 ms'}

    def __init__(self, taskmanagers=2, slots=2, settings=None, start=True):
        self.folder = tempfile.mkdtemp(prefix='flott-bad-day-')
        self.rest_port, self.rpc_port = free_ports(2)
        self.address = f'127.0.0.1:{self.rest_port}'
        self.slots = slots
        self.settings = {**self.DEFAULTS, **(settings or {})}
        self.started = {}
        self.prefixes = {}  # of the command lines of single processes: in which namespaces they run
        if start:
            self.start_jobmanager()
            for i in range(1, taskmanagers + 1):
                self.start_taskmanager(f'tm-{i}')
            self.wait_for_taskmanagers(taskmanagers)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind is not None and kind is not SystemExit:
            self.show()
        self.end()
        return False

    def end(self):
        for _ in range(3):
            for pid in self.all():
                kill(pid)
        for process in self.started.values():
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def show(self):
        logs = [*glob.glob(f'{self.folder}/**/*.log', recursive=True), *glob.glob(f'{self.folder}/**/*.out', recursive=True)]
        for path in sorted(logs):
            print(f'--- {path}', read(path)[-2500:], sep='\n')

    # --- processes ---

    def start(self, name, command, settings):
        folder = self.place(name)
        os.makedirs(folder, exist_ok=True)
        words = [word for key, value in settings.items() for word in ('-D', f'{key}={value}')]
        output = open(f'{self.folder}/{name}.out', 'a')
        self.started[name] = subprocess.Popen([*self.prefixes.get(name, []), FLOTT, command, *words], stdin=subprocess.DEVNULL,
                                              stdout=output, stderr=output, start_new_session=True)
        return self.started[name]

    def place(self, name):
        return f'{self.folder}/{name}'

    def jobmanager_settings(self):
        return {'rest.port': self.rest_port, 'rest.bind-port': self.rest_port, 'jobmanager.rpc.port': self.rpc_port,
                'process.jobmanager.working-dir': self.place('jm'), **self.settings}

    def start_jobmanager(self, name='jm', wait=True, **more):
        process = self.start(name, 'jobmanager', {**self.jobmanager_settings(), **more})
        if wait:
            until(lambda: self.ask('/overview') or process.poll() is not None, 'the JobManager serves')
            check(process.poll() is None, 'the JobManager ended:', read(f'{self.folder}/{name}.out'))
        return process

    def start_taskmanager(self, name, **more):
        return self.start(name, 'taskmanager',
                          {'jobmanager.rpc.port': self.rpc_port, 'taskmanager.resource-id': name,
                           'taskmanager.numberOfTaskSlots': self.slots,
                           'process.taskmanager.working-dir': self.place(name), **self.settings, **more})

    def wait_for_taskmanagers(self, count, seconds=30):
        until(lambda: (self.ask('/overview') or {}).get('taskmanagers') == count, f'{count} TaskManagers are there', seconds)

    def pid(self, name):
        return self.started[name].pid

    def all(self):
        return [pid for pid, (_, words) in processes().items()
                if pid != os.getpid() and any(self.folder in word for word in words)]

    def _of(self, place):
        return sorted(pid for pid, (_, words) in processes().items() if words[0].startswith(place + '/store/'))

    def workers(self, taskmanager):
        return self._of(self.place(taskmanager))

    def masters(self):
        return self._of(self.place('jm'))

    def log(self, name):
        return '\n'.join(read(path) for path in glob.glob(f'{self.place(name)}/log/*.log'))

    def logs(self, name, pattern, seconds=30, times=1):
        until(lambda: len(re.findall(pattern, self.log(name))) >= times, f'{name} logs: {pattern}', seconds)

    # --- the flott command and REST ---

    def flott(self, *words, code=0, seconds=60):
        """Its output and what it says beside, having ended as it should."""
        result = subprocess.run([FLOTT, *map(str, words)], capture_output=True, text=True, errors='replace', timeout=seconds,
                                stdin=subprocess.DEVNULL)
        check(code is None or result.returncode == code, 'flott', *words, 'ended with', result.returncode, 'not', code,
              '\n' + result.stdout, result.stderr)
        return result.stdout, result.stderr

    def command(self, name, *words, code=0, seconds=60):
        return self.flott(name, '-m', self.address, *words, code=code, seconds=seconds)

    def run_detached(self, program, *arguments, options=None, parallelism=1, words=()):
        given = [word for key, value in (options or {}).items() for word in ('-D', f'{key}={value}')]
        out, _ = self.command('run', '-d', '-p', parallelism, *given, *words, program, *arguments)
        return re.search(r'JobID ([0-9a-f]{32})', out)[1]

    def ask(self, path, method='GET', body=None):
        """The document; None when there is no answer or an error."""
        request = urllib.request.Request(f'http://{self.address}{path}', method=method,
                                         data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return json.loads(answer.read() or b'{}')
        except (OSError, ValueError, urllib.error.URLError):
            return None

    def state(self, job):
        return (self.ask(f'/jobs/{job}') or {}).get('state')

    def wait_for(self, job, state, seconds=30):
        until(lambda: self.state(job) == state, lambda: f'job {job} is {state}; it is {self.state(job)}', seconds)

    def failure(self, job):
        entries = (self.ask(f'/jobs/{job}/exceptions') or {}).get('exceptionHistory', {}).get('entries', [])
        return entries[0]['stacktrace'] if entries else ''

    def checkpoints(self, job):
        return self.ask(f'/jobs/{job}/checkpoints') or {}

    def newest_checkpoint(self, job):
        return (((self.checkpoints(job).get('latest') or {}).get('completed')) or {}).get('id', 0)

    def wait_for_checkpoints(self, job, more, seconds=30):
        wanted = self.newest_checkpoint(job) + more
        until(lambda: self.newest_checkpoint(job) >= wanted, f'checkpoint {wanted} of job {job}', seconds)

    def restored_at(self, job):
        """When the newest restore was, in seconds since 1970; 0 for none."""
        restored = (self.checkpoints(job).get('latest') or {}).get('restored') or {}
        return restored.get('restore_timestamp', 0) / 1000


# --- what a job of paced_job has written ---

EXACTLY_ONCE = {'execution.checkpointing.interval': '100 ms', 'restart-strategy.type': 'fixed-delay',
                'restart-strategy.fixed-delay.delay': '0 ms', 'restart-strategy.fixed-delay.attempts': '1000'}


def files_of(folder):
    """Published ones: names that begin with a dot are in the making."""
    found = glob.glob(f'{folder}/**', recursive=True, include_hidden=True)
    return [path for path in found if os.path.isfile(path) and not os.path.basename(path).startswith('.')]


def check_numbers(folder, count):
    lines = [line for path in files_of(folder) for line in open(path)]
    numbers = collections.Counter(map(int, lines))
    twice = sorted(number for number, times in numbers.items() if times > 1)
    missing = sorted(set(range(count)) - set(numbers))
    check(not twice, len(twice), 'numbers are there twice:', twice[:20])
    check(not missing, len(missing), 'numbers are missing:', missing[:20])
    check(len(numbers) == count, 'there are', len(numbers), 'numbers of', count)


def check_sums(folder, count, keys=100):
    seen = collections.defaultdict(list)
    for path in files_of(folder):
        for line in open(path):
            key, number, total = map(int, line.split())
            seen[key].append((number, total))
    for key in range(keys):
        counts = sorted(seen[key])
        each = len(range(key, count, keys))
        check([number for number, _ in counts] == list(range(1, each + 1)), 'key', key, 'is not counted exactly:',
              len(counts), 'of', each, counts[:10], counts[-5:])
        check(counts[-1][1] == sum(range(key, count, keys)), 'key', key, 'has the sum', counts[-1][1])


def first_published(folder, written_after):
    """When the first file was published that was written after that time; None for none yet."""
    times = []
    for path in files_of(folder):
        try:
            info = os.stat(path)
        except OSError:
            continue
        if info.st_mtime > written_after:
            times.append(info.st_ctime)
    return min(times, default=None)


def run_cases(cases):
    """The names of some on the command line run these alone."""
    wanted = sys.argv[1:]
    for case in cases:
        if wanted and case.__name__ not in wanted:
            continue
        began = time.monotonic()
        try:
            said = case()
        except Failed as failure:
            print(f'FAILED: {case.__name__}: {failure}')
            sys.exit(1)
        print(f'{case.__name__}: {said or "well"} ({time.monotonic() - began:.1f} s)', flush=True)
