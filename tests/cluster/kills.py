"""Processes of a cluster are killed by SIGKILL: a worker, a TaskManager, a master, the JobManager. The job ends all the same, and its
files have everything once. Usage: kills.py [CASE]..."""
import os
import subprocess
import time

from real_cluster import (EXACTLY_ONCE, FLOTT, PACED, Cluster, alive, check, check_numbers, check_sums, files_of, first_published, kill,
                          read, run_cases, until)

COUNT = 40000
RATE = 8000


def start_sums(cluster, count=COUNT, parallelism=4, **options):
    out = cluster.folder + '/out'
    settings = {**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints', **options}
    job = cluster.run_detached(PACED, '--keyed', 'yes', '--count', count, '--rate', RATE, '--out', out, options=settings,
                               parallelism=parallelism)
    cluster.wait_for_checkpoints(job, 2)
    return job, out


def time_to_output(cluster, job, out, since, restored_before):
    """Seconds from then to the first file that was written after the job had gone back to a checkpoint."""
    restored = until(lambda: (lambda at: at if at > restored_before else 0)(cluster.restored_at(job)),
                     'the job goes on from a checkpoint', 20)
    return until(lambda: first_published(out, restored), 'new output', 20) - since


def a_worker():
    """Thrice, of a job whose tasks of both are connected."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job, out = start_sums(cluster)
        times = []
        for taskmanager in ('tm-1', 'tm-2', 'tm-1'):
            worker = until(lambda: cluster.workers(taskmanager), f'a worker of {taskmanager}')[0]
            restored = cluster.restored_at(job)
            killed = time.time()
            kill(worker)
            times.append(time_to_output(cluster, job, out, killed, restored))
            cluster.wait_for_checkpoints(job, 2)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)
        check(min(times) < 1, 'new output only after', times)
        return 'new output after ' + ', '.join(f'{one * 1000:.0f} ms' for one in times)


def a_taskmanager():
    """The job goes on where there are slots, and the workers of the one that was killed end."""
    with Cluster(taskmanagers=3, slots=2) as cluster:
        job, out = start_sums(cluster)
        mine = next(name for name in ('tm-1', 'tm-2', 'tm-3') if cluster.workers(name))
        workers = cluster.workers(mine)
        restored = cluster.restored_at(job)
        killed = time.time()
        kill(cluster.pid(mine))
        until(lambda: not any(map(alive, workers)), 'workers of a TaskManager that is gone end', 5)
        after = time_to_output(cluster, job, out, killed, restored)
        check(after < 1.5 + 1, 'new output only after', after)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)
        return f'new output after {after * 1000:.0f} ms'


def a_taskmanager_without_another():
    """The job waits for slots, and goes on when the TaskManager is there again."""
    with Cluster(taskmanagers=1, slots=2) as cluster:
        job, out = start_sums(cluster, parallelism=2)
        kill(cluster.pid('tm-1'))
        cluster.wait_for_taskmanagers(0)
        cluster.start_taskmanager('tm-1')
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)


def a_master():
    """Twice. Its workers end, and the next master goes on from the newest checkpoint."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job, out = start_sums(cluster)
        times = []
        for _ in range(2):
            master, = cluster.masters()
            workers = cluster.workers('tm-1') + cluster.workers('tm-2')
            killed = time.time()
            restored = cluster.restored_at(job)
            kill(master)
            until(lambda: not any(map(alive, workers)), 'workers whose master is gone end', 10)
            times.append(time_to_output(cluster, job, out, killed, restored))
            cluster.wait_for_checkpoints(job, 2)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)
        return 'new output after ' + ', '.join(f'{one * 1000:.0f} ms' for one in times)


def a_master_at_the_end():
    """As soon as it is certain that the job has finished: it does not begin once more, whatever of its checkpoints is left."""
    count = 2000
    with Cluster(taskmanagers=1, slots=2) as cluster:
        for i in range(5):
            out = f'{cluster.folder}/out-{i}'
            job = cluster.run_detached(PACED, '--keyed', 'yes', '--count', count, '--rate', 4000, '--out', out, parallelism=2,
                                       options={**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'})
            master, = cluster.masters()
            until(lambda: os.path.exists(f'{cluster.place("jm")}/archives/{job}.json'), 'its end is certain', 10, i / 2000)
            kill(master)
            cluster.wait_for(job, 'FINISHED')
            check_sums(out, count)
            check(cluster.masters() == [], 'another master was started')


def the_jobmanager():
    """TaskManagers stay, workers and masters end; the next one takes the job up from its newest checkpoint."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job, out = start_sums(cluster)
        workers = cluster.workers('tm-1') + cluster.workers('tm-2') + cluster.masters()
        check(len(workers) == 3, 'there are', workers)
        killed = time.time()
        kill(cluster.pid('jm'))
        until(lambda: not any(map(alive, workers)), 'masters and workers end', 10)
        check(alive(cluster.pid('tm-1')) and alive(cluster.pid('tm-2')), 'TaskManagers stay')
        cluster.started['jm'].wait()
        cluster.start_jobmanager()
        cluster.wait_for_taskmanagers(2)
        after = time_to_output(cluster, job, out, killed, 0)
        check(len(files_of(out)) > 0)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)
        check(cluster.checkpoints(job)['counts']['restored'] == 1, 'it went on from', cluster.checkpoints(job))
        return f'new output after {after * 1000:.0f} ms'


def the_jobmanager_of_a_client():
    """flott run waits for the next one, and for the end of its job."""
    with Cluster(taskmanagers=1, slots=2) as cluster:
        out = cluster.folder + '/out'
        options = {**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'}
        words = [word for key, value in options.items() for word in ('-D', f'{key}={value}')]
        said = cluster.folder + '/client.out'
        client = subprocess.Popen([FLOTT, 'run', '-m', cluster.address, *words, PACED, '--count', '10000', '--rate', '4000', '--out',
                                   out], stdout=open(said, 'w'), stderr=subprocess.STDOUT)
        cluster.started['client'] = client
        job = until(lambda: [one['jid'] for one in (cluster.ask('/jobs/overview') or {}).get('jobs', [])], 'the job is there')[0]
        cluster.wait_for_checkpoints(job, 2)
        kill(cluster.pid('jm'))
        cluster.started['jm'].wait()
        until(lambda: 'waiting for the cluster' in read(said), 'it notices', 10)
        cluster.start_jobmanager()
        until(lambda: client.poll() is not None, 'it ends')
        check(client.returncode == 0 and 'the job has ended' in read(said), client.returncode, read(said))
        check_numbers(out, 10000)


def the_jobmanager_and_taskmanagers():
    """All at once, as when the machine restarts; a job without keys."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        out = cluster.folder + '/out'
        job = cluster.run_detached(PACED, '--count', COUNT, '--rate', RATE, '--out', out, parallelism=4,
                                   options={**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'})
        cluster.wait_for_checkpoints(job, 2)
        for pid in cluster.all():
            kill(pid)
        for process in cluster.started.values():
            process.wait()
        cluster.start_jobmanager()
        for name in ('tm-1', 'tm-2'):
            cluster.start_taskmanager(name)
        cluster.wait_for(job, 'FINISHED')
        check_numbers(out, COUNT)


run_cases([a_worker, a_taskmanager, a_taskmanager_without_another, a_master, a_master_at_the_end, the_jobmanager,
           the_jobmanager_of_a_client, the_jobmanager_and_taskmanagers])
