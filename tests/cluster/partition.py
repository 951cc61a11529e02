"""The network of two TaskManagers, each in a network namespace of its own, with the JobManager in a third: cut between the two, so that
their workers do not reach each other while both reach the master; and cut off from the JobManager. Needs root. Usage: partition.py
[CASE]..."""
import json
import os
import subprocess
import sys
import time

from real_cluster import EXACTLY_ONCE, FLOTT, PACED, Cluster, Failed, check, check_sums, run_cases, until

COUNT = 40000
RATE = 8000
SKIPPED = 77


def ip(*words, inside=None):
    command = ['ip', *(['-n', inside] if inside else []), *words]
    result = subprocess.run(command, capture_output=True, text=True)
    check(result.returncode == 0, ' '.join(command), result.stderr)


class Network:
    """A bridge in the JobManager's namespace, with a link to each of the others; 10.77.0.1 is the JobManager's."""

    def __init__(self, count=2):
        self.names = [f'flott-{os.getpid()}-{i}' for i in range(count + 1)]
        self.made = []
        try:
            self.make()
        except (Failed, OSError):
            self.remove()
            raise

    def make(self):
        for name in self.names:
            ip('netns', 'add', name)
            self.made.append(name)
            ip('link', 'set', 'lo', 'up', inside=name)
        hub = self.names[0]
        ip('link', 'add', 'hub', 'type', 'bridge', inside=hub)
        ip('addr', 'add', '10.77.0.1/24', 'dev', 'hub', inside=hub)
        ip('link', 'set', 'hub', 'up', inside=hub)
        for i, name in enumerate(self.names[1:], 1):
            ip('link', 'add', f'v{i}', 'type', 'veth', 'peer', 'name', 'eth', 'netns', name, inside=hub)
            ip('link', 'set', f'v{i}', 'master', 'hub', 'up', inside=hub)
            ip('addr', 'add', f'10.77.0.{i + 1}/24', 'dev', 'eth', inside=name)
            ip('link', 'set', 'eth', 'up', inside=name)

    def part(self, i, other):
        """Packets from i to the other get lost, without a word."""
        ip('route', 'add', 'blackhole', f'10.77.0.{other + 1}/32', inside=self.names[i])

    def join(self, i, other):
        ip('route', 'del', 'blackhole', f'10.77.0.{other + 1}/32', inside=self.names[i])

    def unplug(self, i):
        ip('link', 'set', f'v{i}', 'down', inside=self.names[0])

    def plug(self, i):
        ip('link', 'set', f'v{i}', 'up', inside=self.names[0])

    def remove(self):
        for name in self.made:
            subprocess.run(['ip', 'netns', 'del', name], capture_output=True)


class SpreadCluster(Cluster):
    """Its commands and documents are asked for within the JobManager's namespace."""

    def __init__(self, network, taskmanagers=2, slots=2):
        insecure = {'flott.rpc.insecure': 'true', 'jobmanager.rpc.address': '10.77.0.1', 'jobmanager.bind-host': '10.77.0.1',
                    'flott.rest.insecure': 'true', 'rest.bind-address': '0.0.0.0', 'rest.address': '10.77.0.1',
                    'slot.request.timeout': '5 s', 'flott.network.silence-timeout': '2 s'}
        super().__init__(slots=slots, settings=insecure, start=False)
        self.address = f'10.77.0.1:{self.rest_port}'
        self.inside = ['ip', 'netns', 'exec', network.names[0]]
        self.prefixes = {'jm': self.inside}
        try:
            self.start_jobmanager()
            for i in range(1, taskmanagers + 1):
                name = f'tm-{i}'
                self.prefixes[name] = ['ip', 'netns', 'exec', network.names[i]]
                self.start_taskmanager(name, **{'taskmanager.host': f'10.77.0.{i + 1}'})
            self.wait_for_taskmanagers(taskmanagers)
        except Failed:
            self.show()
            self.end()
            raise

    def ask(self, path, method='GET', body=None):
        asks = 'import sys, urllib.request as r; print(r.urlopen(r.Request(sys.argv[2], method=sys.argv[1]), timeout=5).read().decode())'
        result = subprocess.run([*self.inside, sys.executable, '-c', asks, method, f'http://{self.address}{path}'],
                                capture_output=True, text=True)
        try:
            return json.loads(result.stdout) if result.returncode == 0 else None
        except ValueError:
            return None

    def flott(self, *words, code=0, seconds=60):
        result = subprocess.run([*self.inside, FLOTT, *map(str, words)], capture_output=True, text=True, timeout=seconds,
                                stdin=subprocess.DEVNULL)
        check(code is None or result.returncode == code, 'flott', *words, 'ended with', result.returncode, result.stderr)
        return result.stdout, result.stderr


def start_sums(cluster, parallelism=4):
    out = cluster.folder + '/out'
    job = cluster.run_detached(PACED, '--keyed', 'yes', '--count', COUNT, '--rate', RATE, '--out', out, parallelism=parallelism,
                               options={**EXACTLY_ONCE, 'restart-strategy.fixed-delay.delay': '200 ms',
                                        'execution.checkpointing.dir': cluster.folder + '/checkpoints'})
    cluster.wait_for_checkpoints(job, 2)
    return job, out


def between_workers():
    """They reach the master all the time: nothing but the exchange between them stands still. The job begins anew, and is whole when
    the network is."""
    network = Network()
    try:
        with SpreadCluster(network) as cluster:
            job, out = start_sums(cluster)
            check(cluster.workers('tm-1') and cluster.workers('tm-2'), 'it is not spread over both')
            network.part(1, 2)
            parted = time.monotonic()
            until(lambda: len((cluster.ask(f'/jobs/{job}/exceptions') or {}).get('exceptionHistory', {}).get('entries', [])) > 0,
                  'the job notices that its workers do not reach each other', 30)
            noticed = time.monotonic() - parted
            network.join(1, 2)
            joined = time.monotonic()
            cluster.wait_for_checkpoints(job, 2)
            whole = time.monotonic() - joined
            cluster.wait_for(job, 'FINISHED')
            check_sums(out, COUNT)
            return f'noticed after {noticed:.1f} s, whole again {whole:.1f} s after the network was'
    finally:
        network.remove()


def from_the_jobmanager():
    """A TaskManager without network for longer than the heartbeat: others take the place of its workers, which end by themselves."""
    network = Network(3)
    try:
        with SpreadCluster(network, taskmanagers=3) as cluster:
            job, out = start_sums(cluster)
            mine = next(i for i in (1, 2, 3) if cluster.workers(f'tm-{i}'))
            network.unplug(mine)
            cluster.wait_for_taskmanagers(2)
            until(lambda: not cluster.workers(f'tm-{mine}'), 'workers that are cut off end', 10)
            cluster.wait_for_checkpoints(job, 3)
            network.plug(mine)
            cluster.wait_for_taskmanagers(3)
            cluster.wait_for(job, 'FINISHED')
            check_sums(out, COUNT)
    finally:
        network.remove()


try:
    network = Network()
    network.part(1, 2)
    network.join(1, 2)
    network.remove()
except (Failed, OSError) as error:
    print(f'SKIPPED: network namespaces cannot be made here: {error}')
    sys.exit(SKIPPED)
run_cases([between_workers, from_the_jobmanager])
