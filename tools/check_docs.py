#!/usr/bin/env python3
"""The C++ in the documents compiles, and their pictures are those that docs/draw_windows.py draws.

Usage: check_docs.py [--build build/release] [--jobs N] [PAGE...]     (all *.md of the project by default)

A block of a page says after its ``` what it is:
- `cpp` with `int main`: a program, compiled as it stands;
- `cpp`: declarations, which the blocks after it on the same page can use;
- `cpp fragment`: statements; the page's declarations are in reach, and `env`, a StreamExecutionEnvironment&;
- `cpp nocompile`: not compiled, for what only looks like C++.
Declarations and fragments find "flott/flott.h" included and namespace flott used; their #includes may stand anywhere.
Exit code 1, and the compiler's errors with page and line, when a block does not compile. Without a PAGE the pictures are
looked at, too.
"""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

import build_tree

FENCE = re.compile(r'^\s*(`{3,})(.*)$')
KINDS = ('cpp', 'cpp fragment', 'cpp nocompile')
PREAMBLE = '#include <chrono>\n#include "flott/flott.h"\nusing namespace flott;\nusing namespace std::chrono_literals;\n'


class Block:
    def __init__(self, kind, line):
        self.kind = kind
        self.line = line  # of its first line of code
        self.code = []

    def text(self, page):
        return f'#line {self.line} "{page}"\n' + '\n'.join(self.code) + '\n'

    def is_program(self):
        return self.kind == 'cpp' and any('int main' in line for line in self.code)


def read_blocks(path):
    """The blocks whose first word is cpp. The kind is not checked here."""
    blocks, block, fence = [], None, None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = FENCE.match(line)
        if fence is None and found:
            fence, info = found.groups()
            block = Block(' '.join(info.split()), number + 1)
        elif fence is not None and line.strip() == fence:
            if block.kind.split()[:1] in (['cpp'], ['c++']):
                blocks.append(block)
            fence = None
        elif fence is not None:
            block.code.append(line)
    return blocks


def page_sources(page, blocks):
    """What to compile for a page: each program, and one file of all declarations and fragments."""
    sources = [block.text(page) for block in blocks if block.is_program()]
    rest = [block for block in blocks if not block.is_program() and block.kind != 'cpp nocompile']
    if not rest:
        return sources
    includes, parts = [], []
    for number, block in enumerate(rest):
        includes += [line for line in block.code if line.startswith('#include')]
        block.code = ['' if line.startswith('#include') else line for line in block.code]
        if block.kind == 'cpp fragment':
            name = f'[[maybe_unused]] void fragment{number}([[maybe_unused]] StreamExecutionEnvironment& env)'
            parts.append(f'{name} {{\n{block.text(page)}}}\n')
        else:
            parts.append(block.text(page))
    sources.append('\n'.join(includes) + '\n' + PREAMBLE + ''.join(parts))
    return sources


def all_pages():
    listed = subprocess.run(['git', 'ls-files', '--cached', '--others', '--exclude-standard', '*.md'],
                            cwd=build_tree.ROOT, text=True, check=True, stdout=subprocess.PIPE)
    return [build_tree.ROOT / name for name in sorted(set(listed.stdout.splitlines()))]


def stale_pictures(images, draw):
    """What to say of each picture in the folder `images` that is not what the script `draw` makes."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, str(draw), folder], check=True)
        drawn = {path.name: path.read_text() for path in pathlib.Path(folder).iterdir()}
    kept = {path.name: path.read_text() for path in images.glob('*.svg')}
    return [f'{images / name}: is not what {draw.name} draws: run it' for name in sorted({*drawn, *kept})
            if drawn.get(name) != kept.get(name)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--build', type=pathlib.Path, default=build_tree.DEFAULT_BUILD)
    parser.add_argument('--jobs', type=int, default=build_tree.cores())
    parser.add_argument('pages', nargs='*', type=pathlib.Path)
    options = parser.parse_args()

    command = build_tree.syntax_check_command(options.build)
    sources, faults, count = [], 0, 0
    for path in options.pages or all_pages():
        blocks = read_blocks(path)
        page = path.resolve().relative_to(build_tree.ROOT) if path.resolve().is_relative_to(build_tree.ROOT) else path
        for block in blocks:
            if block.kind not in KINDS:
                faults += 1
                print(f'{page}:{block.line}: a block is one of {", ".join(KINDS)}, not "{block.kind}"')
        count += sum(block.kind != 'cpp nocompile' for block in blocks)
        sources += page_sources(page, blocks)

    check = lambda number: build_tree.check_syntax(command, text=sources[number])
    for _, (compiles, output) in build_tree.run_all(options.jobs, check, range(len(sources))):
        if not compiles:
            faults += 1
            print(output.rstrip())
    if not options.pages:
        stale = stale_pictures(build_tree.ROOT / 'docs' / 'images', build_tree.ROOT / 'docs' / 'draw_windows.py')
        faults += len(stale)
        print(*stale, sep='\n', end='\n' if stale else '')
    print(f'documents: {count} blocks compiled, {faults} faults')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
