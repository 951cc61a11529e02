"""The description of REST, web/openapi.yml as a server sends it, and whether answers are as it says."""
import json
import re
import urllib.error
import urllib.request

import jsonschema
import yaml

PATIENCE = 60


class Description:
    """Asks a server, and holds each answer against the description. Knows which paths have been answered."""

    def __init__(self, url):
        self.url = url
        with urllib.request.urlopen(url + '/openapi.yml', timeout=PATIENCE) as answer:
            assert answer.headers['Content-Type'].startswith('application/yaml'), answer.headers
            self.all = yaml.safe_load(answer.read().decode())
        self.answered = set()  # of (method, path of the description, status)
        # Of two that fit, the one with fewer open parts.
        self.paths = [(re.compile('^' + re.sub(r'\\{[^}]*\\}', '[^/]+', re.escape(path)) + '$'), path)
                      for path in sorted(self.all['paths'], key=lambda path: path.count('{'))]

    def resolved(self, node):
        while '$ref' in node:
            found = self.all
            for part in node['$ref'].removeprefix('#/').split('/'):
                found = found[part]
            node = found
        return node

    def known(self, path):
        return next((known for pattern, known in self.paths if pattern.match(path)), None)

    def has(self, method, path):
        known = self.known(path)
        return known is not None and method.lower() in self.all['paths'][known]

    def answers(self, method, path):
        """What an operation may answer by status, and the path of the description."""
        known = self.known(path)
        assert known, f'{path} is not described'
        operation = self.all['paths'][known].get(method.lower())
        assert operation, f'{method} {known} is not described'
        return operation['responses'], known

    def schema(self, method, path, status):
        """The schema of the answer, and the path of the description."""
        if status in (404, 405) and not self.has(method, path):
            answers, known = {'default': {'$ref': '#/components/responses/Refused'}}, path
        else:
            answers, known = self.answers(method, path)
        # Success is described by its own status.
        described = answers.get(str(status)) or (answers['default'] if status >= 400 else None)
        assert described, f'{method} {known}: {status} is not described'
        return self.resolved(described)['content']['application/json']['schema'], known

    def ask(self, path, method='GET', body=None, status=None, headers=None):
        """The answer as JSON. `status` is the one that is wanted; any success without it."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, method=method, data=data, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                got, text = answer.status, answer.read()
        except urllib.error.HTTPError as error:
            got, text = error.code, error.read()
        said = f'{method} {path}: {got} {text[:2000].decode(errors="replace")}'
        assert got == status or (status is None and got < 300), said
        value = json.loads(text)
        schema, known = self.schema(method, path.split('?')[0].removeprefix('/v1'), got)
        try:
            jsonschema.Draft202012Validator(
                {**schema, 'components': self.all['components']}).validate(value)
        except jsonschema.ValidationError as error:
            raise AssertionError(f'{said}\nis not as described: {error.message} at {error.json_path}') from None
        self.answered.add((method, known, got))
        return value

    def fetch(self, path):
        """The bytes of a path that is described to give no JSON."""
        method = 'GET'
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
            got, kind, text = answer.status, answer.headers.get_content_type(), answer.read()
        answers, known = self.answers(method, path.split('?')[0])
        described = self.resolved(answers[str(got)])['content']
        assert kind in described, f'{method} {path} gives {kind}, not {list(described)}'
        self.answered.add((method, known, got))
        return text

    def unanswered(self):
        """Operations of which no success was seen, though they have one."""
        return [f'{method.upper()} {path}' for path, operations in self.all['paths'].items()
                for method, operation in operations.items() if method != 'parameters'
                for status in operation['responses'] if status != 'default'
                if (method.upper(), path, int(status)) not in self.answered]
