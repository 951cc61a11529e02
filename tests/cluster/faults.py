"""What a cluster says when its surroundings are not as they should be: a disk that is full, a folder that cannot be written, ports and
folders that others have, messages of other versions, paths that lead out. Usage: faults.py [CASE]..."""
import ctypes
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import time

from real_cluster import EXACTLY_ONCE, ODD, PACED, Cluster, alive, check, check_numbers, read, run_cases, until

# Mounts its last argument but one as the first says, and runs the rest: in a mount namespace that ends with it.
MOUNTED = ['unshare', '-m', 'sh', '-c', 'mount $0 "$1" || exit 99; shift; exec "$@"']


def can_mount():
    return subprocess.run(['unshare', '-m', 'true'], capture_output=True).returncode == 0


def ends(process, seconds=10):
    try:
        return process.wait(seconds)
    except subprocess.TimeoutExpired:
        check(False, 'it does not end')


def ports_that_are_taken():
    """Each is named, with what to do; the process ends."""
    with Cluster(taskmanagers=0) as cluster:
        for settings, port in (({'rest.port': cluster.rest_port, 'rest.bind-port': cluster.rest_port, 'jobmanager.rpc.port': 0},
                                cluster.rest_port),
                               ({'rest.port': 0, 'rest.bind-port': 0, 'jobmanager.rpc.port': cluster.rpc_port}, cluster.rpc_port)):
            process = cluster.start_jobmanager('other', wait=False,
                                               **{**settings, 'process.jobmanager.working-dir': cluster.place('other')})
            check(ends(process) == 2, 'it ended with', process.returncode)
            said = read(cluster.folder + '/other.out')
            check(str(port) in said and re.search('in use|taken', said), said)
        check(cluster.ask('/overview'), 'the first one goes on')


def a_folder_that_another_one_has():
    with Cluster(taskmanagers=1) as cluster:
        process = cluster.start_jobmanager('other', wait=False, **{'rest.port': 0, 'rest.bind-port': 0, 'jobmanager.rpc.port': 0})
        check(ends(process) == 2, 'it ended with', process.returncode)
        check('is in use by another JobManager' in read(cluster.folder + '/other.out'), read(cluster.folder + '/other.out'))
        first = cluster.started['tm-1']
        process = cluster.start_taskmanager('tm-1')
        check(ends(process) == 2, 'it ended with', process.returncode)
        check('is in use by another TaskManager' in read(cluster.folder + '/tm-1.out'), read(cluster.folder + '/tm-1.out'))
        cluster.started['first'] = first
        check(alive(first.pid), 'the first one goes on')


def two_of_one_name():
    """The newest one has it; the one before is told, and ends."""
    with Cluster(taskmanagers=1) as cluster:
        first = cluster.started['tm-1']
        cluster.started['first'] = first
        cluster.start_taskmanager('tm-1', **{'process.taskmanager.working-dir': cluster.folder + '/elsewhere'})
        check(ends(first) != 0, 'the first one ended with', first.returncode)
        check('another process has registered under its name' in read(cluster.folder + '/tm-1.out'))
        cluster.wait_for_taskmanagers(1)
        cluster.command('run', ODD, '--deed', 'plain')


def a_start_that_fails():
    """flott cluster start says why, and leaves nothing that runs."""
    with Cluster(start=False) as cluster:
        words = [word for key, value in cluster.jobmanager_settings().items() for word in ('-D', f'{key}={value}')]
        for port in (cluster.rpc_port, cluster.rest_port):
            with socket.socket() as other:
                other.bind(('127.0.0.1', port))
                other.listen()
                began = time.monotonic()
                out, said = cluster.flott('cluster', 'start', '--taskmanagers', 2, *words, code=2)
                check(str(port) in said and re.search('in use|taken', said), said)
                check(time.monotonic() - began < 20, 'it takes', time.monotonic() - began, 's')
            # A TaskManager takes its leave of what is no JobManager, and waits for the answer for ten seconds.
            until(lambda: not cluster.all(), lambda: f'all processes end: {cluster.all()}', 15)


