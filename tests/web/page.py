"""The web page, of a cluster and of a program: it asks for nothing that is not described, puts names in as text, and shows what
there is. With Node.js it is run (page.mjs); without, only its text is looked at. Usage: page.py [CASE]...
"""
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, 'tests/cluster')
import programs
from description import Description
from real_cluster import BUILD, ODD, Cluster, check, run_cases, until

REST = BUILD + '/tests/rest_job'


def node():
    """Node.js, if it is there and has fetch()."""
    found = shutil.which('node')
    version = subprocess.run([found, '--version'], capture_output=True, text=True).stdout if found else ''
    return found if re.match(r'v(1[89]|[2-9]\d)\.', version) else None


NODE = node()
ODD_NAME = '<img src=x onerror=alert(1)>'


class Page:
    """What the page of a server shows."""

    def __init__(self, api, hash='', code=''):
        done = subprocess.run([NODE, 'tests/web/page.mjs', api.url, hash, code], capture_output=True, text=True, timeout=60)
        check(done.returncode == 0, 'the page fails:', done.stderr)
        shown = json.loads(done.stdout)
        self.said, self.hash, self.shapes = shown['said'], shown['hash'], shown['shapes']
        check(self.said['trouble']['hidden'], 'it is in trouble:', self.said['trouble'])
        for method, path in shown['asked']:
            api.answers(method, path.split('?')[0])  # is described

    def text(self, id):
        return None if self.said[id]['hidden'] else self.said[id]['text']


def wait_for_restart(api, job):
    """A job of rest_job fails once, and goes on."""
    until(lambda: api.ask(f'/jobs/{job}/exceptions')['exceptionHistory']['entries'], 'its failure')
    until(lambda: (found := api.ask(f'/jobs/{job}'))['state'] == 'RUNNING' and found['status-counts']['RUNNING'] > 0 and
          found['status-counts']['RUNNING'] == sum(found['status-counts'].values()), 'all tasks')


def no_path_is_unknown():
    """Each word between slashes in the page's requests is one of a path that is described."""
    page = pathlib.Path('web/local.html').read_text()
    for way in ['innerHTML', 'outerHTML', 'insertAdjacentHTML', 'document.write', 'eval(', 'http://', 'https://', 'src=']:
        check(way not in page.replace('http://www.w3.org/2000/svg', ''), 'the page has', way)
    described = pathlib.Path('web/openapi.yml').read_text() + pathlib.Path('web/openapi-cluster.yml').read_text()
    known = {word for path in re.findall(r'^  (/\S*):$', described, re.MULTILINE) for word in path.split('/') if not word.startswith('{')}
    script = page[page.index('<script>'):]
    literals = [text for match in re.findall(r"'([^'\n]*)'|`([^`]*)`", script) for text in match if text]
    requests = [re.sub(r'\$\{[^}]*\}', ':', text).split('?')[0] for text in literals]
    requests = [text for text in requests if re.fullmatch(r'[a-z:]*(/[a-z:-]+)+/?|(jobs|jars|taskmanagers|jobmanager)/', text)]
    requests = [text for text in requests if text not in ('text/html', 'application/json')]
    words = {word for text in requests for word in text.split('/') if word and ':' not in word}
    check(len(requests) > 12, requests)
    check(words <= known, 'not described:', words - known)


