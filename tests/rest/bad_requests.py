"""A thousand requests that nobody should send: each gets the answer that it deserves, and the server goes on."""
import concurrent.futures
import itertools
import json
import random
import re
import socket
import time

PATIENCE = 60
SLOW = 6.0  # seconds after which a server has given up on a request


def exchange(port, request, ends=True):
    """Sends bytes as they are; the status, or 0 when the server closed without a word."""
    with socket.create_connection(('127.0.0.1', port), timeout=PATIENCE) as connection:
        try:
            connection.sendall(request)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        except OSError:  # it has answered already
            pass
        answer = b''
        try:
            while block := connection.recv(65536):
                answer += block
        except ConnectionResetError:
            pass
    match = re.match(rb'HTTP/1\.1 (\d{3}) ', answer)
    if not match:
        assert not answer, answer[:200]
        return 0
    status = int(match[1])
    if status >= 400:
        body = answer.split(b'\r\n\r\n', 1)[1]
        if body:  # not after HEAD
            assert list(json.loads(body)) == ['errors'], answer[:500]
    return status


def head(method, path, *headers):
    return '\r\n'.join([f'{method} {path} HTTP/1.1', 'Host: localhost', *headers, '', '']).encode()


def post(path, body, *headers):
    body = body if isinstance(body, bytes) else body.encode()
    return head('POST', path, f'Content-Length: {len(body)}', *headers) + body


def wrong_methods(job):
    for path, method in itertools.product(
            ['/jobs', '/config', '/overview', '/jobs/overview', f'/jobs/{job}/plan', f'/jobs/{job}/exceptions', '/'],
            ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']):
        yield head(method, path), {405}
    for method in ['GET', 'PUT', 'DELETE', 'PATCH']:
        yield head(method, f'/jobs/{job}/stop'), {405}
        yield head(method, '/savepoint-disposal'), {405}
    for method in ['BREW', 'get', '', 'GET GET', 'X' * 5000, '\x00', 'PRI']:
        yield head(method, '/jobs'), {400, 405}


def broken_bodies(job, chance):
    bodies = ['{', '}', '[', '[]', 'null', '1', '"x"', '{"a":1}', '{"triggerId":5}', '{"triggerId":"zz"}',
              '{"target-directory":7}', '{"cancel-job":"yes"}', '{"formatType":"NATIVE"}', '{"formatType":"?"}',
              '\xff\xfe', '{"triggerId":"\xff"}', '[' * 100_000, '{"a":' * 50_000, '{"\\ud800":1}', "{'x':1}", '{,}',
              '{"drain":true}}', 'NaN', '\x00']
    for body, call in itertools.product(bodies, ['savepoints', 'stop', 'checkpoints']):
        yield post(f'/jobs/{job}/{call}', body.encode('latin-1')), {400}
    for _ in range(200):
        body = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 60)))
        yield post(f'/jobs/{job}/stop', b'x' + body), {400}
    for body in ['', '{}', '{"savepoint-path":""}', '{"savepoint-path":[]}', '{"savepointPath":"/x"}']:
        yield post('/savepoint-disposal', body), {400}


def broken_framing(job):
    path = f'/jobs/{job}/stop'
    for lengths in [['-1'], ['x'], ['1', '2'], ['0x10'], ['99999999999999999999']]:
        yield head('POST', path, *(f'Content-Length: {length}' for length in lengths)), {400}
    yield head('POST', path, 'Content-Length: 2', 'Transfer-Encoding: chunked') + b'2\r\n{}\r\n0\r\n\r\n', {400}
    yield head('POST', path, 'Transfer-Encoding: gzip'), {501}
    yield head('POST', path, 'Transfer-Encoding: chunked, chunked'), {501}
    for chunks in [b'x\r\n', b'5\r\n{}', b'-2\r\n{}\r\n', b'2\r\n{}x\r\n0\r\n\r\n', b'FFFFFFFFFFFFFFFFF\r\n', b'0' * 5000,
                   b'0\r\n' + b'X: y\r\n' * 1000]:
        yield head('POST', path, 'Transfer-Encoding: chunked') + chunks, {400}
    yield head('POST', path, 'Content-Length: 50') + b'{}', {400}  # ends too early


def too_large(job):
    yield post(f'/jobs/{job}/stop', b'{' + b' ' * (2 << 20)), {413}
    yield head('POST', f'/jobs/{job}/stop', 'Content-Length: 99999999999'), {413}
    yield head('POST', f'/jobs/{job}/stop', 'Transfer-Encoding: chunked') + b'FFFFFFF\r\n' + b'x' * (2 << 20), {413}
    yield head('GET', '/jobs', 'X: ' + 'x' * 100_000), {431}
    yield head('GET', '/jobs', *(f'X-{i}: y' for i in range(10_000))), {431}
    yield head('GET', '/' + 'x' * 100_000), {431}
    yield head('GET', '/' + 'x' * 10_000), {414}
    yield head('GET', '/jobs?' + 'a=b&' * 2500), {414}
    yield b'x' * 1_000_000, {400, 431}