def no_jobmanager():
    """A TaskManager looks for it for so long, and says where it looked."""
    with Cluster(start=False) as cluster:
        process = cluster.start_taskmanager('tm-1', **{'taskmanager.registration.timeout': '1 s'})
        check(ends(process) != 0, 'it ended with', process.returncode)
        said = read(cluster.folder + '/tm-1.out')
        check('taskmanager.registration.timeout' in said and str(cluster.rpc_port) in said, said)


def header(version):
    """Of a frame of another version, with its checksum; without that where its library is not to be had."""
    begin = struct.pack('<IIQQ', 0x4d544c46, version, 0, 0)
    try:
        xxhash = ctypes.CDLL('libxxhash.so.0')
    except OSError:
        return None
    xxhash.XXH3_64bits.restype = ctypes.c_uint64
    return begin + struct.pack('<I', xxhash.XXH3_64bits(begin, ctypes.c_size_t(len(begin))) & 0xffffffff)


def another_version():
    """Of the protocol: the log says both."""
    frame = header(99)
    if frame is None:
        return 'SKIPPED: there is no libxxhash.so.0'
    with Cluster(taskmanagers=0) as cluster, socket.create_connection(('127.0.0.1', cluster.rpc_port)) as peer:
        peer.sendall(frame + bytes(20))
        cluster.logs('jm', r'speaks version 99 of the protocol, and this program version \d+', 5)
        peer.settimeout(5)
        answer = peer.recv(1000)
        check(len(answer) >= 8 and answer[:4] == frame[:4] and answer[4:8] != frame[4:8], 'it does not answer in its version', answer)


def taskmanagers_that_find_nobody():
    """Told to end they do so at once."""
    with Cluster(start=False) as cluster:
        searching = [cluster.start_taskmanager(f'tm-{i}') for i in range(6)]
        for i in range(6):
            cluster.logs(f'tm-{i}', 'no JobManager yet', 10)
        for process in searching:
            process.terminate()
        for process in searching:
            check(ends(process, 3) == 0, 'it ended with', process.returncode)


def messages_that_are_none():
    """Garbage, silence and half a header at the port for TaskManagers: it is said who came, and the cluster goes on."""
    with Cluster(taskmanagers=1) as cluster:
        peers = []
        for bytes_ in (b'GET / HTTP/1.1\r\n\r\nxxxxxxxxxxxxxxxx', os.urandom(4096), struct.pack('<IIQQI', 0x4d544c46, 99, 0, 0, 0), b'FLTM', b''):
            peer = socket.create_connection(('127.0.0.1', cluster.rpc_port))
            peer.sendall(bytes_)
            peers.append(peer)
        cluster.logs('jm', 'was refused|what comes is no message of Flott', 10)
        peers[0].close()
        peers[1].close()
        # Those that say nothing are refused after the heartbeat.
        cluster.logs('jm', 'it did not say who it is', 10)
        many = [socket.create_connection(('127.0.0.1', cluster.rpc_port)) for _ in range(300)]
        cluster.command('run', ODD, '--deed', 'plain')
        for peer in many:
            peer.close()
        check((cluster.ask('/overview') or {}).get('taskmanagers') == 1, 'its TaskManager is still there')


