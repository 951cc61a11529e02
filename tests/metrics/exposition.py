"""A strict reader of Prometheus' text format, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats"""
import re

NAME = r'[a-zA-Z_:][a-zA-Z0-9_:]*'
HELP = re.compile(rf'# HELP ({NAME}) ((?:[^\\\n]|\\\\|\\n)*)')
TYPE = re.compile(rf'# TYPE ({NAME}) (counter|gauge|histogram|summary|untyped)')
SAMPLE = re.compile(rf'({NAME})(?:\{{(.*)\}})? (\S+)')
LABEL = re.compile(r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\\\|\\"|\\n)*)"')
NUMBER = re.compile(r'[+-]?(?:\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|Inf)|NaN')
ESCAPED = re.compile(r'\\(.)')


def labels_of(text):
    labels, at = {}, 0
    while at < len(text):
        found = LABEL.match(text, at)
        assert found, f'labels cannot be read: {text!r}'
        name, value = found.groups()
        assert name not in labels, f'label {name} twice: {text!r}'
        labels[name] = ESCAPED.sub(lambda m: '\n' if m[1] == 'n' else m[1], value)
        at = found.end()
        assert at == len(text) or text[at] == ',', f'labels cannot be read: {text!r}'
        at += 1
    return labels


def parse(page):
    """All samples as (name, labels, number), and the types by name. AssertionError for what the format does not allow."""
    assert page == '' or page.endswith('\n'), 'the last line has no end'
    samples, types, ended, seen, helped = [], {}, set(), set(), None
    current = None
    for line in page.split('\n')[:-1]:
        if found := HELP.fullmatch(line):
            helped = found[1]
            continue
        if found := TYPE.fullmatch(line):
            name, kind = found.groups()
            assert name not in types, f'{name} has two types'
            assert helped == name, f'{name} has no help before its type'
            types[name] = kind
            current = name
            continue
        found = SAMPLE.fullmatch(line)
        assert found, f'not a line of the format: {line!r}'
        name, labels, number = found.groups()
        assert NUMBER.fullmatch(number), f'not a number: {line!r}'
        family = name
        if types.get(current) == 'summary' and name in (current + '_sum', current + '_count'):
            family = current
        assert family == current, f'{name} stands among those of {current}'
        labels = labels_of(labels or '')
        key = (name, tuple(sorted(labels.items())))
        assert key not in seen, f'{line!r} twice'
        seen.add(key)
        samples.append((name, labels, float(number)))
    return samples, types
