"""A server that answers as a JSON file says, for what a real cluster does seldom; prints its port.

Usage: fake_cluster.py ANSWERS

ANSWERS is {"POST /v1/jobs/7/stop": [[202, {"request-id": "1"}], …], "GET /v1/jobmanager/log": "FILE"}: answers one after
the other, of which the last stays; or a file, of which `offset` and `length` in the query cut a part. A status of 0 closes
the connection without an answer, one of -1 keeps it open. Requests are written to ANSWERS.seen, a line each, with their bodies.
"""
import http.server
import json
import sys
import threading
import urllib.parse

answers = json.load(open(sys.argv[1]))
seen = open(sys.argv[1] + '.seen', 'w')


class Handler(http.server.BaseHTTPRequestHandler):

    def log_message(self, *arguments):
        pass

    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0))).decode()
        print(self.command, self.path, body, file=seen, flush=True)
        path, _, query = self.path.partition('?')
        found = answers.get(f'{self.command} {self.path}', answers.get(f'{self.command} {path}'))
        if isinstance(found, str):
            part = dict(urllib.parse.parse_qsl(query))
            offset = int(part.get('offset', 0))
            data = open(found, 'rb').read()[offset:offset + int(part.get('length', 1 << 30))]
            return self.send(200, data)
        if found is None:
            return self.send(404, json.dumps({'errors': ['there is nothing at ' + path]}).encode())
        status, document = found.pop(0) if len(found) > 1 else found[0]
        if status == -1:
            threading.Event().wait()
        if status == 0:
            self.close_connection = True
            return None
        return self.send(status, (document if isinstance(document, str) else json.dumps(document)).encode())

    def send(self, status, data):
        self.send_response(status)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST = do_PATCH = do_DELETE = answer


server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
