"""Many jobs, one after the other: what JobManager and TaskManagers have of descriptors, threads, memory, children and files afterwards is
what they had before. Usage: leaks.py [CASE]..."""
import os
import time

from real_cluster import ODD, Cluster, check, open_files, processes, run_cases, stat_of, until

JOBS = 200
WARM = 30


def submit(cluster, program, arguments, parallelism=1):
    """By REST alone: it is the cluster that is looked at."""
    answer = cluster.ask(f'/jars/{program}/run', 'POST', {'programArgsList': arguments, 'parallelism': parallelism})
    return (answer or {}).get('jobid')


def measured(cluster, names):
    found = {}
    all_processes = processes()
    for name in names:
        pid = cluster.pid(name)
        found[name] = {'descriptors': open_files(pid), 'threads': stat_of(pid, 'Threads'), 'memory kB': stat_of(pid, 'RssAnon'),
                       'children': sum(1 for parent, _ in all_processes.values() if parent == pid)}
    return found


def files_in(folder):
    return sum(len(files) for _, _, files in os.walk(folder))


def submits_and_cancels():
    """Each second one is cancelled at once, perhaps before it has workers; the others end by themselves."""
    with Cluster(taskmanagers=2, slots=2, settings={'jobstore.max-capacity': '20', 'flott.log.max-job-files': '40'}) as cluster:
        cluster.command('run', ODD, '--deed', 'plain')
        program = cluster.ask('/jars')['files'][0]['id'].split('_')[0]
        names = ('jm', 'tm-1', 'tm-2')

        def round_of(count):
            for i in range(count):
                job = submit(cluster, program, ['--deed', 'endless' if i % 2 else 'plain'], 1 + i % 3)
                check(job, 'job', i, 'was not taken')
                if i % 4 == 1:
                    until(lambda: (cluster.ask(f'/jobs/{job}') or {}).get('state') == 'RUNNING', 'it runs')
                if i % 2:
                    until(lambda: cluster.ask(f'/jobs/{job}', 'PATCH') is not None or cluster.state(job) == 'CANCELED',
                          'it can be cancelled', 10)
                state = until(lambda: (lambda now: now if now in ('CANCELED', 'FINISHED', 'FAILED') else '')(cluster.state(job)),
                              'it ends', 15, 0.005)
                check(state == ('CANCELED' if i % 2 else 'FINISHED'), 'job', i, 'is', state, cluster.failure(job))

        def settle():
            until(lambda: not cluster.masters() and not cluster.workers('tm-1') and not cluster.workers('tm-2'),
                  'masters and workers end', 10)
            until(lambda: (cluster.ask('/overview') or {}).get('slots-available') == 4, 'all slots are free', 10)

        round_of(WARM)
        settle()
        before = measured(cluster, names)
        files = files_in(cluster.folder)
        began = time.monotonic()
        round_of(JOBS - WARM)
        each = (time.monotonic() - began) / (JOBS - WARM)
        settle()

        def as_before():
            now = measured(cluster, names)
            return all(now[name][what] <= before[name][what] + (4000 if what == 'memory kB' else 2)
                       for name in names for what in before[name])
        until(as_before, lambda: f'as before: {before}, and now {measured(cluster, names)}', 10)
        check(files_in(cluster.folder) <= files + 60, 'there were', files, 'files, and now', files_in(cluster.folder))
        now = measured(cluster, names)
        return f'{JOBS} jobs, {each * 1000:.0f} ms each; ' + '; '.join(
            f'{name}: ' + ', '.join(f'{what} {before[name][what]} to {now[name][what]}' for what in before[name])
            for name in names) + f'; files {files} to {files_in(cluster.folder)}'


run_cases([submits_and_cancels])