def paths_that_lead_out():
    """No path of REST, and no name of an upload, leads out of the folder."""
    with Cluster(taskmanagers=1) as cluster:
        secret = cluster.folder + '/secret'
        open(secret, 'w').write('do not tell')

        def ask(method, path, body=None, headers=None):
            link = http.client.HTTPConnection('127.0.0.1', cluster.rest_port, timeout=10)
            link.putrequest(method, path, skip_accept_encoding=True)
            for key, value in {'Content-Length': str(len(body or b'')), **(headers or {})}.items():
                link.putheader(key, value)
            link.endheaders(body)
            answer = link.getresponse()
            return answer.status, answer.read()

        ups = ('../../secret', '..%2f..%2fsecret', '%2e%2e/%2e%2e/secret', '..%252f..%252fsecret', '....//....//secret',
               '%2e%2e%2f%2e%2e%2fsecret', f'%2f{secret[1:]}', secret, '..', '.', '%00', 'jobmanager.log%00.out', '../jobs/x')
        for prefix in ('/jobmanager/logs/', '/taskmanagers/tm-1/logs/', '/blobs/', '/programs/', '/jars/', '/', '/jobs/',
                       '/taskmanagers/', '/../', '/static/'):
            for up in ups:
                status, body = ask('GET', prefix + up)
                check(b'do not tell' not in body, prefix + up, 'leads out')
                check(status in (200, 301, 302, 400, 404, 405), prefix + up, 'is answered with', status, body)
        for up in ups[:8]:
            status, body = ask('DELETE', '/jars/' + up)
            check(status in (400, 404), up, status, body)
            status, body = ask('PUT', '/blobs/' + up, b'bytes')
            check(status in (400, 404), up, status, body)
            name = up.encode()
            form = (b'--x\r\nContent-Disposition: form-data; name="jarfile"; filename="' + name +
                    b'"\r\nContent-Type: application/octet-stream\r\n\r\n#!/bin/sh\nexit 0\n\r\n--x--\r\n')
            status, body = ask('POST', '/jars/upload', form, {'Content-Type': 'multipart/form-data; boundary=x'})
            check(status in (200, 400), up, status, body)
            described = json.dumps({'files': [{'name': up, 'hash': '0' * 32, 'bytes': 1}]}).encode()
            status, body = ask('POST', '/programs', described, {'Content-Type': 'application/json'})
            check(status in (200, 400), up, status, body)
        check(read(secret) == 'do not tell', 'the file was written')
        outside = [name for name in os.listdir(cluster.folder) if name not in ('jm', 'tm-1', 'jm.out', 'tm-1.out', 'secret')]
        check(not outside, 'there are', outside)
        cluster.command('run', ODD, '--deed', 'plain')


def a_program_of_another_version():
    """One that was built with another Flott says both versions, at once."""
    with Cluster(taskmanagers=1) as cluster:
        old = cluster.folder + '/old'
        # Answers the role with a version of its own, as one that was built with another Flott.
        open(old + '.c', 'w').write(r'''
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
extern char** environ;
int main(void) {
  for (char** at = environ; *at; ++at)
    if (!strncmp(*at, "FLOTT", 5)) fprintf(stderr, "%s\n", *at);
  for (int fd = 3; fd < 64; ++fd)
    if (fcntl(fd, F_GETFD) >= 0) { char answer[] = "FLRL\x63"; if (write(fd, answer, 5) < 0) {} }
  return 0;
}
''')
        subprocess.run(['cc', '-o', old, old + '.c'], check=True)
        out, said = cluster.command('run', old, code=1)
        check('version 99' in said and 'build the program with the Flott' in said, said)
        cluster.command('run', ODD, '--deed', 'plain')


def a_disk_that_is_full():
    """Of the JobManager: a program that has no room is refused, and the JobManager goes on; with room it takes it."""
    if not can_mount():
        return 'SKIPPED: nothing can be mounted here'
    with Cluster(start=False) as cluster:
        os.makedirs(cluster.place('jm'))
        libraries = re.findall(r'=> (\S+) \(', subprocess.run(['ldd', ODD], capture_output=True, text=True).stdout)
        own = [path for path in libraries if not path.startswith(('/lib', '/usr/lib'))]
        size = sum(map(os.path.getsize, [ODD, *own])) + os.path.getsize(PACED) // 2
        cluster.prefixes['jm'] = [*MOUNTED, f'-t tmpfs -o size={size} none', cluster.place('jm')]
        cluster.start_jobmanager()
        cluster.start_taskmanager('tm-1')
        cluster.wait_for_taskmanagers(1)
        cluster.command('run', ODD, '--deed', 'plain')
        for _ in range(2):
            out, said = cluster.command('run', PACED, code=1)
            check('no space left on device' in said and 'flott cluster start' not in said, 'it says', said)
        cluster.command('run', ODD, '--deed', 'plain')
        check(alive(cluster.pid('jm')), 'the JobManager has ended')


