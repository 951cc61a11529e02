"""All documents about a job, each held against the description (description.py)."""


def vertex_paths(job):
    for vertex in job['vertices']:
        path = f'/jobs/{job["jid"]}/vertices/{vertex["id"]}'
        yield from (path + part for part in [
            '', '/accumulators', '/backpressure', '/metrics', '/jm-operator-metrics', '/subtasks/accumulators',
            '/subtasks/metrics', '/subtasktimes', '/taskmanagers', '/watermarks',
            '/subtasks/metrics?get=numRecordsIn,numRecordsOut&agg=min,max', '/subtasks/metrics?subtasks=0-1'])


def check_overviews(api, job_id):
    """What there is beside single jobs."""
    for path in ['/config', '/overview', '/jobs', '/jobs/overview', '/jobs/metrics', '/v1/jobs/overview',
                 f'/jobs/metrics?jobs={job_id}&get=numRestarts']:
        api.ask(path)


def check_job(api, job_id):
    """Everything that can be asked about a job, running or ended."""
    job = api.ask(f'/jobs/{job_id}')
    assert job['vertices'], job  # the description allows none, for jobs whose main() was killed
    for part in ['/status', '/config', '/jobmanager/config', '/jobmanager/environment', '/plan', '/execution-result',
                 '/accumulators', '/exceptions', '/exceptions?maxExceptions=0', '/metrics', '/metrics?get=numRestarts,uptime',
                 '/watermarks', '/resource-requirements', '/checkpoints', '/checkpoints/config']:
        api.ask(f'/jobs/{job_id}{part}')
    for path in vertex_paths(job):
        api.ask(path)
    for vertex in job['vertices']:
        for known in api.ask(f'/jobs/{job_id}/vertices/{vertex["id"]}')['subtasks']:
            path = f'/jobs/{job_id}/vertices/{vertex["id"]}/subtasks/{known["subtask"]}'
            subtask = api.ask(path)
            api.ask(f'{path}/metrics')
            for part in ['', '/accumulators']:
                api.ask(f'{path}/attempts/{subtask["attempt"]}{part}')
    for checkpoint in api.ask(f'/jobs/{job_id}/checkpoints')['history'][:3]:
        path = f'/jobs/{job_id}/checkpoints/details/{checkpoint["id"]}'
        api.ask(path)
        if checkpoint['status'] == 'COMPLETED':
            api.ask(f'{path}/subtasks/{job["vertices"][0]["id"]}')
    return job
