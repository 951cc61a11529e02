"""check_docs.py compiles every kind of block as it says, and names page and line of what does not compile."""
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import check_docs  # noqa: E402

CHECK = pathlib.Path(__file__).resolve().parents[1] / 'check_docs.py'
# Stands in for the real API, to keep this test independent of it and fast.
API = '''
#pragma once
#include <chrono>
namespace flott { struct StreamExecutionEnvironment { void execute() {} }; }
'''


class CheckDocs(unittest.TestCase):

    def check(self, page):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / 'flott').mkdir()
            (root / 'flott' / 'flott.h').write_text(API)
            (root / 'compile_command.txt').write_text(f'g++\n-std=c++20\n-I{root}\n')
            (root / 'page.md').write_text(page)
            done = subprocess.run([sys.executable, str(CHECK), '--build', folder, str(root / 'page.md')], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            return done.returncode, done.stdout

    def test_blocks_that_compile(self):
        code, output = self.check('''
A program:
```cpp
int main() { return 0; }
```
Declarations, then statements that use them:
```cpp
#include <vector>
struct Word { int count; };
```
```cpp fragment
std::vector<Word> words;
env.execute();
```
```cpp nocompile
words -> counts
```
```sh
not C++
```
''')
        self.assertEqual((code, output.strip()), (0, 'documents: 3 blocks compiled, 0 faults'))

    def test_pictures_are_those_that_are_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            draw = pathlib.Path(folder) / 'draw.py'
            draw.write_text('import pathlib, sys\n'
                            'for name in "ab": (pathlib.Path(sys.argv[1]) / f"{name}.svg").write_text(name)\n')
            images = pathlib.Path(folder) / 'images'
            images.mkdir()
            for name, text in (('a', 'a'), ('b', 'b')):
                (images / f'{name}.svg').write_text(text)
            self.assertEqual(check_docs.stale_pictures(images, draw), [])
            (images / 'a.svg').write_text('A')
            (images / 'b.svg').rename(images / 'c.svg')
            self.assertEqual([line.split(':')[0] for line in check_docs.stale_pictures(images, draw)],
                             [str(images / f'{name}.svg') for name in 'abc'])

    def test_error_names_page_and_line(self):
        code, output = self.check('one\n\n```cpp fragment\nenv.execute();\nenv.execut();\n```\n')
        self.assertEqual(code, 1)
        self.assertIn('page.md:5:5: error:', output)

    def test_program_does_not_see_declarations(self):
        code, output = self.check('```cpp\nstruct Word {};\n```\n```cpp\nint main() { Word w; }\n```\n')
        self.assertEqual(code, 1)
        self.assertIn('page.md:5:14: error:', output)

    def test_unknown_kind(self):
        code, output = self.check('```cpp snippet\nint x;\n```\n')
        self.assertEqual(code, 1)
        self.assertIn('page.md:2: a block is one of cpp, cpp fragment, cpp nocompile, not "cpp snippet"', output)


if __name__ == '__main__':
    unittest.main()
