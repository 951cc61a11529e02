"""Programs that tests start, ask until they have what is wanted, and end.

    with running([JOB, *options({'rest.port': 0})], folder / 'log') as process:
        [url] = until('the page', lambda: said(folder / 'log', r'is at (http://[^ ]+)'))
"""
import contextlib
import pathlib
import re
import signal
import subprocess
import time

PATIENCE = 60


def until(what, look, pause=0.02):
    """Looks until there is something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(pause)
    raise AssertionError(f'not within {PATIENCE} s: {what}')


def options(values):
    return [word for key, value in values.items() for word in ('-D', f'{key}={value}')]


def said(log, pattern, times=1):
    """What a log has of the pattern, if it has it so often."""
    found = re.findall(pattern, pathlib.Path(log).read_text())
    return found if len(found) >= times else None


@contextlib.contextmanager
def running(arguments, log, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, end=signal.SIGTERM):
    """A process whose standard error goes to `log`; it gets the signal `end`, and is killed if that is not enough."""
    with open(log, 'wb') as file:
        process = subprocess.Popen(arguments, stdin=stdin, stdout=stdout, stderr=file)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(end)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def show(folder):
    """The ends of all logs."""
    for log in sorted(path for path in folder.iterdir() if path.is_file()):
        print(f'--- {log.name}\n' + log.read_text()[-4000:])
