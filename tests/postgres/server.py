"""A PostgreSQL server of its own for a test: a free port of the loopback, data in a temporary folder, an unprivileged
user, ended by its process id."""
import glob
import os
import pathlib
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile


def program(name):
    """On the PATH, or where Debian puts it; None when it is missing."""
    found = sorted(glob.glob(f'/usr/lib/postgresql/*/bin/{name}'), key=lambda path: float(path.split('/')[4]))
    return shutil.which(name) or (found[-1] if found else None)


def missing():
    return [name for name in ('initdb', 'postgres', 'psql') if program(name) is None]


class Server:
    def __init__(self, **settings):
        self.folder = tempfile.mkdtemp(prefix='flott-postgres-')
        self.user = self.unprivileged()
        self.settings = settings
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port = probe.getsockname()[1]
        os.chmod(self.folder, 0o755)
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)
        self.connection = f'host=127.0.0.1 port={self.port} dbname=postgres user=flott'
        self.run('initdb', '-D', f'{self.folder}/data', '-U', 'flott', '-A', 'trust', '-N', '--no-locale', '-E', 'UTF8')
        self.process = None
        self.start()

    @staticmethod
    def unprivileged():
        """The server refuses to run as root."""
        if os.getuid() != 0:
            return None
        names = {entry.pw_name: entry for entry in pwd.getpwall()}
        return names.get('postgres') or names['nobody']

    def identity(self):
        if self.user is None:
            return {}
        return {'user': self.user.pw_uid, 'group': self.user.pw_gid, 'extra_groups': []}

    def run(self, name, *arguments):
        done = subprocess.run([program(name), *arguments], cwd=self.folder, capture_output=True, text=True,
                              env=dict(os.environ, HOME=self.folder), **self.identity())
        if done.returncode != 0:
            sys.exit(f'{name} failed: {done.stdout}{done.stderr}')

    def start(self):
        settings = {'listen_addresses': '127.0.0.1', 'port': self.port, 'unix_socket_directories': '', 'fsync': 'off',
                    'log_min_messages': 'fatal', **self.settings}
        options = [part for name, value in settings.items() for part in ('-c', f'{name}={value}')]
        self.log = open(f'{self.folder}/log', 'a')
        self.process = subprocess.Popen([program('postgres'), '-D', f'{self.folder}/data', *options], cwd=self.folder,
                                        stdout=self.log, stderr=self.log, **self.identity())
        while True:
            if self.process.poll() is not None:
                sys.exit('the server ended: ' + open(f'{self.folder}/log').read())
            ready = self.psql('SELECT 1')
            if ready.returncode == 0:
                return

    def psql(self, sql):
        return subprocess.run([program('psql'), self.connection, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-c', sql],
                              capture_output=True, text=True)

    def query(self, sql):
        """Rows, each a list of texts."""
        done = self.psql(sql)
        if done.returncode != 0:
            sys.exit(f'{sql}: {done.stderr}')
        return [line.split('|') for line in done.stdout.splitlines()]

    def value(self, sql):
        return self.query(sql)[0][0]

    def stop(self, how=signal.SIGINT):
        """SIGINT: sessions are ended; SIGQUIT: as in a crash."""
        self.process.send_signal(how)
        self.process.wait()
        self.log.close()

    def remove(self):
        if self.process is not None and self.process.poll() is None:
            self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)
