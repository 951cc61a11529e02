"""REST of a cluster, every answer against the description that the JobManager sends: about a job that runs, one whose main()
goes on after it, one that has finished, failed, been cancelled; about programs, TaskManagers and logs. Usage: rest.py [CASE]...
"""
import hashlib
import os

from description import Description
from job_documents import check_job, check_overviews
from real_cluster import BUILD, ODD, Cluster, check, run_cases, until

REST = BUILD + '/tests/rest_job'
CHECKPOINTED = {'execution.checkpointing.interval': '200 ms', 'restart-strategy.type': 'fixed-delay',
                'restart-strategy.fixed-delay.attempts': '1000', 'restart-strategy.fixed-delay.delay': '50 ms'}


def outcome(api, path):
    return until(lambda: (found := api.ask(path))['status']['id'] == 'COMPLETED' and found, path)['operation']


def numbers(api, path):
    """Values of metrics by name."""
    names = ','.join(metric['id'] for metric in api.ask(path))
    return {metric['id']: metric['value'] for metric in api.ask(f'{path}?get={names}')}


def check_running(cluster, api):
    settings = {**CHECKPOINTED, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'}
    job = cluster.run_detached(REST, options=settings, parallelism=2)
    until(lambda: api.ask(f'/jobs/{job}/exceptions')['exceptionHistory']['entries'], 'its one failure')
    until(lambda: api.ask(f'/jobs/{job}')['status-counts']['RUNNING'] == 2, 'all tasks')
    until(lambda: api.ask(f'/jobs/{job}/checkpoints')['counts']['completed'] > 1, 'checkpoints')
    check_overviews(api, job)
    known = check_job(api, job)
    [counted] = api.ask(f'/jobs/{job}/accumulators')['user-task-accumulators']
    check(counted['name'] == 'numbers', counted)
    [restarts] = api.ask(f'/jobs/metrics?jobs={job}&get=numRestarts&agg=sum,max')
    check(restarts['sum'] == restarts['max'] >= 0 and 'min' not in restarts, restarts)
    check('numRestarts' in [metric['id'] for metric in api.ask('/jobs/metrics')], 'names of metrics')
    check(api.ask(f'/jobs/metrics?jobs={"0" * 32}&get=numRestarts') == [], 'of no job')
    api.ask('/jobs/metrics?jobs=x', status=400)
    api.ask(f'/jobs/{job}/vertices/{known["vertices"][0]["id"]}/flamegraph', status=501)
    return job


def check_calls(cluster, api, job):
    made = api.ask(f'/jobs/{job}/checkpoints', 'POST', {})['request-id']
    check(outcome(api, f'/jobs/{job}/checkpoints/{made}')['checkpointId'] > 0, 'a checkpoint')
    wanted = {'target-directory': cluster.folder + '/savepoints'}
    made = api.ask(f'/jobs/{job}/savepoints', 'POST', wanted)['request-id']
    savepoint = outcome(api, f'/jobs/{job}/savepoints/{made}')['location']
    gone = api.ask('/savepoint-disposal', 'POST', {'savepoint-path': savepoint})['request-id']
    outcome(api, f'/savepoint-disposal/{gone}')
    check(not os.path.exists(savepoint), 'it is removed')
    api.ask(f'/jobs/{job}/resource-requirements', 'PUT', {}, status=501)
    api.ask(f'/jobs/{job}/rescaling?parallelism=3', 'PATCH', status=501)
    made = api.ask(f'/jobs/{job}/stop', 'POST', {'targetDirectory': cluster.folder + '/savepoints'})['request-id']
    check(os.path.exists(outcome(api, f'/jobs/{job}/savepoints/{made}')['location'] + '/_metadata'), 'stopped with a savepoint')


def check_ended(cluster, api, job, state):
    cluster.wait_for(job, state)
    until(lambda: api.ask(f'/jobs/{job}/execution-result')['status']['id'] == 'COMPLETED', 'main() ends')
    known = check_job(api, job)
    [listed] = [one for one in api.ask('/jobs/overview')['jobs'] if one['jid'] == job]
    check(listed['state'] == state and listed['end-time'] >= listed['start-time'], listed)
    api.ask(f'/jobs/{job}/stop', 'POST', {}, status=409)
    api.ask(f'/jobs/{job}/none', status=404)
    api.ask(f'/jobs/{job}', 'PATCH', status=202 if state == 'CANCELED' else 409)
    check(int(numbers(api, f'/jobs/{job}/metrics')['numRestarts']) >= 0, 'metrics have values')
    # Tasks that are cancelled or fail may have told nothing.
    for vertex in known['vertices'] if state == 'FINISHED' else []:
        path = f'/jobs/{job}/vertices/{vertex["id"]}'
        parts = [int(numbers(api, f'{path}/subtasks/{i}/metrics')['numRecordsOut']) for i in range(vertex['parallelism'])]
        [together] = api.ask(f'{path}/subtasks/metrics?get=numRecordsOut&agg=sum')
        check(together['sum'] == sum(parts), together, parts)
    return known


def jobs_in_all_states():
    with Cluster(taskmanagers=2, slots=2) as cluster:
        api = Description('http://' + cluster.address)
        for page in ['/', '/index.html', '/openapi.yml', '/metrics']:
            api.fetch(page)
        api.ask('/jobs/' + '0' * 32, status=404)
        api.ask('/jobs/x', status=400)
        api.ask('/jobs/overview', 'POST', status=405)
        api.ask('/overview', 'DELETE', status=405)
        running = check_running(cluster, api)

        finished = cluster.run_detached(ODD, '--deed', 'plain')
        known = check_ended(cluster, api, finished, 'FINISHED')
        [squares] = [vertex for vertex in known['vertices'] if 'squares' in vertex['name']]
        check(numbers(api, f'/jobs/{finished}/vertices/{squares["id"]}/metrics')['0.squares.numRecordsIn'] == '10', 'records')
        failed = cluster.run_detached(ODD, '--deed', 'fails', options={'restart-strategy.type': 'none'})
        check_ended(cluster, api, failed, 'FAILED')
        for path, method in [('', 'PATCH'), ('/yarn-cancel', 'GET')]:
            cancelled = cluster.run_detached(ODD, '--deed', 'endless')
            cluster.wait_for(cancelled, 'RUNNING')
            check(api.ask(f'/jobs/{cancelled}{path}', method) == {}, 'cancelled by', method)
            check_ended(cluster, api, cancelled, 'CANCELED')
        overview = api.ask('/overview')
        check([overview['jobs-' + state] for state in ['running', 'finished', 'failed', 'cancelled']] == [1, 1, 1, 2], overview)
        check_calls(cluster, api, running)
        check_ended(cluster, api, running, 'FINISHED')
        check(api.ask('/jobs/metrics?get=numRestarts') == [], 'no job runs')
        not_asked = [one for one in api.unanswered() if one.split()[1].startswith(('/job', '/savepoint')) and
                     not one.split()[1].startswith('/jobmanager')]
        check(not not_asked, 'never answered:', not_asked)


def a_job_whose_main_goes_on():
    """It has ended for everybody but who waits for main(), and all of its documents are there."""
    with Cluster(taskmanagers=1, slots=1) as cluster:
        api = Description('http://' + cluster.address)
        awaited = cluster.folder + '/awaited'
        job = cluster.run_detached(ODD, '--deed', 'plain', '--waits-for', awaited)
        until(lambda: api.ask('/jobs/overview')['jobs'][0]['state'] == 'FINISHED', 'the job ends')
        [master] = cluster.masters()
        until(lambda: api.ask(f'/jobs/{job}')['vertices'], 'all documents')
        known = check_job(api, job)
        check(known['state'] == 'FINISHED', known)
        check(api.ask(f'/jobs/{job}/execution-result') == {'status': {'id': 'IN_PROGRESS'}}, 'main() goes on')
        check(api.ask('/overview')['slots-available'] == 1, 'its slot is free')
        api.ask(f'/jobs/{job}', 'PATCH', status=409)
        [jar] = api.ask('/jars')['files']
        api.ask(f'/jars/{jar["id"]}', 'DELETE', status=409)
        check(cluster.masters() == [master], 'main() goes on')
        open(awaited, 'w').close()
        check_ended(cluster, api, job, 'FINISHED')
        check(not cluster.masters(), 'main() has ended')
        # One whose main() never ends can be killed.
        job = cluster.run_detached(ODD, '--deed', 'plain', '--waits-for', cluster.folder + '/never')
        until(lambda: api.ask('/jobs/overview')['jobs'][0]['state'] == 'FINISHED', 'the job ends')
        until(lambda: api.ask(f'/jobs/{job}')['vertices'], 'all documents')  # a killed master hands over none
        api.ask(f'/jobs/{job}?mode=kill', 'PATCH')
        until(lambda: not cluster.masters(), 'main() is killed')
        check_ended(cluster, api, job, 'FINISHED')


def form(path):
    """A form with a file, and its header."""
    with open(path, 'rb') as file:
        content = file.read()
    head = f'--frontier\r\nContent-Disposition: form-data; name="jarfile"; filename="{os.path.basename(path)}"\r\n\r\n'
    return head.encode() + content + b'\r\n--frontier--\r\n', {'Content-Type': 'multipart/form-data; boundary=frontier'}


def programs_and_processes():
    with Cluster(taskmanagers=2, slots=2) as cluster:
        api = Description('http://' + cluster.address)
        body, header = form(ODD)
        jar = api.ask('/jars/upload', 'POST', body, headers=header)['filename'].rpartition('/')[2]
        check([one['id'] for one in api.ask('/jars')['files']] == [jar], 'it is listed')
        api.ask('/jars/upload', 'POST', b'x', status=400)
        for plan in [api.ask(f'/jars/{jar}/plan?programArg=--deed&programArg=plain&parallelism=3'),
                     api.ask(f'/jars/{jar}/plan?program-args=--deed%20plain', 'POST', {'parallelism': 3})]:
            check({node['parallelism'] for node in plan['plan']['nodes']} == {3}, plan)
        api.ask(f'/jars/{jar}/plan', status=403, headers={'Sec-Fetch-Site': 'cross-site'})
        for origin, status in [('http://elsewhere', 403), ('http://' + cluster.address, 404)]:
            api.ask('/jars/none/run', 'POST', {}, status=status, headers={'Origin': origin})
        job = api.ask(f'/jars/{jar}/run', 'POST', {'programArgsList': ['--deed', 'endless'], 'parallelism': 2,
                                                   'flinkConfiguration': {'pipeline.name': 'Set'}})['jobid']
        cluster.wait_for(job, 'RUNNING')
        api.ask(f'/jobs/{job}/yarn-cancel', status=403, headers={'Sec-Fetch-Site': 'cross-site'})
        api.ask(f'/jars/{jar}', 'DELETE', status=409)
        api.ask(f'/jars/{jar}/run', 'POST', {'parallelism': 'x'}, status=400)
        api.ask(f'/jars/{jar}/run', 'POST', {'programArgsList': ['--deed', 'nothing']}, status=400)
        api.ask('/jars/none/run', 'POST', {}, status=404)

        program = api.ask(f'/programs/{jar.partition("_")[0]}')
        [file] = program['files']
        content = api.fetch(f'/blobs/{file["hash"]}')
        check(content == open(ODD, 'rb').read() and file['bytes'] == len(content), 'the file comes back')
        check(api.ask('/programs', 'POST', {'files': program['files']}) == {'id': program['id'], 'missing': []}, 'nothing is missing')
        other = {'name': 'other', 'hash': hashlib.sha256(b'other').hexdigest()[:len(file['hash'])], 'bytes': 5}
        check(api.ask('/programs', 'POST', {'files': [other]})['missing'] == [other['hash']], 'the other one is')
        check(api.ask(f'/blobs/{file["hash"]}', 'PUT', content, headers={'Content-Type': 'application/octet-stream'}) == {}, 'again')
        api.ask('/blobs/x', 'PUT', b'x', status=400)

        check_processes(cluster, api, job)
        api.ask(f'/jobs/{job}', 'PATCH')
        check_ended(cluster, api, job, 'CANCELED')
        api.ask(f'/jars/{jar}', 'DELETE')
        api.ask(f'/jars/{jar}', 'DELETE', status=404)
        check(api.ask('/cluster', 'DELETE') == {}, 'it ends')
        until(lambda: not cluster.all(), 'all processes end')
        not_asked = [one for one in api.unanswered() if not one.split()[1].startswith(('/jobs', '/savepoint'))]
        check(not set(not_asked) - {'GET /', 'GET /config', 'GET /index.html', 'GET /metrics', 'GET /openapi.yml', 'GET /overview'},
              'never answered:', not_asked)


def check_processes(cluster, api, job):
    found = api.ask('/taskmanagers')['taskmanagers']
    check(sorted(one['id'] for one in found) == ['tm-1', 'tm-2'] and {one['slotsNumber'] for one in found} == {2}, found)
    slots = [slot['jobId'] for name in ['tm-1', 'tm-2'] for slot in api.ask(f'/taskmanagers/{name}')['allocatedSlots']]
    check(slots == [job] * 2, slots)
    for place in ['/jobmanager', '/taskmanagers/tm-1']:
        logs = api.ask(place + '/logs')['logs']
        check(logs and all(log['mtime'] > 0 for log in logs), logs)
        for log in logs[:3]:
            api.fetch(f'{place}/logs/{log["name"]}')
        own = api.fetch(place + '/log')
        check(b'INFO' in own and api.fetch(place + '/log?offset=5&length=7') == own[5:12], 'a part of a log')
        api.ask(place + '/logs/none', status=404)
        api.ask(place + '/logs/..', status=400)
        api.ask(place + '/log?offset=x', status=400)
        api.ask(place + '/stdout', status=404)
        check(int(numbers(api, place + '/metrics')['Status.Threads.Count']) >= 2, 'threads')
    check(numbers(api, '/jobmanager/metrics')['numRunningJobs'] == '1', 'one job')
    [cores] = api.ask('/taskmanagers/metrics?get=Status.Threads.Count')
    each = [api.ask(f'/taskmanagers/metrics?get=Status.Threads.Count&taskmanagers={name}')[0] for name in ['tm-1', 'tm-2']]
    check(cores['max'] <= max(one['max'] for one in each) + 5 and cores['sum'] > cores['max'], cores, each)
    check('Status.CPU.Time' in [one['id'] for one in api.ask('/taskmanagers/metrics')], 'names')
    check(api.ask('/taskmanagers/metrics?taskmanagers=none&get=Status.Threads.Count') == [], 'none')
    api.ask('/taskmanagers/none', status=404)
    api.ask('/taskmanagers/none/logs', status=404)
    api.ask('/taskmanagers/tm-1', 'PATCH', status=405)
    options = {one['key']: one['value'] for one in api.ask('/jobmanager/config')}
    check(options['heartbeat.interval'] == '300 ms', options)
    api.ask('/jobmanager/environment')


run_cases([jobs_in_all_states, a_job_whose_main_goes_on, programs_and_processes])
