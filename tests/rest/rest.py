"""REST of a program that runs its job itself: every document against the description that the server sends, the calls
that change something, and a thousand requests that nobody should send.
"""
import contextlib
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import bad_requests
from description import Description

BUILD = pathlib.Path(sys.argv[1])
JOB = str(BUILD / 'tests' / 'rest_job')
PATIENCE = 60


def until(what, look):
    """Looks until there is something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.02)
    raise AssertionError(f'not within {PATIENCE} s: {what}')


@contextlib.contextmanager
def running(folder):
    """A program with its web interface; its process and URL."""
    log = folder / 'log'
    options = {'flott.web-ui.enabled': 'true', 'rest.port': '0', 'parallelism.default': '2',
               'restart-strategy.type': 'fixed-delay', 'restart-strategy.fixed-delay.attempts': '5',
               'restart-strategy.fixed-delay.delay': '50 ms', 'execution.checkpointing.interval': '200 ms',
               'execution.checkpointing.dir': str(folder / 'checkpoints'), 's3.secret-key': 'xyzzy'}
    words = [word for key, value in options.items() for word in ('-D', f'{key}={value}')]
    with open(log, 'wb') as file:
        process = subprocess.Popen([JOB, '--linger', 'yes', *words], stdin=subprocess.PIPE, stdout=file, stderr=file)
    try:
        [url] = until('the web page', lambda: re.findall(r'web page about the jobs is at (http://\S+)', log.read_text()))
        yield process, url
    except BaseException:
        print('\n'.join(log.read_text().splitlines()[-50:]))
        raise
    finally:
        process.kill()
        process.wait(PATIENCE)


def vertex_paths(job):
    for vertex in job['vertices']:
        path = f'/jobs/{job["jid"]}/vertices/{vertex["id"]}'
        yield from (path + part for part in [
            '', '/backpressure', '/metrics', '/jm-operator-metrics', '/subtasks/metrics', '/subtasktimes', '/taskmanagers',
            '/watermarks', '/subtasks/metrics?get=numRecordsIn,numRecordsOut&agg=min,max', '/subtasks/metrics?subtasks=0-1'])
        for subtask in range(vertex['parallelism']):
            yield f'{path}/subtasks/{subtask}'
            yield f'{path}/subtasks/{subtask}/metrics'


def check_documents(api, job_id):
    """Everything that can be asked about a job, running or ended."""
    for path in ['/config', '/overview', '/jobs', '/jobs/overview', '/jobs/metrics', '/v1/jobs/overview',
                 f'/jobs/metrics?jobs={job_id}&get=numRestarts']:
        api.ask(path)
    job = api.ask(f'/jobs/{job_id}')
    for part in ['/status', '/config', '/jobmanager/config', '/plan', '/execution-result', '/accumulators', '/exceptions',
                 '/exceptions?maxExceptions=0', '/metrics', '/metrics?get=numRestarts,uptime', '/watermarks',
                 '/resource-requirements', '/checkpoints', '/checkpoints/config']:
        api.ask(f'/jobs/{job_id}{part}')
    for path in vertex_paths(job):
        api.ask(path)
    for vertex in job['vertices']:
        subtask = api.ask(f'/jobs/{job_id}/vertices/{vertex["id"]}/subtasks/0')
        api.ask(f'/jobs/{job_id}/vertices/{vertex["id"]}/subtasks/0/attempts/{subtask["attempt"]}')
        api.ask(f'/jobs/{job_id}/vertices/{vertex["id"]}/flamegraph', status=501)
    for checkpoint in api.ask(f'/jobs/{job_id}/checkpoints')['history'][:3]:
        path = f'/jobs/{job_id}/checkpoints/details/{checkpoint["id"]}'
        api.ask(path)
        if checkpoint['status'] == 'COMPLETED':
            api.ask(f'{path}/subtasks/{job["vertices"][0]["id"]}')


def outcome(api, path):
    return until(path, lambda: (found := api.ask(path))['status']['id'] == 'COMPLETED' and found)['operation']


def check_values(api, job_id, folder):
    job = api.ask(f'/jobs/{job_id}')
    assert [vertex['parallelism'] for vertex in job['vertices']] == [2, 2], job['vertices']
    assert job['plan']['nodes'][1]['inputs'][0]['ship_strategy'] == 'HASH'
    [failure] = api.ask(f'/jobs/{job_id}/exceptions')['exceptionHistory']['entries']
    assert 'five is enough' in failure['stacktrace'], failure
    assert {'key': 's3.secret-key', 'value': '******'} in api.ask(f'/jobs/{job_id}/jobmanager/config')
    [numbers] = api.ask(f'/jobs/{job_id}/accumulators')['user-task-accumulators']
    assert numbers['name'] == 'numbers' and int(numbers['value']) > 0, numbers
    path = f'/jobs/{job_id}/vertices/{job["vertices"][1]["id"]}'
    [read] = api.ask(f'{path}/subtasks/metrics?get=numRecordsIn')
    assert read['sum'] > 0 and read['min'] <= read['avg'] <= read['max'], read
    level = until('back pressure', lambda: (found := api.ask(f'{path}/backpressure'))['status'] == 'ok' and found)
    assert len(level['subtasks']) == 2 and level['backpressure-level'] == 'ok', level
    assert api.ask('/jobs/overview')['jobs'][0]['state'] == 'RUNNING'


def check_calls(api, job_id, folder):
    jobs = f'/jobs/{job_id}'
    checkpoint = api.ask(f'{jobs}/checkpoints', 'POST', {})['request-id']
    assert outcome(api, f'{jobs}/checkpoints/{checkpoint}')['checkpointId'] > 0
    own = 'ab' * 16
    wanted = {'target-directory': str(folder / 'savepoints'), 'triggerId': own}
    for _ in range(2):
        assert api.ask(f'{jobs}/savepoints', 'POST', wanted) == {'request-id': own}
    savepoint = outcome(api, f'{jobs}/savepoints/{own}')['location']
    assert [str(path) for path in (folder / 'savepoints').iterdir()] == [savepoint], 'made once'
    assert api.ask(f'{jobs}/checkpoints')['latest']['savepoint']['external_path'] == savepoint
    gone = api.ask('/savepoint-disposal', 'POST', {'savepoint-path': savepoint})['request-id']
    assert outcome(api, f'/savepoint-disposal/{gone}') == {}
    assert not pathlib.Path(savepoint).exists()
    again = api.ask('/savepoint-disposal', 'POST', {'savepoint-path': savepoint})['request-id']
    assert savepoint in outcome(api, f'/savepoint-disposal/{again}')['failure-cause']['stack-trace']
    nowhere = api.ask(f'{jobs}/savepoints', 'POST')['request-id']
    assert 'savepoint-dir' in outcome(api, f'{jobs}/savepoints/{nowhere}')['failure-cause']['stack-trace']
    api.ask(f'{jobs}/savepoints', 'POST', {'targetDirectory': 'x'}, status=400)
    api.ask(f'{jobs}/savepoints/{"0" * 32}', status=404)
    api.ask(f'{jobs}/resource-requirements', 'PUT', {}, status=501)
    api.ask(f'{jobs}/rescaling?parallelism=3', 'PATCH', status=501)


def check_end(api, job_id, folder):
    jobs = f'/jobs/{job_id}'
    stop = api.ask(f'{jobs}/stop', 'POST', {'targetDirectory': str(folder / 'savepoints')})['request-id']
    assert pathlib.Path(outcome(api, f'{jobs}/savepoints/{stop}')['location'], '_metadata').exists()
    until('the end', lambda: api.ask(f'{jobs}/status')['status'] == 'FINISHED')
    assert api.ask(f'{jobs}/execution-result')['job-execution-result']['application-status'] == 'SUCCEEDED'
    check_documents(api, job_id)
    api.ask(f'{jobs}/stop', 'POST', {}, status=409)
    api.ask(jobs, 'PATCH', status=409)


def check_cancel(folder):
    for path, method in [('', 'PATCH'), ('/yarn-cancel', 'GET')]:
        with running(folder) as (_, url):
            api = Description(url)
            [job] = until('a job', lambda: api.ask('/jobs')['jobs'])
            assert api.ask(f'/jobs/{job["id"]}{path}', method) == {}
            until('the end', lambda: api.ask(f'/jobs/{job["id"]}')['state'] == 'CANCELED')
            yield from api.answered


def main():
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        with running(folder) as (process, url):
            api = Description(url)
            port = int(url.rsplit(':', 1)[1])
            [job] = until('a job', lambda: api.ask('/jobs')['jobs'])
            check_documents(api, job['id'])  # whatever it is at now
            until('a restart', lambda: api.ask(f'/jobs/{job["id"]}/exceptions')['exceptionHistory']['entries'])
            until('a checkpoint', lambda: api.ask(f'/jobs/{job["id"]}/checkpoints')['counts']['completed'] > 2)
            until('all tasks', lambda: api.ask(f'/jobs/{job["id"]}')['status-counts']['RUNNING'] == 2)
            check_documents(api, job['id'])
            check_values(api, job['id'], folder)
            check_calls(api, job['id'], folder)
            began = time.monotonic()
            count = bad_requests.check(port, job['id'])
            print(f'{count} bad requests in {time.monotonic() - began:.1f} s')
            print('%d requests beside 200 slow clients, median %.4f s' % bad_requests.check_slow(port, job['id']))
            assert api.ask(f'/jobs/{job["id"]}/status')['status'] == 'RUNNING', 'it goes on'
            check_end(api, job['id'], folder)
            process.stdin.close()
            assert process.wait(PATIENCE) == 0
        api.answered.update(check_cancel(folder))
        assert not api.unanswered(), 'never answered: ' + ', '.join(api.unanswered())


main()
