#!/usr/bin/env python3
"""Many jobs at once on one machine: how long the cluster takes to start them all, and what JobManager, TaskManagers, masters and workers
use while all run and make checkpoints. The jobs write into files exactly once; at the end each is cancelled.

Usage: cluster_load.py [--build build/release] [--jobs 50] [--parallelism 1] [--interval '1 s'] [--watch SECONDS]
"""
import argparse
import collections
import concurrent.futures
import os
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, ROOT + '/tests/cluster')


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', default='build/release')
    parser.add_argument('--jobs', type=int, default=50)
    parser.add_argument('--parallelism', type=int, default=1)
    parser.add_argument('--interval', default='1 s')
    parser.add_argument('--rate', type=int, default=100, help='records a second of each job')
    parser.add_argument('--watch', type=float, default=20)
    parser.add_argument('--keep', action='store_true', help='show the logs when it fails')
    given = parser.parse_args()
    os.environ['FLOTT_BUILD'] = given.build
    import real_cluster as real

    with real.Cluster(taskmanagers=2, slots=(given.jobs * given.parallelism + 1) // 2 + given.parallelism,
                      settings={'heartbeat.interval': '10 s', 'heartbeat.timeout': '50 s'}) as cluster:
        cluster.show = lambda: None
        first = cluster.run_detached(real.PACED, '--count', 1, '--out', cluster.folder + '/first')
        cluster.wait_for(first, 'FINISHED')
        program = cluster.ask('/jars')['files'][0]['id']
        options = {**real.EXACTLY_ONCE, 'execution.checkpointing.interval': given.interval,
                   'execution.checkpointing.dir': cluster.folder + '/checkpoints'}

        def submit(i):
            for _ in range(100):
                answer = cluster.ask(f'/jars/{program}/run', 'POST',
                                     {'programArgsList': ['--count', '1000000', '--rate', str(given.rate), '--job', f'job {i}', '--out',
                                                          f'{cluster.folder}/out-{i}'],
                                      'flinkConfiguration': options, 'parallelism': given.parallelism})
                if answer:
                    return answer['jobid']
                time.sleep(0.2)  # more than may be started at once
            return real.check(False, 'job', i, 'is not taken')

        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            jobs = list(pool.map(submit, range(given.jobs)))
        submitted = time.monotonic() - began
        real.until(lambda: all(cluster.newest_checkpoint(job) >= 1 for job in jobs), 'each job has a checkpoint', 300, 0.5)
        running = time.monotonic() - began
        print(f'{given.jobs} jobs of {given.parallelism} subtasks: taken after {submitted:.1f} s, all with a checkpoint after '
              f'{running:.1f} s')

        def roles():
            found = {}
            for pid, (_, words) in real.processes().items():
                if not any(cluster.folder in word for word in words):
                    continue
                if words[0].startswith(cluster.place('jm') + '/'):
                    found[pid] = 'masters'
                elif words[0].startswith(cluster.folder):
                    found[pid] = 'workers'
                elif words[0] == real.FLOTT:
                    found[pid] = words[1]
            return found

        def checkpoints():
            return sum(cluster.checkpoints(job)['counts']['completed'] for job in jobs)

        who = roles()
        made = checkpoints()
        used = {pid: real.cpu_seconds(pid) for pid in who}
        start = time.monotonic()
        time.sleep(given.watch)
        took = time.monotonic() - start
        used = {pid: real.cpu_seconds(pid) - used[pid] for pid in who}
        asked = time.monotonic()
        overview = cluster.ask('/jobs/overview')
        asked = time.monotonic() - asked
        made = checkpoints() - made
        groups = collections.defaultdict(lambda: [0, 0.0, 0, 0])
        for pid, role in who.items():
            group = groups[role]
            group[0] += 1
            group[1] += used[pid]
            group[2] += real.stat_of(pid, 'RssAnon')
            group[3] += real.stat_of(pid, 'Threads')
        for role, (count, seconds, memory, threads) in sorted(groups.items()):
            print(f'{role:12} {count:4} processes, {threads:5} threads, {seconds / took * 100:6.1f} % of one core, '
                  f'{memory / 1024:7.1f} MB anonymous memory, {memory / 1024 / count:.1f} each')
        states = collections.Counter(job['state'] for job in overview['jobs'])
        print(f'{made / took:.1f} checkpoints a second; /jobs/overview of {sum(states.values())} jobs takes {asked * 1000:.0f} ms: '
              f'{dict(states)}')
        real.check(states['RUNNING'] == given.jobs, 'not all run')
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(20) as pool:
            list(pool.map(lambda job: cluster.ask(f'/jobs/{job}', 'PATCH'), jobs))
        real.until(lambda: not cluster.masters() and not cluster.workers('tm-1') and not cluster.workers('tm-2'), 'all have ended', 120, 0.2)
        print(f'cancelled, and all processes gone, after {time.monotonic() - began:.1f} s')


main()
