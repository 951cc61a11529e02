"""Processes of a cluster are stopped for longer than the heartbeat, and go on later: a worker, a TaskManager, a master, the JobManager.
What others have done meanwhile is not done twice. Usage: stops.py [CASE]..."""
import signal
import time

from real_cluster import EXACTLY_ONCE, PACED, Cluster, alive, check, check_sums, kill, run_cases, until

COUNT = 40000
RATE = 8000


def start_sums(cluster):
    out = cluster.folder + '/out'
    job = cluster.run_detached(PACED, '--keyed', 'yes', '--count', COUNT, '--rate', RATE, '--out', out, parallelism=4,
                               options={**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'})
    cluster.wait_for_checkpoints(job, 2)
    return job, out


def a_worker():
    """It is given up, and killed since it does not end."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job, out = start_sums(cluster)
        worker, = cluster.workers('tm-1')
        kill(worker, signal.SIGSTOP)
        stopped = time.monotonic()
        until(lambda: not alive(worker), 'a worker that says nothing is killed', 10)
        after = time.monotonic() - stopped
        cluster.wait_for_checkpoints(job, 2)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)
        return f'killed after {after:.1f} s'


def a_taskmanager():
    """Its workers are not its own any more: others have taken their place. It comes back without them."""
    with Cluster(taskmanagers=3, slots=2) as cluster:
        job, out = start_sums(cluster)
        mine = next(name for name in ('tm-1', 'tm-2', 'tm-3') if cluster.workers(name))
        workers = cluster.workers(mine)
        for pid in [cluster.pid(mine), *workers]:
            kill(pid, signal.SIGSTOP)
        cluster.wait_for_taskmanagers(2, 10)
        cluster.wait_for_checkpoints(job, 3)
        for pid in [cluster.pid(mine), *workers]:
            kill(pid, signal.SIGCONT)
        cluster.wait_for_taskmanagers(3, 10)
        until(lambda: not any(map(alive, workers)), 'workers that are not needed any more end', 10)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)


def a_taskmanager_alone():
    """Its workers go on meanwhile, with their master; the JobManager has given them up."""
    with Cluster(taskmanagers=3, slots=2) as cluster:
        job, out = start_sums(cluster)
        mine = next(name for name in ('tm-1', 'tm-2', 'tm-3') if cluster.workers(name))
        kill(cluster.pid(mine), signal.SIGSTOP)
        cluster.wait_for_taskmanagers(2, 10)
        cluster.wait_for_checkpoints(job, 3)
        kill(cluster.pid(mine), signal.SIGCONT)
        cluster.wait_for_taskmanagers(3, 10)
        cluster.wait_for_checkpoints(job, 3)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)
        until(lambda: not any(cluster.workers(name) for name in ('tm-1', 'tm-2', 'tm-3')), 'all workers end', 10)


def a_master():
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job, out = start_sums(cluster)
        master, = cluster.masters()
        workers = cluster.workers('tm-1') + cluster.workers('tm-2')
        kill(master, signal.SIGSTOP)
        until(lambda: not any(map(alive, workers)), 'workers give up a master that says nothing', 10)
        kill(master, signal.SIGCONT)
        cluster.wait_for_checkpoints(job, 3)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)


def the_jobmanager():
    """TaskManagers give it up, and come back when it goes on."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job, out = start_sums(cluster)
        kill(cluster.pid('jm'), signal.SIGSTOP)
        cluster.logs('tm-1', 'the JobManager is lost', 10)
        cluster.logs('tm-2', 'the JobManager is lost', 10)
        kill(cluster.pid('jm'), signal.SIGCONT)
        cluster.wait_for_taskmanagers(2, 10)
        cluster.wait_for_checkpoints(job, 3)
        cluster.wait_for(job, 'FINISHED')
        check_sums(out, COUNT)


run_cases([a_worker, a_taskmanager, a_taskmanager_alone, a_master, the_jobmanager])
