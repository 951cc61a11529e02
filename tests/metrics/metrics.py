"""What programs tell Prometheus: one that runs its job in its own process, the processes of `flott run`, a cluster.

Each page is read by the rules of the format; then names, labels and values are looked at.
"""
import json
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

import exposition
from programs import PATIENCE, running, said, show, until

BUILD = pathlib.Path(sys.argv[1])
ODD = str(BUILD / 'tests' / 'odd_job')
FLOTT = str(BUILD / 'bin' / 'flott')


def page(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        assert answer.headers['Content-Type'] == 'text/plain; version=0.0.4; charset=utf-8', answer.headers
        return exposition.parse(answer.read().decode())


def values(samples, name, **labels):
    return [value for known, has, value in samples if known == name and labels.items() <= has.items()]


def one(samples, name, **labels):
    found = values(samples, name, **labels)
    assert len(found) == 1, f'{name} {labels}: {found}'
    return found[0]


def refused(url, method='GET'):
    try:
        urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=PATIENCE)
    except urllib.error.HTTPError as error:
        return error.code
    return None


def check_process(samples, scope):
    status = f'flott_{scope}_Status_'
    assert one(samples, status + 'Memory_Resident') > 1 << 20
    assert one(samples, status + 'Memory_Anonymous') > 1 << 20
    assert one(samples, status + 'Memory_Heap_Used') > 0
    assert one(samples, status + 'CPU_Time') > 0
    assert 0 <= one(samples, status + 'CPU_Load') <= 1
    assert one(samples, status + 'Threads_Count') >= 2
    assert 3 <= one(samples, status + 'FileDescriptors_Count') <= one(samples, status + 'FileDescriptors_Max')


def check_job(url):
    name = 'flott_taskmanager_job_task_operator_numRecordsIn'
    squares = {'operator_name': 'squares', 'subtask_index': '0', 'job_name': 'Odd "1"'}
    samples, types = until('records', lambda: (p := page(url)) and sum(values(p[0], name, **squares)) > 0 and p)
    assert types[name] == 'counter', types[name]
    before = one(samples, name, **squares)
    until('more records', lambda: one(page(url)[0], name, **squares) > before)
    task = {'task_name': 'Source: numbers -> squares -> Sink: Print to Std. Out', 'job_name': 'Odd "1"'}

    def times():
        now = page(url)[0]
        return [one(now, f'flott_taskmanager_job_task_{state}TimeMsPerSecond', **task)
                for state in ('busy', 'idle', 'backPressured')]

    assert sum(until('shares of time', lambda: (shares := times()) and sum(shares) > 0 and shares)) <= 1001
    assert one(samples, 'flott_taskmanager_job_task_isBackPressured', **task) == 0
    assert one(samples, 'flott_jobmanager_job_runningState', job_name='Odd "1"') == 1
    assert one(samples, 'flott_jobmanager_job_numRestarts', job_name='Odd "1"') == 0
    assert one(samples, 'flott_jobmanager_numRunningJobs') == 1
    return samples, types


def check_program(folder):
    log = folder / 'program'
    with running([ODD, '--deed', 'endless', '--job', 'Odd "1"', '-D', 'flott.web-ui.enabled=true', '-D',
                  'rest.bind-port=0', '-D', 'metrics.reporter.prom.port=0', '-D', 'metrics.latency.interval=20ms'],
                 log) as process:
        [web] = until('the web page', lambda: said(log, r'web page about the jobs is at (http://\S+)'))
        [own] = until('the page of metrics', lambda: said(log, r'Prometheus finds them at (http://\S+)'))
        samples, types = check_job(own)
        check_process(samples, 'jobmanager')
        check_job(web + '/metrics')
        latency = ('flott_taskmanager_job_latency_source_id_operator_id_operator_subtask_index_latencyMicros')
        until('latencies', lambda: values(page(own)[0], latency + '_count'))
        assert page(own)[1][latency] == 'summary'
        assert refused(own + 'x') == 404 and refused(own, 'POST') == 405
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, 'cancelled'


