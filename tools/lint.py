#!/usr/bin/env python3
"""clang-tidy, with the checks in .clang-tidy, over the sources that are not tests.

Usage: lint.py [--jobs N] [FILE...]     (all .cc under src/ and bench/, and the examples, by default)

Configures build/lint, which has compile commands without a precompiled header of g++. Exit code 1 when there is a finding.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import time

import build_tree

LINT_BUILD = build_tree.ROOT / 'build' / 'lint'


def compiled_sources():
    subprocess.run(['cmake', '--preset', 'lint', '--log-level=WARNING'], cwd=build_tree.ROOT, check=True,
                   stdout=subprocess.DEVNULL)
    commands = json.loads((LINT_BUILD / 'compile_commands.json').read_text())
    paths = {pathlib.Path(command['file']) for command in commands}
    return sorted(path for path in paths if 'tests' not in path.parts and 'build' not in path.parts)


def lint(path):
    start = time.monotonic()
    done = subprocess.run(['clang-tidy-14', '--quiet', '-p', str(LINT_BUILD), '--extra-arg=-Wno-unknown-warning-option',
                           str(path)], cwd=build_tree.ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    return done.returncode == 0, done.stdout.strip() or done.stderr.strip(), time.monotonic() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--jobs', type=int, default=build_tree.cores())
    parser.add_argument('--times', action='store_true', help='print how long each file took')
    parser.add_argument('files', nargs='*', type=pathlib.Path)
    options = parser.parse_args()

    sources = compiled_sources()
    paths = [path.resolve() for path in options.files] or sources
    faults = 0
    for path, (clean, output, seconds) in build_tree.run_all(options.jobs, lint, paths):
        if options.times:
            print(f'{seconds:6.1f} s  {path.relative_to(build_tree.ROOT)}')
        if not clean:
            faults += 1
            print(output, flush=True)
    print(f'lint: {len(paths)} files, {faults} with findings')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
