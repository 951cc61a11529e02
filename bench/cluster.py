#!/usr/bin/env python3
"""What a cluster costs while it does nothing, and how long it takes to start and to run a job of ten records.

Usage: cluster.py [--build build/release] [--runs N] [--idle SECONDS]
"""
import argparse
import os
import statistics
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT + '/tests/cluster')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', default='build/release')
    parser.add_argument('--runs', type=int, default=10)
    parser.add_argument('--idle', type=float, default=10)
    given = parser.parse_args()
    os.environ['FLOTT_BUILD'] = given.build
    import real_cluster as real

    def seconds(*words):
        began = time.monotonic()
        result = subprocess.run([real.FLOTT, *map(str, words)], capture_output=True, text=True)
        took = time.monotonic() - began
        if result.returncode != 0:
            sys.exit(result.stdout + result.stderr)
        return took

    def tell(what, values, aim):
        values = sorted(values)
        print(f'{what:44} median {statistics.median(values) * 1000:6.0f} ms, {values[0] * 1000:.0f} to {values[-1] * 1000:.0f} ms '
              f'of {len(values)} (aim {aim})')

    def memory(cluster, when):
        parts = {}
        for pid, (_, words) in real.processes().items():
            if any(cluster.folder in word for word in words):
                name = next((word for word in words if word in ('jobmanager', 'taskmanager')), words[0])
                parts[name] = parts.get(name, 0) + real.stat_of(pid, 'RssAnon')
        real.check(parts, 'no process of the cluster is found')
        print(f'{"anonymous memory " + when:44} {sum(parts.values()) / 1024:6.1f} MB: ' +
              ', '.join(f'{name} {kilobytes / 1024:.1f}' for name, kilobytes in parts.items()) + ' (aim under 60)')
        return list(parts)

    cluster = real.Cluster(start=False)
    cluster.settings = {}  # as a user has it
    with cluster:
        words = [word for key, value in cluster.jobmanager_settings().items() for word in ('-D', f'{key}={value}')]
        starts, stops = [], []
        for _ in range(3):
            starts.append(seconds('cluster', 'start', *words))
            stops.append(seconds('cluster', 'stop', *words))
        starts.append(seconds('cluster', 'start', *words))
        tell('flott cluster start', starts, '1 s')
        tell('flott cluster stop', stops, '1 s')
        memory(cluster, 'after the start')
        first = seconds('run', '-m', cluster.address, real.ODD, '--deed', 'plain')
        tell('flott run, the first time', [first], 'none')
        tell('flott run', [seconds('run', '-m', cluster.address, real.ODD, '--deed', 'plain') for _ in range(given.runs)], '0.3 s')
        tell('flott run, detached', [seconds('run', '-d', '-m', cluster.address, real.ODD, '--deed', 'plain')
                                     for _ in range(given.runs)], '0.3 s')
        time.sleep(2)
        memory(cluster, f'after {2 * given.runs + 1} jobs')
        pids = cluster.all()
        before = sum(map(real.cpu_seconds, pids))
        time.sleep(given.idle)
        used = sum(map(real.cpu_seconds, pids)) - before
        print(f'{"processor time while idle":44} {used / given.idle * 100:6.2f} % of one core, {used:.2f} s of {given.idle:.0f} s '
              '(aim under 1 %)')


main()