def check_run(folder):
    log = folder / 'run'
    command = [FLOTT, 'run', '--local', '--workers', '2', '-p', '2', '-D', 'metrics.reporter.prom.port=0', '-D',
               'flott.metrics.prometheus.prefix=flink', ODD, '--deed', 'endless']
    with running(command, log) as process:
        urls = until('a page of each process', lambda: said(log, r'Prometheus finds them at (http://\S+)', 3))
        pages = [page(url)[0] for url in urls]
        workers = sorted(has['tm_id'] for samples in pages for name, has, _ in samples
                         if name == 'flink_taskmanager_Status_CPU_Time')
        assert workers == ['w1', 'w2'], workers
        master = [url for url, samples in zip(urls, pages) if values(samples, 'flink_jobmanager_Status_CPU_Time')]
        assert len(master) == 1, master
        name = 'flink_taskmanager_job_task_operator_numRecordsIn'
        until('records of both workers', lambda: sum(values(page(master[0])[0], name, operator_name='squares')) > 0)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, 'cancelled'


def document(url):
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return json.load(answer)


def check_cluster(folder):
    """One page for all of it; and what a worker says of its crash comes to the log of the JobManager."""
    jm_log, tm_log = folder / 'jobmanager', folder / 'taskmanager'
    jm = [FLOTT, 'jobmanager', '-D', 'rest.port=0', '-D', 'jobmanager.rpc.port=0', '-D',
          f'process.jobmanager.working-dir={folder}/jm']
    with running(jm, jm_log) as manager:
        [(web, port)] = until('the JobManager', lambda: said(
            jm_log, r'web page are at (http://\S+), TaskManagers come to 127.0.0.1:(\d+)'))
        tm = [FLOTT, 'taskmanager', '-D', f'jobmanager.rpc.port={port}', '-D', 'taskmanager.resource-id=t1', '-D',
              'taskmanager.numberOfTaskSlots=2', '-D', f'process.taskmanager.working-dir={folder}/tm']
        with running(tm, tm_log):
            run = [FLOTT, 'run', '-d', '-m', web.removeprefix('http://'), '-D', 'restart-strategy.type=none', ODD]
            subprocess.run(run + ['--deed', 'endless'], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
            name = 'flott_taskmanager_job_task_operator_numRecordsIn'
            samples = until('records', lambda: (p := page(web + '/metrics')[0]) and
                            sum(values(p, name, operator_name='squares')) > 0 and p)
            check_process(samples, 'jobmanager')
            assert one(samples, 'flott_taskmanager_Status_CPU_Time', tm_id='t1') > 0
            places = {has['tm_id'] for known, has, _ in samples if known == name}
            assert all(re.fullmatch(r't1/w\d+', place) for place in places), places
            assert one(samples, 'flott_jobmanager_numRunningJobs') == 1
            assert one(samples, 'flott_jobmanager_numRegisteredTaskManagers') == 1
            assert one(samples, 'flott_jobmanager_taskSlotsTotal') == 2
            assert one(samples, 'flott_jobmanager_taskSlotsAvailable') == 1
            for path in ('/jobmanager/metrics', '/taskmanagers/t1/metrics'):
                assert {'id': 'Status.Threads.Count'} in document(web + path), path
                [value] = document(web + path + '?get=Status.Threads.Count,none')
                assert int(value['value']) >= 2, value
            assert {'id': 'taskSlotsTotal'} in document(web + '/jobmanager/metrics')
            subprocess.run(run + ['--deed', 'aborts'], check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE)
            until('what the worker says of its crash', lambda: said(
                jm_log, r"was killed by signal 6 \(abort\):\nsignal 6 \(abort\)\n.*\nwhile it was at operator "
                        r"'squares', subtask 1/1\nstack .*\n"))
        manager.send_signal(signal.SIGTERM)
        assert manager.wait(PATIENCE) == 0, 'asked to end'


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        try:
            check_program(folder)
            check_run(folder)
            check_cluster(folder)
        except BaseException:
            show(folder)
            raise


main()
