#!/usr/bin/env python3
"""Every header compiles alone: whoever includes it needs no other header before it.

Usage: check_headers.py [--build build/release] [--jobs N] [HEADER...]     (all of src/flott by default)

Exit code 1, and the compiler's first error for each header that does not.
"""
import argparse
import pathlib
import sys

import build_tree


def first_error(output):
    return next((line for line in output.splitlines() if 'error' in line), output.strip())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default=build_tree.DEFAULT_BUILD)
    parser.add_argument('--jobs', type=int, default=build_tree.cores())
    parser.add_argument('headers', nargs='*', type=pathlib.Path)
    options = parser.parse_args()

    src = build_tree.ROOT / 'src'
    headers = [path.resolve() for path in options.headers] or sorted(src.glob('flott/**/*.h'))
    command = build_tree.syntax_check_command(options.build) + [f'-I{src}']

    def check(header):
        return build_tree.check_syntax(command, text=f'#include "{header.relative_to(src)}"\n')

    faults = 0
    for header, (compiles, output) in build_tree.run_all(options.jobs, check, headers):
        if not compiles:
            faults += 1
            print(f'{header.relative_to(build_tree.ROOT)}: does not compile alone: {first_error(output)}')
    print(f'headers: {len(headers)} checked, {faults} do not compile alone')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