def a_disk_that_is_full_for_workers():
    """Of one TaskManager: the job runs on the other one."""
    if not can_mount():
        return 'SKIPPED: nothing can be mounted here'
    with Cluster(taskmanagers=0) as cluster:
        os.makedirs(cluster.place('tm-1'))
        cluster.prefixes['tm-1'] = [*MOUNTED, '-t tmpfs -o size=200k none', cluster.place('tm-1')]
        cluster.start_taskmanager('tm-1')
        cluster.wait_for_taskmanagers(1)
        job = cluster.run_detached(PACED, '--count', 1000, '--rate', 1000, '--out', cluster.folder + '/out', options=EXACTLY_ONCE)
        cluster.logs('jm', r'was not started: .*[Nn]o space', 10)
        cluster.start_taskmanager('tm-2')
        cluster.wait_for(job, 'FINISHED')
        check_numbers(cluster.folder + '/out', 1000)


def a_disk_that_is_full_at_the_end():
    """How a job has ended cannot be kept: it goes on from its newest checkpoint until it can, and has everything once."""
    if not can_mount():
        return 'SKIPPED: nothing can be mounted here'
    with Cluster(start=False) as cluster:
        os.makedirs(cluster.place('jm'))
        cluster.prefixes['jm'] = [*MOUNTED, '-t tmpfs -o size=300m none', cluster.place('jm')]
        cluster.start_jobmanager()
        cluster.start_taskmanager('tm-1')
        cluster.wait_for_taskmanagers(1)
        out = cluster.folder + '/out'
        job = cluster.run_detached(PACED, '--count', 3000, '--rate', 2000, '--out', out, parallelism=2,
                                   options={**EXACTLY_ONCE, 'execution.checkpointing.dir': cluster.folder + '/checkpoints'})
        inside = ['nsenter', '-t', str(cluster.pid('jm')), '-m']
        subprocess.run([*inside, 'sh', '-c', f'cat /dev/zero > {cluster.place("jm")}/zeros'], capture_output=True)
        until(lambda: any(one['state'] == 'RESTARTING' for one in (cluster.ask('/jobs/overview') or {}).get('jobs', [])),
              'its master comes to the end in vain')
        subprocess.run([*inside, 'rm', cluster.place('jm') + '/zeros'], check=True)
        cluster.wait_for(job, 'FINISHED')
        check_numbers(out, 3000)


def a_folder_that_cannot_be_written():
    if not can_mount():
        return 'SKIPPED: nothing can be mounted here'
    with Cluster(start=False) as cluster:
        os.makedirs(cluster.place('jm'))
        cluster.prefixes['jm'] = [*MOUNTED, '-t tmpfs -o ro none', cluster.place('jm')]
        process = cluster.start_jobmanager(wait=False)
        check(ends(process) in (1, 2), 'it ended with', process.returncode)
        said = read(cluster.folder + '/jm.out')
        check(cluster.place('jm') in said and 'ead-only' in said, said)


run_cases([ports_that_are_taken, a_folder_that_another_one_has, two_of_one_name, a_start_that_fails, no_jobmanager,
           taskmanagers_that_find_nobody, messages_that_are_none, another_version, paths_that_lead_out,
           a_program_of_another_version, a_disk_that_is_full, a_disk_that_is_full_for_workers, a_disk_that_is_full_at_the_end,
           a_folder_that_cannot_be_written])
