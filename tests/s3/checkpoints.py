"""A job that checkpoints to S3 is killed and goes on from there, counting every record once; what is wrong with the
store is said clearly; nothing is left there that no complete checkpoint refers to. Exit code 0 when all is so.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request

from store import Store

PROGRAM = os.environ['FLOTT_BUILD'] + '/examples/checkpointed_count'
COMMAND = os.environ['FLOTT_BUILD'] + '/bin/flott'
KEYS = 10


def command(*options, count, rate, endpoint, key='key', secret='the/secret+'):
    given = {'s3.endpoint': endpoint, 's3.access-key': key, 's3.secret-key': secret, 's3.path.style.access': 'true',
             'parallelism.default': 2, 'execution.checkpointing.data-inline-threshold': '0 b'}
    line = [PROGRAM, '--count', str(count), '--rate', str(rate)]
    for option in [f'{name}={value}' for name, value in given.items()] + list(options):
        line += ['-D', option]
    return line


def check(holds, *what):
    if not holds:
        print('FAILED:', *what)
        sys.exit(1)


def counts(output):
    last = {}
    for key, count in re.findall(r'\{key: (\d+), count: (\d+)\}', output):
        last[int(key)] = int(count)
    return last


def files_of(prefix):
    """Objects below the prefix that are no mark of a folder."""
    return [name for name in store.names(prefix) if not name.endswith('/')]


def killed_and_restored():
    count = 60000
    keep = ['execution.checkpointing.interval=200 ms', 'execution.checkpointing.dir=s3://bucket/count',
            'execution.checkpointing.create-subdir=false']
    with tempfile.TemporaryFile('w+') as output:
        job = subprocess.Popen(command(*keep, count=count, rate=10000, endpoint=store.endpoint), stdout=output,
                               stderr=subprocess.PIPE, text=True)
        give_up = time.monotonic() + 30
        while not any(re.search(r'chk-([4-9]|\d\d)/_metadata', name) for name in store.names('count')):
            check(job.poll() is None and time.monotonic() < give_up, 'no checkpoint came', store.names())
        job.kill()
        job.communicate()
    store.client.put_object(Bucket='bucket', Key='count/chk-900/task-0-0', Body=b'of one that was never complete')
    complete = sorted((name for name in store.names('count') if name.endswith('_metadata')),
                      key=lambda name: int(re.search(r'chk-(\d+)', name)[1]))
    path = 's3://bucket/' + complete[-1].removesuffix('/_metadata')
    options = keep + ['execution.state-recovery.path=' + path, 'execution.state-recovery.claim-mode=CLAIM',
                      'execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION']
    # Half way through the second run there is nothing but what complete checkpoints refer to, and one under way.
    done = subprocess.run(command(*options, count=count, rate=20000, endpoint=store.endpoint), text=True,
                          capture_output=True, timeout=100)
    check(done.returncode == 0, done.stderr)
    check('starts from checkpoint' in done.stderr, done.stderr)
    check(counts(done.stdout) == {key: count // KEYS for key in range(KEYS)}, counts(done.stdout), done.stderr)
    left = files_of('count')
    check(all(name.startswith(os.path.dirname(other)) for name in left for other in complete[:-1][:1]),
          'left in the store:', left)
    check(not any('chk-90' in name for name in left), 'left in the store:', left)
    check('the/secret' not in done.stderr, done.stderr)


def looked_at(path):
    """What the command says of a checkpoint in the store."""
    given = {'s3.endpoint': store.endpoint, 's3.access-key': 'key', 's3.secret-key': 'the/secret+'}
    options = [word for name, value in given.items() for word in ('-D', f'{name}={value}')]

    def flott(*words):
        done = subprocess.run([COMMAND, 'state', *words, *options], text=True, capture_output=True, timeout=60)
        check(done.returncode == 0, words, done.stderr)
        return done.stdout
    listed = json.loads(flott('ls', path, '--json'))
    [owner] = [op['id'] for op in listed['operators'] if any(state['name'] == 'sum' for state in op['states'])]
    rows = flott('cat', path, '--operator', owner, '--state', 'sum', '--format', 'csv').splitlines()
    check(rows[0] == 'key,value' and len(rows) == 1 + KEYS, rows)
    flott('diff', path, path)


def retained_is_whole():
    """Of a job that failed the last checkpoint stays, and each file there belongs to it."""
    job = subprocess.Popen(command('execution.checkpointing.interval=100 ms',
                                   'execution.checkpointing.dir=s3://bucket/retained',
                                   'execution.checkpointing.externalized-checkpoint-retention=RETAIN_ON_CANCELLATION',
                                   count=1000000, rate=10000, endpoint=store.endpoint),
                           stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    give_up = time.monotonic() + 30
    while not any(re.search(r'chk-[3-9]/_metadata', name) for name in store.names('retained')):
        check(job.poll() is None and time.monotonic() < give_up, 'no checkpoint came', store.names())
    job.terminate()
    _, log = job.communicate(timeout=60)
    folders = {os.path.dirname(name) for name in files_of('retained')}
    check(len(folders) == 1, 'left in the store:', folders, log)
    check(any(name.endswith('/_metadata') for name in files_of('retained')), files_of('retained'), log)
    looked_at('s3://bucket/' + folders.pop())


def refused(what, *expected, options=(), **connection):
    """A store that refuses voids checkpoints, and the job goes on to its end."""
    connection = {'endpoint': store.endpoint, **connection}
    done = subprocess.run(command('execution.checkpointing.interval=100 ms',
                                  'execution.checkpointing.tolerable-failed-checkpoints=1000', *options, count=20000,
                                  rate=20000, **connection), text=True, capture_output=True, timeout=200)
    check(done.returncode == 0, what, done.stderr)
    check(counts(done.stdout) == {key: 20000 // KEYS for key in range(KEYS)}, what, counts(done.stdout))
    for text in expected:
        check(text in done.stderr, f'{what}: the log does not say: {text}', done.stderr)


def fails(what, expected, *options, **connection):
    done = subprocess.run(command(*options, count=20000, rate=20000, **{'endpoint': store.endpoint, **connection}),
                          text=True, capture_output=True, timeout=200)
    check(done.returncode != 0 and expected in done.stderr, f'{what}: expected: {expected}', done.stderr)


def wrong_credentials():
    iam = store.clientOf('iam', 'key', 'secret')
    iam.create_user(UserName='flott')
    key = iam.create_access_key(UserName='flott')['AccessKey']
    everything = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]}
    iam.put_user_policy(UserName='flott', PolicyName='all', PolicyDocument=json.dumps(everything))
    request = urllib.request.Request(store.endpoint + '/moto-api/reset-auth', data=b'0', method='POST',
                                     headers={'Content-Type': 'text/plain'})
    urllib.request.urlopen(request).read()
    refused('wrong credentials', 'See that s3.access-key and s3.secret-key are right',
            options=['execution.checkpointing.dir=s3://bucket/denied'], key=key['AccessKeyId'], secret='wrong')


store = Store()
try:
    killed_and_restored()
    retained_is_whole()
    refused('wrong bucket', "Make the bucket 'nobucket', or correct the name",
            options=['execution.checkpointing.dir=s3://nobucket/count'])
    fails('a failure that is not tolerated', 'tolerable-failed-checkpoints: 0',
          'execution.checkpointing.dir=s3://nobucket/count', 'execution.checkpointing.interval=100 ms',
          'restart-strategy.type=none')
    fails('nothing to start from', "no checkpoint at 's3://bucket/none'", 'execution.state-recovery.path=s3://bucket/none')
    fails('unknown scheme', "unknown scheme 's4': did you mean 's3'?", 'execution.checkpointing.dir=s4://bucket/count')
    refused('refused connection', 'See that the store runs and that s3.endpoint is its address',
            options=['execution.checkpointing.dir=s3://bucket/unreachable'], endpoint='http://127.0.0.1:1')
    wrong_credentials()
finally:
    store.server.stop()
