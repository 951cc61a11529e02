#!/usr/bin/env python3
"""Runs all tests of a build folder; the last line is `N passed, N failed`.

Usage: run_tests.py [--build build/release] [--jobs N] [--timeout SECONDS] [--only REGEX] [--units]
                    [--shards N]

- every test binary that CMake built: each gtest case counts as one test;
- scripts, tests/*.sh and tools/tests/*_test.py: passed when they exit with 0; skipped, for the reason that they print,
  when with 77. They get the build folder as FLOTT_BUILD;
- tests/compile_fail/*.cc: has to be refused by the compiler, whose output has to contain the text after each
  `// expect: ` in the file.

--units runs the binaries alone; --shards N runs each as N processes with a part of its cases. Exit code 1 when a test failed or none ran. What a failed test printed is shown.
"""
import argparse
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import build_tree

PASSED_CASE = re.compile(r'\[       OK \] ([^\s,]+)')
FAILED_CASE = re.compile(r'^\[  FAILED  \] ([^\s,]+).* \(\d+ ms\)$', re.MULTILINE)
SKIPPED_CASE = re.compile(r'\[  SKIPPED \] ([^\s,]+)')
STARTED_CASE = re.compile(r'\[ RUN      \] (\S+)')
SKIPPED_SCRIPT = 77  # as for automake
EXPECTED_ERROR = re.compile(r'//\s*expect:\s*(.+?)\s*$', re.MULTILINE)


class Outcome:
    """Of one binary, script or compile-fail file."""

    def __init__(self, passed, failed, output='', skipped=''):
        self.skipped = skipped  # why
        self.passed = passed
        self.failed = failed  # names
        self.output = output
        self.seconds = 0.0


def run(command, timeout, environment):
    """Returns (exit code or None after the time-out, output). The time-out ends what the command started, too."""
    process = subprocess.Popen(command, cwd=build_tree.ROOT, env=environment, text=True, errors='replace',
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=timeout)
        return process.returncode, output
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return None, process.communicate()[0]


def ending(code, timeout):
    if code is None:
        return f'did not end within {timeout} s'
    return f'ended by signal {-code}' if code < 0 else f'exit code {code}'


def run_binary(path, timeout, environment):
    if not path.exists():
        return Outcome(0, [f'{path.name}: was not built'])
    code, output = run([str(path)], timeout, environment)
    passed = PASSED_CASE.findall(output)
    failed = FAILED_CASE.findall(output)
    unfinished = set(STARTED_CASE.findall(output)) - {*passed, *failed, *SKIPPED_CASE.findall(output)}
    if unfinished or (code != 0 and not failed):  # a crash, a time-out, or a sanitizer's report at the end
        failed.append(' in '.join([f'{path.name}: {ending(code, timeout)}', *unfinished]))
    return Outcome(len(passed), failed, output)


def run_script(path, timeout, environment):
    command = [sys.executable, str(path)] if path.suffix == '.py' else ['bash', str(path)]
    code, output = run(command, timeout, environment)
    if code == SKIPPED_SCRIPT:
        return Outcome(0, [], skipped=(output.strip().splitlines() or [''])[-1])
    return Outcome(1, []) if code == 0 else Outcome(0, [f'{path.name}: {ending(code, timeout)}'], output)


def run_compile_fail(path, command):
    expected = EXPECTED_ERROR.findall(path.read_text())
    if not expected:
        return Outcome(0, [f'{path.name}: has no "// expect: " line'])
    compiles, output = build_tree.check_syntax(command, path)
    if compiles:
        return Outcome(0, [f'{path.name}: compiles, but must not'])
    missing = [text for text in expected if text not in output]
    if missing:
        return Outcome(0, [f'{path.name}: the compiler does not say: {text}' for text in missing], output)
    return Outcome(1, [])


def collect(options):
    """All tests as {name: function without arguments}."""
    root = build_tree.ROOT
    environment = dict(os.environ, FLOTT_BUILD=str(options.build), ARROW_DEFAULT_MEMORY_POOL='system')
    tests = {}
    for path in build_tree.test_binaries(options.build):
        for shard in range(options.shards):
            part = dict(environment, GTEST_TOTAL_SHARDS=str(options.shards), GTEST_SHARD_INDEX=str(shard))
            name = path.name if options.shards == 1 else f'{path.name} {shard + 1}/{options.shards}'
            tests[name] = lambda path=path, part=part: run_binary(path, options.timeout, part)
    if options.units:
        return tests
    for path in [*root.glob('tests/*.sh'), *root.glob('tools/tests/*_test.py')]:
        tests[path.relative_to(root).as_posix()] = lambda path=path: run_script(path, options.timeout, environment)
    command = build_tree.syntax_check_command(options.build)
    for path in root.glob('tests/compile_fail/*.cc'):
        tests[path.relative_to(root).as_posix()] = lambda path=path: run_compile_fail(path, command)
    return tests


def timed(function):
    start = time.monotonic()
    outcome = function()
    outcome.seconds = time.monotonic() - start
    return outcome


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=lambda text: pathlib.Path(text).resolve(), default=build_tree.DEFAULT_BUILD)
    parser.add_argument('--jobs', type=int, default=build_tree.cores())
    parser.add_argument('--timeout', type=int, default=300, help='seconds for one binary or script')
    parser.add_argument('--only', default='', help='regular expression for the names of binaries, scripts and files')
    parser.add_argument('--units', action='store_true', help='only the test binaries')
    parser.add_argument('--shards', type=int, default=1, help='processes that share the cases of a binary')
    options = parser.parse_args()

    tests = {name: test for name, test in collect(options).items() if re.search(options.only, name.split(' ')[0])}
    passed, failed = 0, []
    for name, outcome in build_tree.run_all(options.jobs, lambda name: timed(tests[name]), sorted(tests)):
        passed += outcome.passed
        failed += outcome.failed
        if outcome.failed:
            print(f'---- {name}\n{outcome.output.rstrip()}'.rstrip() + '\n----')
        verdict = f'{len(outcome.failed)} failed' if outcome.failed else outcome.skipped or 'ok'
        print(f'{name:48} {outcome.passed:5} passed  {outcome.seconds:6.1f} s  {verdict}', flush=True)

    for name in failed:
        print(f'FAILED {name}')
    print(f'{passed} passed, {len(failed)} failed')
    return 1 if failed or not passed else 0


if __name__ == '__main__':
    sys.exit(main())
