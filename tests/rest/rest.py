"""REST of a program that runs its job itself: every document against the description that the server sends, the calls
that change something, and a thousand requests that nobody should send.
"""
import contextlib
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

import bad_requests
import programs
from description import Description
from job_documents import check_job, check_overviews
from programs import PATIENCE, said, until

BUILD = pathlib.Path(sys.argv[1])
JOB = str(BUILD / 'tests' / 'rest_job')


@contextlib.contextmanager
def running(folder):
    """A program with its web interface; its process and URL."""
    log = folder / 'log'
    options = programs.options({
        'flott.web-ui.enabled': 'true', 'rest.port': '0', 'parallelism.default': '2', 'restart-strategy.type': 'fixed-delay',
        'restart-strategy.fixed-delay.attempts': '5', 'restart-strategy.fixed-delay.delay': '50 ms',
        'execution.checkpointing.interval': '200 ms', 'execution.checkpointing.dir': str(folder / 'checkpoints'),
        's3.secret-key': 'xyzzy'})
    with programs.running([JOB, '--linger', 'yes', *options], log, stdin=subprocess.PIPE, end=signal.SIGKILL) as process:
        try:
            [url] = until('the web page', lambda: said(log, r'web page about the jobs is at (http://\S+)'))
            yield process, url
        except BaseException:
            programs.show(folder)
            raise


def check_documents(api, job_id):
    check_overviews(api, job_id)
    job = check_job(api, job_id)
    for vertex in job['vertices']:
        api.ask(f'/jobs/{job_id}/vertices/{vertex["id"]}/flamegraph', status=501)


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
    for vertex, wanted in zip(job['vertices'], [[numbers], []]):
        path = f'/jobs/{job_id}/vertices/{vertex["id"]}'
        counted = api.ask(f'{path}/accumulators')['user-accumulators']
        assert [one['name'] for one in counted] == [one['name'] for one in wanted], counted
        parts = [one['user-accumulators'] for one in api.ask(f'{path}/subtasks/accumulators')['subtasks']]
        assert [len(part) for part in parts] == [len(wanted)] * 2, parts
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
            for path in ['/', '/index.html', '/openapi.yml', '/metrics']:
                api.fetch(path)
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
