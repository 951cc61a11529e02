"""What the scripts in this folder know about a build folder: its test binaries and how to compile against the tree.

CMake writes both files, see flott_describe_to_tools in cmake/FlottPrograms.cmake.
"""
import concurrent.futures
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
DEFAULT_BUILD = ROOT / 'build' / 'release'


def read_lines(path):
    if not path.exists():
        sys.exit(f'{path} is missing: configure first, for instance with cmake --preset release')
    return [line for line in path.read_text().splitlines() if line]


def test_binaries(build):
    return [pathlib.Path(line) for line in read_lines(build / 'tests' / 'binaries.txt')]


def syntax_check_command(build):
    """Compiler and flags that check a file written against the tree without compiling it."""
    return read_lines(build / 'compile_command.txt') + ['-fsyntax-only']


def check_syntax(command, path=None, text=None):
    """Checks a file, or text. Returns (compiles, what the compiler said)."""
    source = [str(path)] if text is None else ['-x', 'c++', '-']
    done = subprocess.run(command + source, input=text, cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    return done.returncode == 0, done.stdout


def run_all(jobs, function, items):
    """Calls function for each item, some at a time, and yields (item, result) as they are done."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        futures = {pool.submit(function, item): item for item in items}
        for future in concurrent.futures.as_completed(futures):
            yield futures[future], future.result()


def cores():
    return len(os.sched_getaffinity(0))