def of_a_cluster():
    if not NODE:
        return 'Node.js 18 is not there'
    with Cluster(taskmanagers=2, slots=2) as cluster:
        api = Description('http://' + cluster.address)
        page = Page(api)
        check(page.text('jobs') == 'None runs.' and page.text('ended') == 'None.', page.text('jobs'), page.text('ended'))
        done = cluster.run_detached(ODD, '--deed', 'fails', options={'restart-strategy.type': 'none'})
        cluster.wait_for(done, 'FAILED')
        job = cluster.run_detached(REST, parallelism=2, options={
            'execution.checkpointing.interval': '200 ms', 'execution.checkpointing.dir': cluster.folder + '/checkpoints',
            'restart-strategy.type': 'fixed-delay', 'restart-strategy.fixed-delay.delay': '10 ms'})
        wait_for_restart(api, job)
        until(lambda: api.ask(f'/jobs/{job}/checkpoints')['counts']['completed'] > 0, 'a checkpoint')
        vertex = api.ask(f'/jobs/{job}')['vertices'][1]
        until(lambda: api.ask(f'/jobs/{job}/vertices/{vertex["id"]}/backpressure')['status'] == 'ok', 'back pressure')

        page = Page(api)
        check('Rest' in page.text('jobs') and 'RUNNING' in page.text('jobs'), page.text('jobs'))
        check('Odd' in page.text('ended') and 'FAILED' in page.text('ended'), page.text('ended'))
        check('2TaskManagers' in page.text('tiles') and '2slots free, of 4' in page.text('tiles'), page.text('tiles'))
        check(page.text('on-job') is None and page.text('nav') is not None, 'no job is shown')

        page = Page(api, '#' + job, f'choose("{vertex["id"]}");')
        check('sum <&> "quoted"' in page.text('vertices') and page.shapes >= 3, page.text('vertices'))
        check('sum <&> "quoted"' in page.text('subtasks-name') and 'tm-' in page.text('subtasks'), page.text('subtasks'))
        check('COMPLETED' in page.text('checkpoints') and 'numbers' in page.text('accumulators'), page.text('checkpoints'))
        check('numRecords' in page.text('metrics'), page.text('metrics'))
        check('ten is too much' in Page(api, '#' + done).text('failures'), 'the failure')

        check('tm-2' in Page(api, '#taskmanagers').text('taskmanagers'), 'TaskManagers')
        page = Page(api, '#taskmanagers/tm-1')
        check('TaskManager tm-1' == page.text('process') and 'Threads' in page.text('process-facts'), page.text('process-facts'))
        check('INFO' in page.text('log-text') and page.text('options-of') is None, page.text('log-text'))
        page = Page(api, '#jobmanager')
        check('heartbeat.interval' in page.text('options') and 'INFO' in page.text('log-text'), page.text('options'))

        page = Page(api, '#submit')
        check('odd_job' in page.text('programs') and 'rest_job' in page.text('run-program'), page.text('programs'))
        fill = f"""const jar = at('run-program').children.find(one => one.textContent.startsWith('odd_job')).value;
            at('run-program').value = jar; at('run-arguments').value = '--deed endless --job "{ODD_NAME}"';"""
        page = Page(api, '#submit', fill + "await at('run-plan').onclick();")
        check('squares' in page.text('plan-graph'), page.text('plan-graph'), page.text('run-answer'))
        page = Page(api, '#submit', fill + "await at('run').onsubmit({preventDefault() {}});")
        check(re.fullmatch('[0-9a-f]{32}', page.hash), 'the job is shown:', page.hash, page.text('run-answer'))
        check(page.text('name') == ODD_NAME, page.text('name'))
        Page(api, '#' + page.hash, "await at('cancel').onclick();")
        until(lambda: api.ask('/jobs/' + page.hash)['state'] == 'CANCELED', 'it is cancelled')
        page = Page(api, '#submit', fill.replace('endless', 'nothing') + "await at('run').onsubmit({preventDefault() {}});")
        check('without starting a job' in page.text('run-answer'), page.text('run-answer'))


def of_a_program():
    if not NODE:
        return 'Node.js 18 is not there'
    with tempfile.TemporaryDirectory() as name:
        log = pathlib.Path(name) / 'log'
        options = programs.options({'flott.web-ui.enabled': 'true', 'rest.port': '0', 'restart-strategy.type': 'fixed-delay',
                                    'restart-strategy.fixed-delay.delay': '10 ms'})
        with programs.running([REST, *options], log):
            [url] = until(lambda: programs.said(log, r'web page about the jobs is at (http://\S+)'), 'the page')
            api = Description(url)
            [job] = until(lambda: api.ask('/jobs')['jobs'], 'a job')
            wait_for_restart(api, job['id'])
            page = Page(api)
            check(page.text('name') == 'Rest' and 'RUNNING' in page.text('jobs'), page.text('jobs'))
            check(page.text('nav') is None and page.text('tiles') is None and page.text('ended-jobs') is None, 'no cluster')
            check(page.text('vertices') and page.shapes >= 3, page.text('vertices'))


run_cases([no_path_is_unknown, of_a_cluster, of_a_program])
