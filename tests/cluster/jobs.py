"""What a user does with a cluster of two TaskManagers, and what it says to programs that cannot be run. Usage: jobs.py [CASE]..."""
import json
import os
import re
import shutil
import struct
import subprocess
import time

from real_cluster import EXACTLY_ONCE, ODD, PACED, Cluster, check, check_sums, files_of, run_cases, until

COUNT = 40000


def run_to_the_end():
    """What main() writes comes; the exit code is that of the job."""
    with Cluster(taskmanagers=2, slots=2) as cluster:
        out, said = cluster.command('run', '-p', 2, ODD, '--deed', 'plain')
        check('the program says something' in out.splitlines() and 'the job has ended' in out.splitlines(), 'it prints', out, said)
        out, said = cluster.command('run', '-p', 4, ODD, '--deed', 'fails', code=1)
        check('ten is too much' in said, 'the failure is not said:', said)
        out, said = cluster.command('run', '--json', '-p', 2, ODD, '--deed', 'plain')
        answer = json.loads(out.splitlines()[-1])
        check(answer['status'] == 'FINISHED' and re.fullmatch('[0-9a-f]{32}', answer['jobid']), out)
        out, _ = cluster.command('list', '-a')
        check(out.count('FINISHED') == 2 and out.count('FAILED') == 1, out)
        # One that crashes in a function ends a worker only; without restarts that is the end of the job.
        out, said = cluster.command('run', ODD, '--deed', 'aborts', code=1)
        check('signal 6' in said or 'no way out' in said, 'the crash is not said:', said)
        cluster.command('run', '-p', 2, ODD, '--deed', 'plain')