def odd_paths(job, chance):
    for path in ['/../etc/passwd', '/..%2f..%2fetc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/jobs/../../etc/passwd',
                 '/jobs/..', '/jobs/.', '/....//etc/passwd', '//etc/passwd', '/jobs/%00', '/%', '/%zz', '/jobs/%ff%fe',
                 f'/jobs/{job}/..', f'/jobs/{job}/plan/../../../etc/passwd', '/openapi.yml/x', '/index.html/..',
                 '\\..\\etc\\passwd', '/jobs/overview%2f..', 'jobs', 'http://elsewhere/jobs', '*',
                 f'/jobs/{job}/checkpoints/details/-1', f'/jobs/{job}/checkpoints/details/1e5',
                 f'/jobs/{job}/checkpoints/details/99999999999999999999', f'/jobs/{job}/vertices/x',
                 f'/jobs/{job}/vertices/{"0" * 32}', f'/jobs/{job}/savepoints/x', f'/jobs/{job}/savepoints/{"0" * 32}',
                 '/jobs/' + '0' * 31, '/jobs/' + '0' * 33, '/jobs/' + 'g' * 32, '/jobs/' + 'f' * 32,
                 '/jobs/metrics?agg=median', '/jobs/metrics?jobs=x', f'/jobs/{job}/exceptions?maxExceptions=-1',
                 f'/jobs/{job}/exceptions?maxExceptions=x']:
        yield head('GET', path), {400, 404}
    alphabet = 'abc/.%0\\~?#&=;:@+-_$!"\'()*,[]{}|^`'
    for _ in range(400):
        path = ''.join(chance.choice(alphabet) for _ in range(chance.randrange(1, 60)))
        yield head('GET', '/zz' + path), {400, 404}


def not_allowed(job):
    for host in ['example.org', 'localhost.example.org', '', '127.0.0.1.example.org']:
        yield f'GET /jobs HTTP/1.1\r\nHost: {host}\r\n\r\n'.encode(), {403}
    for origin in ['https://example.org', 'null', 'http://localhost:1']:
        yield head('PATCH', f'/jobs/{job}?mode=cancel', f'Origin: {origin}'), {403}
        yield post(f'/jobs/{job}/stop', '{}', f'Origin: {origin}'), {403}
    yield head('GET', f'/jobs/{job}/yarn-cancel', 'Sec-Fetch-Site: cross-site'), {403}


def no_http(chance):
    for text in [b'\r\n\r\n', b'GET\r\n\r\n', b'GET /jobs\r\n\r\n', b'GET /jobs HTTP/9.9\r\n\r\n', b'\x16\x03\x01\x02\x00',
                 b'GET /jobs HTTP/1.1\r\nHost localhost\r\n\r\n', b'GET /jobs HTTP/1.1\r\n: x\r\n\r\n']:
        yield text, {0, 400, 403}
    for _ in range(250):
        yield b'\xff' + bytes(chance.randrange(256) for _ in range(chance.randrange(1, 300))), {0, 400, 414, 431}


def all_requests(job):
    chance = random.Random(7)
    return [*wrong_methods(job), *broken_bodies(job, chance), *broken_framing(job), *too_large(job),
            *odd_paths(job, chance), *not_allowed(job), *no_http(chance)]


def drag_out(port, request):
    """Sends the beginning and then nothing; the status and how long it took."""
    began = time.monotonic()
    return exchange(port, request, ends=False), time.monotonic() - began


def check(port, job):
    requests = all_requests(job)
    assert len(requests) >= 1000, len(requests)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        wrong = [f'{request[:300]!r}: {status} instead of {wanted}' for (request, wanted), status in
                 zip(requests, pool.map(lambda one: exchange(port, one[0]), requests)) if status not in wanted]
    assert not wrong, f'{len(wrong)} wrong answers:\n' + '\n'.join(wrong[:30])
    return len(requests)


def check_slow(port, job):
    """Two hundred clients that do not get on keep nobody waiting, and get 408."""
    path = f'/jobs/{job}/stop'
    slow = [head('GET', '/jobs')[:-5], head('POST', path, 'Content-Length: 9') + b'{',
            head('POST', path, 'Transfer-Encoding: chunked') + b'1\r\n', b'GET']
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        dragging = [pool.submit(drag_out, port, slow[i % 2 * 3 if i % 50 else 2]) for i in range(200)]
        quickest = []
        while not all(future.done() for future in dragging):
            began = time.monotonic()
            assert exchange(port, head('GET', '/jobs')) == 200
            quickest.append(time.monotonic() - began)
        for status, seconds in (future.result() for future in dragging):
            assert status == 408, status
            assert 1 < seconds < 4 * SLOW, seconds
    quickest.sort()
    median = quickest[len(quickest) // 2]
    assert median < 0.5, f'a request takes {median} s while others drag theirs out'
    return len(quickest), median
