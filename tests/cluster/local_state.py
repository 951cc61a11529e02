"""Workers and TaskManagers that are killed find their state on their own disk, where they had put a copy of the newest checkpoint;
what lies in the checkpoint's folder is not read for it. Usage: local_state.py [CASE]..."""
import glob
import os
import time

from real_cluster import EXACTLY_ONCE, PACED, Cluster, check, check_sums, kill, run_cases, until

COUNT = 60000
RATE = 5000


def start(cluster, count=COUNT):
    """A job with one checkpoint; its id, where it writes, and the folder of the checkpoint."""
    out = cluster.folder + '/out'
    options = {**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints',
               'execution.checkpointing.interval': '1 h', 'execution.checkpointing.data-inline-threshold': '0',
               'execution.state-recovery.from-local': 'true'}
    job = cluster.run_detached(PACED, '--keyed', 'yes', '--count', count, '--rate', RATE, '--out', out, options=options,
                               parallelism=2)
    until(lambda: numbers_in(cluster, job) > 1000, 'numbers come')
    cluster.command('checkpoint', job)
    folder, = until(lambda: glob.glob(f'{cluster.folder}/checkpoints/**/_metadata', recursive=True), 'a checkpoint')
    return job, out, os.path.dirname(folder)


def numbers_in(cluster, job):
    vertices = (cluster.ask(f'/jobs/{job}') or {}).get('vertices', [])
    return vertices[1]['metrics']['read-records'] if len(vertices) > 1 else 0


def copies_of(cluster, taskmanager, job):
    return sorted(glob.glob(f'{cluster.place(taskmanager)}/localState/{job}/chk-*/task-1-*'))


def spoil(files):
    """The keyed state, with which they begin; the rest, which the master reads, stays."""
    check(files, 'there are files')
    for path in files:
        with open(path, 'r+b') as file:
            file.write(b'????????')


def restored(cluster, job):
    """Bytes that the tasks with keyed state have read of copies, and of the checkpoint."""
    vertices = (cluster.ask(f'/jobs/{job}') or {}).get('vertices', [])
    if len(vertices) < 2:
        return 0, 0
    names = ('restoredLocalBytes', 'restoredRemoteBytes')
    wanted = ','.join(f'{i}.{name}' for i in range(4) for name in names)
    all_of = cluster.ask(f'/jobs/{job}/vertices/{vertices[1]["id"]}/metrics?get={wanted}') or []
    return tuple(sum(float(one['value']) for one in all_of if one['id'].endswith(name)) for name in names)


def wait_for_restore(cluster, job, before=0):
    until(lambda: cluster.restored_at(job) > before, 'the job goes on from its checkpoint')
    return until(lambda: (lambda found: found if sum(found) > 0 else None)(restored(cluster, job)), 'its tasks say what they have read')


def expect_end(cluster, job, out):
    cluster.wait_for(job, 'FINISHED', 60)
    check_sums(out, COUNT)
    expect_no_copies(cluster, job)


def expect_no_copies(cluster, job):
    until(lambda: not glob.glob(f'{cluster.folder}/tm-*/localState/{job}'), 'copies go with the job')


def a_worker():
    """It comes again on the TaskManager that has its copies, and what the checkpoint has is of no use. One that had ended within ten
    seconds would be looked for elsewhere."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job, _, checkpoint = start(cluster, count=10_000_000)
        began = time.monotonic()
        mine = next(name for name in ('tm-1', 'tm-2') if cluster.workers(name))
        until(lambda: len(copies_of(cluster, mine, job)) == 2, 'copies of both tasks')
        spoil(glob.glob(checkpoint + '/task-1-*'))
        until(lambda: time.monotonic() - began > 11, 'it has lived for long enough')
        kill(cluster.workers(mine)[0])
        local, remote = wait_for_restore(cluster, job)
        check(local > 0 and remote == 0, 'read', local, 'of copies,', remote, 'of the checkpoint')
        check(cluster.workers(mine), 'the worker is where the other was')
        cluster.command('cancel', job)
        cluster.wait_for(job, 'CANCELED')
        expect_no_copies(cluster, job)


def a_taskmanager():
    """It comes back under its name, with its folder."""
    with Cluster(taskmanagers=1, slots=2) as cluster:
        job, out, checkpoint = start(cluster)
        spoil(glob.glob(checkpoint + '/task-1-*'))
        kill(cluster.pid('tm-1'))
        cluster.wait_for_taskmanagers(0)
        cluster.start_taskmanager('tm-1')
        local, remote = wait_for_restore(cluster, job)
        check(local > 0 and remote == 0, 'read', local, 'of copies,', remote, 'of the checkpoint')
        expect_end(cluster, job, out)


def damaged_copies():
    """The checkpoint is read instead."""
    with Cluster(taskmanagers=1, slots=2) as cluster:
        job, out, _ = start(cluster)
        spoil(copies_of(cluster, 'tm-1', job))
        kill(cluster.workers('tm-1')[0])
        local, remote = wait_for_restore(cluster, job)
        check(local == 0 and remote > 0, 'read', local, 'of copies,', remote, 'of the checkpoint')
        expect_end(cluster, job, out)


run_cases([a_worker, a_taskmanager, damaged_copies])