def list_cancel_stop_and_go_on():
    with Cluster(taskmanagers=2, slots=2) as cluster:
        job = cluster.run_detached(ODD, '--deed', 'endless', parallelism=4)
        cluster.wait_for(job, 'RUNNING')
        out, _ = cluster.command('list')
        check(job in out and 'RUNNING' in out, out)
        until(lambda: len(cluster.workers('tm-1')) == len(cluster.workers('tm-2')) == 1, 'it is spread over both')
        cluster.command('cancel', '--wait', job)
        check(cluster.state(job) == 'CANCELED', cluster.state(job))
        cluster.command('cancel', job)  # no error
        until(lambda: not cluster.workers('tm-1') and not cluster.workers('tm-2'), 'workers end', 5)
        out, said = cluster.command('stop', job, code=1)
        check('CANCELED' in said, said)

        folder = cluster.folder + '/out'
        arguments = ['--keyed', 'yes', '--count', COUNT, '--rate', 10000, '--out', folder]
        settings = {**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'}
        job = cluster.run_detached(PACED, *arguments, options=settings, parallelism=3)
        cluster.wait_for_checkpoints(job, 2)
        out, _ = cluster.command('savepoint', job, cluster.folder + '/savepoints')
        check('is complete' in out, out)
        out, _ = cluster.command('stop', '-p', cluster.folder + '/savepoints', job)
        savepoint = re.search(r'with savepoint (\S+)', out)[1]
        cluster.wait_for(job, 'FINISHED')
        second = cluster.run_detached(PACED, *arguments, options=settings, parallelism=4, words=['-s', savepoint])
        cluster.wait_for(second, 'FINISHED')
        check(cluster.restored_at(second) > 0, 'it did not begin with the savepoint')
        check_sums(folder, COUNT)
        # A savepoint that is not there.
        out, said = cluster.command('run', '-p', 4, *('-s', cluster.folder + '/none'), PACED, *arguments, code=1)
        check('none' in said, said)


def programs_that_start_no_job():
    with Cluster(taskmanagers=2, slots=1) as cluster:
        def refused(code, text, *words):
            began = time.monotonic()
            out, said = cluster.command('run', *words, code=code)
            check(re.search(text, said), words, 'is not said to be', repr(text), 'but:', out, said)
            check(time.monotonic() - began < 10, words, 'is answered after', time.monotonic() - began, 's')

        refused(1, r'killed by signal 11', ODD, '--deed', 'crashes')
        refused(1, r'no such database', ODD, '--deed', 'throws')
        refused(1, r'without starting a job', ODD, '--deed', 'nothing')
        refused(2, r'no such file', cluster.folder + '/none')
        refused(2, r'it is a folder', cluster.folder)
        refused(2, r'takes a PROGRAM')
        refused(2, r'--parallelism|parallelism\.default', '-p', 'many', ODD)
        refused(2, r'restart-strategy', '-D', 'restart-strategy.tipe=none', ODD)
        refused(2, r'is no address of a cluster', '-m', 'nobody:port', ODD)
        text = cluster.folder + '/text'
        open(text, 'w').write('no program\n')
        os.chmod(text, 0o755)
        refused(2, r'is no program', text)
        # Of another machine: the same file with another number in its header (e_machine).
        foreign = cluster.folder + '/foreign'
        shutil.copy(ODD, foreign)
        with open(foreign, 'r+b') as file:
            file.seek(18)
            file.write(struct.pack('<H', 183))
        refused(2, r'is built for .*, and this machine is', foreign)
        cut = cluster.folder + '/cut'
        open(cut, 'wb').write(open(ODD, 'rb').read(5000))
        os.chmod(cut, 0o755)
        refused(1, r'killed by signal|is no program', cut)
        out, _ = cluster.command('list', '-a')
        check('no jobs' in out, 'programs without a job leave', out)
        # One that never comes to start a job is given up.
    with Cluster(taskmanagers=1, settings={'flott.jobmanager.program-start-timeout': '1 s'}) as cluster:
        waits = cluster.folder + '/waits'
        source = waits + '.c'
        open(source, 'w').write('#include <unistd.h>\nint main(void) { for (;;) pause(); }\n')
        subprocess.run(['cc', '-o', waits, source], check=True)
        out, said = cluster.command('run', waits, code=1)
        check('program-start-timeout' in said, said)
        until(lambda: not cluster.masters(), 'it is killed', 5)


def a_library_that_is_missing():
    """On the client it is said before anything is sent; a library of the user's own travels with the program."""
    with Cluster(taskmanagers=1) as cluster:
        folder = cluster.folder
        os.mkdir(folder + '/lib')
        open(folder + '/own.c', 'w').write('int own(void) { return 7; }\n')
        open(folder + '/main.c', 'w').write('int own(void);\nint main(void) { return own(); }\n')
        subprocess.run(['cc', '-shared', '-fPIC', '-o', folder + '/lib/libown.so', folder + '/own.c'], check=True)
        subprocess.run(['cc', '-o', folder + '/program', folder + '/main.c', '-L' + folder + '/lib', '-lown'], check=True)
        out, said = cluster.command('run', folder + '/program', code=2)
        check('libown.so' in said and 'LD_LIBRARY_PATH' in said, said)
        os.environ['LD_LIBRARY_PATH'] = folder + '/lib'
        try:
            out, said = cluster.command('run', folder + '/program', code=1)
        finally:
            del os.environ['LD_LIBRARY_PATH']
        check('exited with status 7' in said, 'it did not find its library:', said)


def another_graph_in_each_run():
    """Its workers are refused: the job ends soon, and says why."""
    with Cluster(taskmanagers=2, slots=1) as cluster:
        for words in ([], ['-D', 'execution.checkpointing.interval=100ms', '-D', f'execution.checkpointing.dir={cluster.folder}/c']):
            began = time.monotonic()
            out, said = cluster.command('run', *words, ODD, '--deed', 'varies', code=1, seconds=100)
            took = time.monotonic() - began
            check('builds another job than the master' in said, said)
            check(took < 10, 'it ends after', took)
            until(lambda: not cluster.workers('tm-1') and not cluster.workers('tm-2'), 'workers end', 5)


def without_enough_slots():
    """It waits for slot.request.timeout, says how many there are, and leaves nothing."""
    with Cluster(taskmanagers=1, slots=2) as cluster:
        out, said = cluster.command('run', '-p', 5, '-D', 'slot.request.timeout=1s', ODD, '--deed', 'plain', code=1)
        check('slot.request.timeout' in said, said)
        out, said = cluster.command('run', '-p', 2, ODD, '--deed', 'plain')


def two_jobs_share_slots():
    """The second one waits until the first has ended."""
    with Cluster(taskmanagers=1, slots=2) as cluster:
        first = cluster.run_detached(ODD, '--deed', 'endless', parallelism=2)
        cluster.wait_for(first, 'RUNNING')
        second = cluster.run_detached(ODD, '--deed', 'plain', parallelism=1)
        until(lambda: cluster.state(second) in ('CREATED', 'RUNNING', 'INITIALIZING'), 'the second one is there')
        cluster.command('cancel', first)
        cluster.wait_for(second, 'FINISHED')


def start_and_stop_in_the_background():
    """flott cluster start and stop; jobs that run are taken up by the next cluster of the folder."""
    cluster = Cluster(start=False)
    with cluster:
        words = [word for key, value in {**cluster.jobmanager_settings()}.items() for word in ('-D', f'{key}={value}')]
        out, _ = cluster.flott('cluster', 'start', '--taskmanagers', 2, '--slots', 2, *words)
        check(cluster.address in out, out)
        out, said = cluster.flott('cluster', 'start', *words, code=2)
        check('a cluster is there already' in said, said)
        folder = cluster.folder + '/out'
        job = cluster.run_detached(PACED, '--keyed', 'yes', '--count', COUNT, '--rate', 10000, '--out', folder, parallelism=4,
                                   options={**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'})
        cluster.wait_for_checkpoints(job, 2)
        cluster.flott('cluster', 'stop', *words)
        until(lambda: not cluster.all(), lambda: f'all processes end: {cluster.all()}', 5)
        out, said = cluster.flott('cluster', 'stop', *words, code=1)
        check('no cluster answers' in said, said)
        out, said = cluster.command('list', code=None)
        cluster.flott('cluster', 'start', '--taskmanagers', 2, '--slots', 2, *words)
        cluster.wait_for(job, 'FINISHED')
        check_sums(folder, COUNT)
        check(files_of(folder))
        cluster.flott('cluster', 'stop', *words)
        until(lambda: not cluster.all(), lambda: f'all processes end: {cluster.all()}', 5)


run_cases([run_to_the_end, list_cancel_stop_and_go_on, programs_that_start_no_job, a_library_that_is_missing,
           another_graph_in_each_run, without_enough_slots, two_jobs_share_slots, start_and_stop_in_the_background])
